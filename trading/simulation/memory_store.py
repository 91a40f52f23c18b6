"""EngineStore and LeaseStore in memory, held to the same contract as the Django stores (tests/stores)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from trading.domain.adoption import Adoption
from trading.domain.caps import HouseCaps
from trading.domain.control import CommandKind, TradingState, state_denial, strictest
from trading.domain.errors import ExitAlreadyLive, StoreUnavailable
from trading.domain.exit_journal import JournaledExit, gate_verdicts, is_news
from trading.domain.opening_range import OpeningRange
from trading.domain.orders import (
    NEVER_SENT,
    BrokerOrder,
    BrokerTrade,
    IntentState,
    OrderIntent,
    check_transition,
    is_stale_word,
)
from trading.domain.timezone import ist_day
from trading.ports import (
    AccountRef,
    Claim,
    ClientPolicy,
    Clock,
    Command,
    ControlView,
    DayBook,
    EngineEvent,
    KillPress,
    LadderRecord,
    LeaseView,
    Place,
    Plan,
    StoredIntent,
    StoredPress,
)


@dataclass
class _Latch:
    day: date
    state: TradingState
    reason: str


class MemoryStore:
    """A database of dictionaries. `is_available = False` makes every call raise StoreUnavailable.

    Tests fill it by the `add_*` methods and read `events`, `alarms`, `pnl`, `results`, `verdicts`.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.is_available = True
        self.house_state = TradingState.ACTIVE
        self.house_latch: _Latch | None = None
        self.policies: dict[int, ClientPolicy] = {}
        self.latches: dict[int, _Latch] = {}
        self.accounts: dict[str, AccountRef] = {}
        self.account_states: dict[str, TradingState] = {}
        self.account_latches: dict[str, _Latch] = {}
        self.disabled_accounts: set[str] = set()
        self.plans: list[Plan] = []
        self.intents: dict[str, StoredIntent] = {}
        self.exit_slots: dict[tuple[str, str], str] = {}
        self.trades: list[tuple[str, BrokerTrade]] = []
        self.ladders: dict[tuple[date, str, str], LadderRecord] = {}
        self.adoptions: list[tuple[str, date, Adoption]] = []
        self.reconciliations: dict[tuple[str, date], Mapping[str, Any]] = {}
        self.opening_ranges: dict[tuple[date, str, str, int], OpeningRange] = {}
        self.commands: dict[int, tuple[date, Command]] = {}
        self.results: dict[int, Mapping[str, Any]] = {}
        self.presses: dict[str, int] = {}
        """Command ids by the key of a press."""
        self.verdicts: dict[str, Sequence[Mapping[str, Any]]] = {}
        self.claimed: dict[str, tuple[str, int]] = {}
        """Shard and epoch of each claim by its tag."""
        self.reasons: dict[str, Mapping[str, Any]] = {}
        self.events: list[EngineEvent] = []
        self.alarms: list[tuple[int | None, str, str]] = []
        self.pnl: dict[tuple[int, datetime], tuple[Decimal, Decimal]] = {}
        self.leases: dict[str, LeaseView] = {}
        self.waiting: dict[str, str] = {}
        self.house_caps: HouseCaps | None = HouseCaps()
        self.unfit: dict[str, str] = {}
        self.stopped_ladders: dict[Place, str] = {}
        self.allowed_again: dict[Place, datetime] = {}

    # What a test arranges.

    def add_client(self, policy: ClientPolicy) -> ClientPolicy:
        self.policies[policy.client_id] = policy
        return policy

    def add_account(self, account: AccountRef) -> AccountRef:
        self.accounts[account.key] = account
        return account

    def add_plan(self, plan: Plan) -> Plan:
        self.plans.append(plan)
        return plan

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

    # EngineStore

    async def load_book(self, day: date) -> DayBook:
        self._check()
        today = [stored for stored in self.intents.values() if stored.intent.key.day == day]
        in_use = {stored.intent.key.account for stored in today}
        accounts = [a for a in self.accounts.values() if a.key not in self.disabled_accounts or a.key in in_use]
        return DayBook(
            day=day,
            house_state=self._house(day),
            clients=tuple(self._policy(client_id, day) for client_id in self.policies),
            accounts=tuple(accounts),
            plans=tuple(
                self._with_opening_range(replace(plan, is_closing=plan.is_closing or self._is_off(plan)), day)
                for plan in self.plans
                if not self._is_off(plan)
                or any((s.intent.key.account, s.intent.key.instrument) == _place(plan) for s in today)
            ),
            intents=tuple(today),
            trades=tuple(entry for entry in self.trades if ist_day(entry[1].filled_at) == day),
            ladders=tuple(record for key, record in self.ladders.items() if key[0] == day),
            adoptions=tuple((key, adoption) for key, on, adoption in self.adoptions if on == day),
            squared_off=frozenset(
                command.client_id
                for on, command in self.commands.values()
                if command.kind is CommandKind.SQUARE_OFF and command.client_id is not None and on == day
            ),
            house_caps=self.house_caps,
            unfit=dict(self.unfit),
        )

    async def copy_book(self, day: date) -> DayBook:
        return await self.load_book(day)

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

    async def create_intent(self, intent: OrderIntent, *, decided_at: datetime, reason: Mapping[str, Any]) -> bool:
        self._check()
        if intent.key.account not in self.accounts:
            raise KeyError(f"no client has the account {intent.key.account!r}")
        if intent.tag in self.intents:
            return False
        slot = (intent.key.account, intent.key.instrument)
        if intent.key.purpose.is_exit:
            holder = self.exit_slots.get(slot)
            if holder is not None and self.intents[holder].intent.key.day >= intent.key.day:
                raise ExitAlreadyLive(f"{slot[0]} {slot[1]} had the live exit {self.exit_slots[slot]}")
            self.exit_slots[slot] = intent.tag
        self.intents[intent.tag] = StoredIntent(intent, IntentState.NEW, decided_at=decided_at)
        self.reasons[intent.tag] = dict(reason)
        return True

    async def claim(self, tag: str, *, shard: str, epoch: int, verdicts: Sequence[Mapping[str, Any]]) -> Claim:
        self._check()
        stored, key = self.intents[tag], self.intents[tag].intent.key
        client = self._policy(self.accounts[key.account].client_id, self._today())
        states = {
            "house": self._house(self._today()),
            "client": client.state,
            "account": self._account(key.account, self._today()),
        }
        answer = self._claim_of(stored, shard, epoch, states)
        verdict = {"check": "claim", "ok": not answer.denied, "facts": {"shard": shard, "epoch": epoch, **states}}
        if answer.denied:
            verdict |= {"code": answer.denied, "message": answer.message}
        told = [*verdicts, verdict]
        if answer.denied not in ("LEASE_LOST", "NOT_NEW"):
            self.verdicts[tag], self.claimed[tag] = told, (shard, epoch)
            self._move(stored, IntentState.DENIED if answer.denied else IntentState.SENDING)
        data = {"purpose": key.purpose.value, "verdicts": told}
        at, account = self._clock.now(), key.account
        self.events.append(EngineEvent(client.client_id, "GATE", at, data, account, key.instrument, tag))
        return answer

    async def claim_change(self, tag: str, *, shard: str, epoch: int) -> Claim:
        self._check()
        if (denied := self._lease_lost(shard, epoch)) is not None:
            return denied
        self.intents[tag] = replace(self.intents[tag], changes=self.intents[tag].changes + 1)
        return Claim()

    def _lease_lost(self, shard: str, epoch: int) -> Claim | None:
        lease = self.leases.get(shard)
        if lease is None or lease.epoch != epoch or not lease.holder:
            return Claim("LEASE_LOST", f"the lease of {shard} was not held with epoch {epoch}")
        return None

    def _claim_of(self, stored: StoredIntent, shard: str, epoch: int, states: Mapping[str, TradingState]) -> Claim:
        key = stored.intent.key
        if (denied := self._lease_lost(shard, epoch)) is not None:
            return denied
        if stored.state is not IntentState.NEW:
            return Claim("NOT_NEW", f"the intent was {stored.state}", stored.state)
        if not key.purpose.is_exit and key.account in self.disabled_accounts:
            return Claim("ACCOUNT_DISABLED", f"{key.account} was disabled")
        why = self.stopped_ladders.get((key.account, key.instrument))
        if not key.purpose.is_exit and why is not None:
            return Claim("LADDER_STOPPED", f"stopped until a person lets it go on: {why}")
        denial = state_denial(key.purpose, **states)
        return Claim(*denial) if denial else Claim()

    async def resolve(self, tag: str, state: IntentState, *, order_id: str = "", reason: str = "") -> None:
        self._check()
        stored = self.intents[tag]
        if check_transition(stored.state, state):
            self._move(stored, state)

    async def never_sent(self, tag: str, *, shard: str, epoch: int, reason: str) -> None:
        self._check()
        stored = self.intents.get(tag)
        if stored is None or (stored.state is IntentState.SENDING and self.claimed[tag] != (shard, epoch)):
            return
        if (state := NEVER_SENT.get(stored.state)) is not None:
            self._move(stored, state)

    async def import_exit(self, exit_: JournaledExit) -> bool:
        self._check()
        key = exit_.intent.key
        if key.account not in self.accounts:
            raise KeyError(f"no client has the account {key.account!r}")
        known = self.intents.get(exit_.tag)
        was = known.state if known else None
        if not is_news(was, exit_.state):
            return False
        if known is None:
            known = StoredIntent(exit_.intent, IntentState.NEW, decided_at=exit_.decided_at)
            self.intents[exit_.tag], self.reasons[exit_.tag] = known, dict(exit_.reason)
        self.exit_slots.setdefault((key.account, key.instrument), exit_.tag)
        self._move(known, exit_.state)
        self.verdicts[exit_.tag], self.claimed[exit_.tag] = gate_verdicts(exit_), (exit_.shard, exit_.epoch)
        gate = {"purpose": key.purpose.value, "verdicts": gate_verdicts(exit_)}
        is_first = was in (None, IntentState.NEW, IntentState.DENIED)
        told = [("GATE", gate)] if is_first else []
        told.append(("EXIT_IMPORTED", {"text": "sent by the exit journal", "state": exit_.state.value}))
        client_id, at = self.accounts[key.account].client_id, self._clock.now()
        self.events.extend(
            EngineEvent(client_id, kind, at, data, key.account, key.instrument, exit_.tag) for kind, data in told
        )
        return True

    async def save_order(self, account_key: str, order: BrokerOrder) -> None:
        self._check()
        stored = self.intents.get(order.tag)
        if stored is None or stored.intent.key.account != account_key or is_stale_word(order, known=stored.order):
            return
        self.intents[order.tag] = replace(stored, order=order)
        if order.status.is_final:
            self._release_slot(order.tag)

    async def save_trades(self, account_key: str, trades: Sequence[BrokerTrade]) -> list[BrokerTrade]:
        self._check()
        seen = {_trade_key(key, trade) for key, trade in self.trades}
        new: list[BrokerTrade] = []
        for trade in trades:
            if _trade_key(account_key, trade) not in seen:
                seen.add(_trade_key(account_key, trade))
                new.append(trade)
        self.trades.extend((account_key, trade) for trade in new)
        return new

    async def save_ladder(self, day: date, record: LadderRecord, *, shard: str, epoch: int) -> bool:
        self._check()
        if self._lease_lost(shard, epoch) is not None:
            return False
        self.ladders[(day, record.account_key, record.instrument)] = record
        return True

    async def save_adoption(self, account_key: str, day: date, adoption: Adoption) -> bool:
        self._check()
        if any((key, on, known.key) == (account_key, day, adoption.key) for key, on, known in self.adoptions):
            return False
        self.adoptions.append((account_key, day, adoption))
        return True

    async def save_reconciliation(self, account_key: str, day: date, picture: Mapping[str, Any]) -> None:
        self._check()
        self.reconciliations[(account_key, day)] = dict(picture)

    async def save_opening_range(self, day: date, found: OpeningRange) -> OpeningRange:
        self._check()
        return self.opening_ranges.setdefault((day, found.broker, found.instrument, found.minutes), found)

    async def append_events(self, events: Sequence[EngineEvent]) -> None:
        self._check()
        self.events.extend(events)

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

    async def save_pnl(self, at: datetime, points: Sequence[tuple[int, Decimal, Decimal]]) -> None:
        self._check()
        for client_id, realised, unrealised in points:
            self.pnl[(client_id, at)] = (realised, unrealised)

    async def raise_alarm(self, client_id: int | None, code: str, text: str) -> None:
        self._check()
        self.alarms.append((client_id, code, text))

    # LeaseStore

    async def observe(self, shard: str) -> LeaseView | None:
        self._check()
        return self.leases.get(shard)

    async def acquire(self, shard: str, holder: str, *, seen: LeaseView | None) -> int | None:
        self._check()
        if self.leases.get(shard) != seen:
            return None
        epoch, counter = (1, 1) if seen is None else (seen.epoch + 1, seen.counter + 1)
        self.leases[shard] = LeaseView(epoch, holder, counter)
        return epoch

    async def announce(self, who: str, words: str) -> None:
        self._check()
        self.waiting.pop(who, None)
        if words:
            self.waiting[who] = words

    async def renew(self, shard: str, epoch: int) -> bool:
        self._check()
        lease = self.leases.get(shard)
        if lease is None or lease.epoch != epoch or not lease.holder:
            return False
        self.leases[shard] = replace(lease, counter=lease.counter + 1)
        return True

    async def release(self, shard: str, epoch: int) -> None:
        self._check()
        lease = self.leases.get(shard)
        if lease is not None and lease.epoch == epoch:
            self.leases[shard] = replace(lease, holder="", counter=lease.counter + 1)

    # Inside

    def _check(self) -> None:
        if not self.is_available:
            raise StoreUnavailable("the test made the store unavailable")

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

    def _is_off(self, plan: Plan) -> bool:
        return plan.account_key in self.disabled_accounts

    def _with_opening_range(self, plan: Plan, day: date) -> Plan:
        """Do what the database does for a line whose configuration takes its range from the opening window."""
        minutes = plan.config.get("opening_range_minutes", 15)
        key = (day, self.accounts[plan.account_key].broker, plan.instrument.key, minutes)
        found = self.opening_ranges.get(key)
        if plan.config.get("range_source") != "opening_range" or found is None:
            return plan
        return replace(plan, day_range=found.reference(), why_no_range=found.why_not)

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

    def _move(self, stored: StoredIntent, state: IntentState) -> None:
        self.intents[stored.intent.tag] = replace(stored, state=state)
        if state.is_final_without_order:
            self._release_slot(stored.intent.tag)

    def _release_slot(self, tag: str) -> None:
        key = self.intents[tag].intent.key
        if self.exit_slots.get((key.account, key.instrument)) == tag:
            del self.exit_slots[(key.account, key.instrument)]


def _trade_key(account_key: str, trade: BrokerTrade) -> tuple[str, date, str, str]:
    return account_key, ist_day(trade.filled_at), trade.instrument.partition(":")[0], trade.trade_id


def _place(plan: Plan) -> tuple[str, str]:
    return plan.account_key, plan.instrument.key
