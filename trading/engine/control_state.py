"""Who may enter now: the control rows as last read, the limits just reached, and whether the feed is fit."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from trading.domain.control import TradingState, strictest
from trading.domain.kill_file import Stopped
from trading.ports import ControlView, Place


@dataclass
class ControlState:
    """`latched` says why a client is off for the day. `feed_trouble` is empty while prices are fresh; `prices_stopped`
    is true when they are due and do not come."""

    house: TradingState = TradingState.ACTIVE
    clients: dict[int, TradingState] = field(default_factory=dict)
    accounts: dict[str, TradingState] = field(default_factory=dict)
    latched: dict[int, str] = field(default_factory=dict)
    feed_trouble: str = "no tick has come yet"
    prices_stopped: bool = False
    disputed: dict[str, str] = field(default_factory=dict)
    """Instruments of which feed and broker's quote differ, and how."""
    unfit: dict[str, str] = field(default_factory=dict)
    """Instruments that expired or that the broker's list gives other facts for, and why (`DayBook.unfit`)."""
    stopped_ladders: dict[Place, str] = field(default_factory=dict)
    """Ladders that repeated themselves too often, and why."""
    allowed_again: dict[Place, datetime] = field(default_factory=dict)
    _unseen: dict[int, str] = field(default_factory=dict)
    """Latches that this process set and has not read back yet: rows read before they were stored do not undo them."""
    _unseen_stops: dict[Place, str] = field(default_factory=dict)
    why_file: Callable[[int, str], str] = lambda client_id, account_key: ""
    """Says which kill file keeps an account of a client from entering at this moment, empty for none."""
    _files: frozenset[Stopped] = frozenset()
    _unseen_presses: set[Stopped] = field(default_factory=set)
    """Presses by a file that the database does not have yet."""
    _taken: ControlView | None = None
    """The rows that all of this follows from; None as soon as something else was noted beside them."""

    def of(self, client_id: int) -> TradingState:
        """Give a client's own state; one nobody told of may not enter."""
        return self.clients.get(client_id, TradingState.REDUCING)

    def of_account(self, key: str) -> TradingState:
        """Give an account's own state; one nobody told of may not enter."""
        return self.accounts.get(key, TradingState.REDUCING)

    def is_latched(self, client_id: int) -> bool:
        """Say whether a limit that was reached holds the client off."""
        return client_id in self.latched

    def latch(self, client_id: int, message: str) -> None:
        """Hold a client off from this moment on, also before the database has it."""
        self._taken = None
        if client_id not in self.latched:
            self._unseen[client_id] = self.latched[client_id] = message
        self.clients[client_id] = strictest(self.of(client_id), TradingState.REDUCING)

    def stop_ladder(self, place: Place, reason: str) -> bool:
        """Hold a ladder's entries from this moment on, also before the database has it; False when it was held."""
        if place in self.stopped_ladders:
            return False
        self._taken = None
        self._unseen_stops[place] = self.stopped_ladders[place] = reason
        return True

    def stop_stored(self, place: Place) -> None:
        """The database has the stop: from now on its rows count."""
        self._taken = None
        self._unseen_stops.pop(place, None)

    def says(self, view: ControlView) -> bool:
        """Say whether these rows were taken over, and nothing else was noted since."""
        return self._taken == view

    def take(self, view: ControlView) -> None:
        """Take over the control rows."""
        self.stopped_ladders = {**view.stopped_ladders, **self._unseen_stops}
        self.allowed_again = dict(view.allowed_again)
        self.house, self.clients, self.accounts = view.house_state, dict(view.states), dict(view.accounts)
        self.latched = dict(view.latched)
        unseen, self._unseen = self._unseen, {}
        for client_id, message in unseen.items():
            if client_id not in self.latched:
                self.latch(client_id, message)
        self._stop_by_files()
        self._taken = None if unseen else view

    def sees(self, standing: frozenset[Stopped]) -> bool:
        """Say whether these are the kill files that are known."""
        return self._files == standing

    def see_files(self, standing: frozenset[Stopped]) -> None:
        """Note whom the kill files that are there stop."""
        self._taken = None  # one that is gone stops nobody any more: the rows say who is stopped besides
        self._files = standing
        self._stop_by_files()

    def press_unseen(self, stopped: Stopped) -> None:
        """A press that the database must still be told of counts from now on, also when its file goes away."""
        self._taken = None
        self._unseen_presses.add(stopped)
        self._stop_by_files()

    def press_stored(self, stopped: Stopped) -> None:
        """The database has the press: from now on its rows count."""
        self._taken = None
        self._unseen_presses.discard(stopped)

    def _stop_by_files(self) -> None:
        for stopped in self._files | self._unseen_presses:
            if stopped.account_key:
                own = self.of_account(stopped.account_key)
                self.accounts[stopped.account_key] = strictest(own, TradingState.REDUCING)
            elif stopped.client_id is not None:
                self.clients[stopped.client_id] = strictest(self.of(stopped.client_id), TradingState.REDUCING)
            else:
                self.house = strictest(self.house, TradingState.REDUCING)
