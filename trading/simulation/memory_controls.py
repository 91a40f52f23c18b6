"""The control rows in memory: who may trade, what was asked for, and what holds until tomorrow."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from trading.domain.control import CommandKind, TradingState, strictest
from trading.domain.timezone import ist_day
from trading.ports import (
    AccountRef,
    ClientPolicy,
    Clock,
    Command,
    ControlView,
    EngineEvent,
    KillPress,
    Place,
    StoredPress,
)
from trading.simulation.memory_leases import MemoryLeases


@dataclass
class _Latch:
    day: date
    state: TradingState
    reason: str


class MemoryControls(MemoryLeases):
    """States of the house, its clients and accounts, commands, and the events that tell of them."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock
        self.house_state = TradingState.ACTIVE
        self.house_latch: _Latch | None = None
        self.policies: dict[int, ClientPolicy] = {}
        self.latches: dict[int, _Latch] = {}
        self.accounts: dict[str, AccountRef] = {}
        self.account_states: dict[str, TradingState] = {}
        self.account_latches: dict[str, _Latch] = {}
        self.disabled_accounts: set[str] = set()
        self.commands: dict[int, tuple[date, Command]] = {}
        self.results: dict[int, Mapping[str, Any]] = {}
        self.presses: dict[str, int] = {}
        """Command ids by the key of a press."""
        self.events: list[EngineEvent] = []
        self.stopped_ladders: dict[Place, str] = {}
        self.allowed_again: dict[Place, datetime] = {}

    def add_client(self, policy: ClientPolicy) -> ClientPolicy:
        self.policies[policy.client_id] = policy
        return policy

    def add_account(self, account: AccountRef) -> AccountRef:
        self.accounts[account.key] = account
        return account

    def add_command(
        self, kind: CommandKind, client_id: int | None, arguments: Mapping[str, Any] | None = None, *, day: date
    ) -> int:
        command_id = len(self.commands) + 1
        command = Command(command_id, kind, client_id, dict(arguments or {}), asked_wall=self._clock.wall())
        self.commands[command_id] = (day, command)
        return command_id

    def press_kill(self, client_id: int | None, *, account_key: str = "", leave_positions: bool | None = None) -> int:
        """Do what services.control.press_kill commits: REDUCING and the command row."""
        self.lower(client_id, account_key, TradingState.REDUCING)
        if client_id is not None and leave_positions is None:
            leave_positions = not self.policies[client_id].squares_off_on_kill
        arguments = {"leave_positions": leave_positions} | ({"account_key": account_key} if account_key else {})
        return self.add_command(CommandKind.KILL, client_id, arguments, day=self._today())

    async def control(self) -> ControlView:
        self._check()
        today = self._today()
        policies = [self._policy(client_id, today) for client_id in self.policies]
        return ControlView(
            house_state=self._house(today),
            states={policy.client_id: policy.state for policy in policies},
            accounts={key: self._account(key, today) for key in self.accounts},
            latched={policy.client_id: policy.latched_reason for policy in policies if policy.latched_reason},
            commands=tuple(
                command
                for command_id, (day, command) in self.commands.items()
                if command_id not in self.results and (day == today or command.kind.outlives_its_day)
            ),
            stopped_ladders=dict(self.stopped_ladders),
            allowed_again={place: at for place, at in self.allowed_again.items() if ist_day(at) == today},
        )

    async def finish_command(self, command_id: int, result: Mapping[str, Any]) -> None:
        self._check()
        self.results.setdefault(command_id, dict(result))

    async def lower_state(
        self, client_id: int | None, state: TradingState, reason: str, *, account_key: str = "", latch: bool = False
    ) -> None:
        self._check()
        if not latch:
            self.lower(client_id, account_key, state)
            return
        if account_key:
            known = self.account_latches.get(account_key)
        else:
            known = self.house_latch if client_id is None else self.latches.get(client_id)
        made = _Latch(self._today(), state, reason)
        if known is not None and known.day == made.day:
            made = _Latch(made.day, strictest(known.state, state), known.reason)
        if account_key:
            self.account_latches[account_key] = made
        elif client_id is None:
            self.house_latch = made
        else:
            self.latches[client_id] = made

    async def stop_ladder(self, place: Place, reason: str) -> None:
        self._check()
        self.stopped_ladders.setdefault(place, reason)

    async def store_press(self, press: KillPress) -> StoredPress:
        self._check()
        whom, today = (press.client_id, press.account_key), self._today()
        known = self.presses.get(press.once_key)
        if known is not None and self._own_state(*whom, today) is not TradingState.ACTIVE:
            return StoredPress(known, known in self.results)
        for command_id, (_, one) in self.commands.items():
            is_same = one.kind is CommandKind.KILL and (one.client_id, one.account_key) == whom
            if is_same and command_id not in self.results:
                return StoredPress(command_id, is_finished=False)
        was = self._own_state(*whom, today)
        made = self.press_kill(press.client_id, account_key=press.account_key, leave_positions=press.leave_positions)
        if press.once_key and known is None:
            self.presses[press.once_key] = made
        state = self._own_state(*whom, today)
        told = {"was": was, "state": state, **self.commands[made][1].arguments, "command": made, "path": press.path}
        at, account = self._clock.now(), press.account_key
        self.events.append(EngineEvent(press.client_id, "KILL_PRESSED", at, {**told, "by": press.by}, account))
        return StoredPress(made, is_finished=False)

    def lower(self, client_id: int | None, account_key: str, state: TradingState) -> None:
        """Let house, client or account do less from now on, as a person or the alarm threads commit it."""
        if client_id is None:
            self.house_state = strictest(self.house_state, state)
        elif account_key:
            known = self.account_states.get(account_key, TradingState.ACTIVE)
            self.account_states[account_key] = strictest(known, state)
        else:
            policy = self.policies[client_id]
            self.policies[client_id] = replace(policy, state=strictest(policy.state, state))

    # Inside

    def _today(self) -> date:
        return ist_day(self._clock.now())

    def _house(self, day: date) -> TradingState:
        latch = self.house_latch
        return strictest(self.house_state, latch.state) if latch and latch.day == day else self.house_state

    def _account(self, key: str, day: date) -> TradingState:
        state, latch = self.account_states.get(key, TradingState.ACTIVE), self.account_latches.get(key)
        return strictest(state, latch.state) if latch and latch.day == day else state

    def _own_state(self, client_id: int | None, account_key: str, day: date) -> TradingState:
        if account_key:
            return self._account(account_key, day)
        return self._house(day) if client_id is None else self._policy(client_id, day).state

    def _policy(self, client_id: int, day: date) -> ClientPolicy:
        policy, latch = self.policies[client_id], self.latches.get(client_id)
        if latch is None or latch.day != day:
            return policy
        return replace(policy, state=strictest(policy.state, latch.state), latched_reason=latch.reason)
