"""The shard as a whole: its clients and desks, the control rows, and small questions about them."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from trading.domain.caps import HouseCaps
from trading.domain.control import TradingState, strictest
from trading.domain.kill_file import Stopped
from trading.engine.adopting import Adopter
from trading.engine.client import ClientBook
from trading.engine.control_state import ControlState
from trading.engine.desk import AccountDesk
from trading.engine.gateway import AccountGateway
from trading.engine.instruments import Instruments
from trading.engine.ladder_book import LadderBook
from trading.engine.line import PositionLine
from trading.engine.listener import AccountListener
from trading.engine.reconcile import Reconciler
from trading.engine.runner import LadderRunner
from trading.ports import ControlView


@dataclass(frozen=True)
class AccountParts:
    """Everything that serves one account."""

    desk: AccountDesk
    gateway: AccountGateway
    listener: AccountListener
    reconciler: Reconciler
    adopter: Adopter


@dataclass
class House:
    """What the commands, limits and pages work on."""

    book: LadderBook
    instruments: Instruments
    control: ControlState = field(default_factory=ControlState)
    caps: HouseCaps | None = None
    clients: dict[int, ClientBook] = field(default_factory=dict)
    accounts: dict[str, AccountParts] = field(default_factory=dict)
    runners: dict[tuple[str, str], LadderRunner] = field(default_factory=dict)
    on_state: Callable[[int], None] = lambda _: None

    def runner_of(self, line: PositionLine) -> LadderRunner | None:
        """Give the ladder that owns a line."""
        return self.runners.get((line.ref.key, line.instrument))

    def state_of(self, client_id: int) -> TradingState:
        """Give the state that counts for all of a client: the strictest of house and client.

        Where every account was stopped by itself, it is the mildest of theirs.
        """
        own = strictest(self.control.house, self.control.of(client_id))
        stopped = [self.control.of_account(desk.ref.key) for desk in self.clients[client_id].desks]
        return strictest(own, min(stopped, key=lambda state: state.strictness, default=TradingState.ACTIVE))

    def note_control(self, view: ControlView) -> None:
        """Take over the control rows, and tell about every client whose state, or an account's of theirs, changed.

        They are read several times a second, and nearly always say what they said.
        """
        if self.control.says(view):
            return
        with self._telling():
            self.control.take(view)

    def stop_by_files(self, standing: Iterable[Stopped]) -> None:
        """Note whom the kill files that are there stop, and tell about it."""
        found = frozenset(standing)
        if not self.control.sees(found):
            with self._telling():
                self.control.see_files(found)

    @contextmanager
    def _telling(self) -> Iterator[None]:
        before = {client_id: self._states(client_id) for client_id in self.clients}
        yield
        for client_id, states in before.items():
            if self._states(client_id) != states:
                self.on_state(client_id)

    def _states(self, client_id: int) -> tuple[TradingState, ...]:
        own = (self.control.of_account(desk.ref.key) for desk in self.clients[client_id].desks)
        return self.state_of(client_id), *own

    def chosen(self, client_id: int | None) -> list[ClientBook]:
        """Give one client, or all for None."""
        if client_id is None:
            return list(self.clients.values())
        return [client for client in self.clients.values() if client.client_id == client_id]
