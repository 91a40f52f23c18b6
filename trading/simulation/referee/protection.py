"""What is open of ours is looked after: by a stop with fresh prices, by an exit, or by a person who was told. I5."""

from collections.abc import Mapping
from typing import Any

from trading.domain.money import from_scaled
from trading.domain.orders import IntentState, OrderIntent
from trading.domain.risk import FEED_STALE_AFTER_S
from trading.domain.sessions import Phase
from trading.exchange.venue.orders import Order
from trading.simulation.living import EngineProcess
from trading.simulation.referee.case import NEVER, Case, Judge, Place
from trading.simulation.requests import Request

FINDS_ITS_FEET_S = 10.0
"""Wire seconds that a process gets after it spoke for an account first, or had trouble with the database: what the
referee knows of its ladders was saved there."""
KNOWN_AFTER_S, BARE_FOR_S = 2.0, 3.0
"""Wire seconds from the first fill until a position is looked at, and then without protection: 5 together (I5)."""
ASKS_WITHIN_S, FEED_TOLD_WITHIN_S = 6.0, 12.0
"""Wire seconds from a feed's silence, or from the last quote, to the next one; and to the alarm where none comes."""
ON_ITS_WAY = frozenset({IntentState.NEW, IntentState.SENDING, IntentState.IN_DOUBT})


class Protection(Judge):
    """Looks at every position of ours that some process must know of: who would close it now?"""

    def __init__(self, case: Case) -> None:
        super().__init__(case)
        self._speaks: dict[str, tuple[str, float]] = {}
        """Which process speaks for an account, and since when."""
        self._open: dict[Place, int] = {}
        self._opened_at: dict[Place, float] = {}
        self._bare_since: dict[Place, float] = {}
        self._silent_since: dict[tuple[str, int], float] = {}
        self._asked_at: dict[str, float] = {}
        self._quoted_at: dict[str, float] = {}
        self._told_of: set[tuple[Place, float]] = set()

    def traded(self, place: Place, order: Order, before: int, after: int) -> None:
        """Note when a position of ours began."""
        ours = self.case.own[place][0]
        if ours * self._open.get(place, 0) <= 0:
            self._opened_at.pop(place, None)
        if ours:
            self._opened_at.setdefault(place, self.case.now())
        self._open[place] = ours

    def answered(self, account: str, request: Request) -> None:
        """Note a quote."""
        if request.path.startswith("/quote"):
            self._asked_at[account] = self._quoted_at[account] = self.case.now()

    def refused(self, account: str, request: Request, status: int | None, error_type: str) -> None:
        """Note that a quote was asked for."""
        if request.path.startswith("/quote"):
            self._asked_at[account] = self.case.now()

    def stepped(self) -> None:
        """Judge every position."""
        for account in self.case.store.accounts:
            self._hear(account)
        for place, opened_at in self._opened_at.items():
            process = self._who_knows(place, opened_at)
            self.case.looked["I5"] += process is not None
            if process is None or self._is_looked_after(place, opened_at, process):
                self._bare_since.pop(place, None)
            else:
                self._bare(place, opened_at)

    def _hear(self, account: str) -> None:
        """Note who speaks for an account, once it told that it is reconciled."""
        case, name = self.case, self.case.owner_of(account)
        process = case.process_of(name)
        is_there = process is not None and not process.life.is_dead and not process.life.is_stopped
        if not is_there or (name, account) not in case.reconciled:
            self._speaks.pop(account, None)
        elif self._speaks.get(account, ("", 0.0))[0] != name:
            self._speaks[account] = name, case.now()

    def _who_knows(self, place: Place, opened_at: float) -> EngineProcess | None:
        """Give the process that must know of the position by now, None where nobody can."""
        case = self.case
        name, since = self._speaks.get(place[0], ("", 0.0))
        known_from = opened_at + case.hidden_s()
        shows = ("/trades", "/orders")
        is_read = any(r.account == place[0] and r.path in shows and r.began >= known_from for r in case.reads[-400:])
        instrument = case.instruments[place[1]]
        trades = case.calendar.phase_at(case.house.clock.now(), instrument.instrument_class) is Phase.CONTINUOUS
        begins = max(since + FINDS_ITS_FEET_S, known_from + KNOWN_AFTER_S, case.store_troubled_at + FINDS_ITS_FEET_S)
        is_due = case.now() > begins
        return case.process_of(name) if name and is_read and trades and is_due else None

    def _is_looked_after(self, place: Place, opened_at: float, process: EngineProcess) -> bool:
        return self._exits(place) or self._is_watched(place, process) or self._is_told(place, opened_at)

    def _exits(self, place: Place) -> bool:
        """Say whether an exit of ours rests, or is on its way."""
        case = self.case
        ours, _ = case.own[place]
        if self._snapshot(place).get("wish"):  # it waits for the end of an entry or of a weaker exit
            return True
        if any(one.is_live and case.is_ours(one) and one.side.sign * ours < 0 for one in case.orders_of(*place)):
            return True
        return any(
            stored.state in ON_ITS_WAY and self._closes(stored.intent, place) for stored in case.store.intents.values()
        )

    @staticmethod
    def _closes(intent: OrderIntent, place: Place) -> bool:
        return intent.key.purpose.is_exit and (intent.key.account, intent.key.instrument) == place

    def _is_watched(self, place: Place, process: EngineProcess) -> bool:
        """Say whether the ladder that was last saved has a stop on this side, and its prices come."""
        case = self.case
        position = (self._snapshot(place).get("ladder") or {}).get("position")
        side = 1 if position and position["side"] == "long" else -1
        if position is None or position.get("stop") is None or side * case.own[place][0] < 0:
            return False
        return self._has_prices(place, process)

    def _snapshot(self, place: Place) -> Mapping[str, Any]:
        """Give what was last saved of the place's ladder."""
        record = self.case.store.ladders.get((self.case.house.venue.market.day, *place))
        return record.snapshot if record else {}

    def _has_prices(self, place: Place, process: EngineProcess) -> bool:
        """Say whether the process has the market's price, or has asked the broker for it just now."""
        case, token = self.case, self.case.instruments[place[1]].token
        tick, quote = process.feed.newest.get(token), case.house.venue.market.quote(token)
        spoken = process.life.name, token
        if tick is not None and quote.at_ms / 1000 - tick.exchange_ts <= FEED_STALE_AFTER_S:
            self._silent_since.pop(spoken, None)
            return True
        silent_s = case.now() - self._silent_since.setdefault(spoken, case.now())
        asked_s, quoted_s = (case.now() - at.get(place[0], NEVER) for at in (self._asked_at, self._quoted_at))
        asks = min(asked_s, silent_s) <= ASKS_WITHIN_S
        return asks and min(quoted_s, silent_s) <= FEED_TOLD_WITHIN_S

    def _is_told(self, place: Place, opened_at: float) -> bool:
        """Say whether a person was told of this position, of its account or of the feed, since it is there."""
        account, instrument = place
        client = self.case.client_of(account)
        return any(
            told.at >= opened_at
            and told.client_id in (client, None)
            and (instrument in told.text or account in told.text or told.code in ("FEED_STALE", "DATABASE_AWAY"))
            for told in self.case.told
        )

    def _bare(self, place: Place, opened_at: float) -> None:
        since = self._bare_since.setdefault(place, self.case.now())
        self.case.look("I5 unprotected")
        if self.case.now() - since > BARE_FOR_S and (place, opened_at) not in self._told_of:
            self._told_of.add((place, opened_at))
            price = from_scaled(self.case.house.venue.market.quote(self.case.instruments[place[1]].token).ltp)
            words = (
                f"{place[0]} {place[1]}: {self.case.own[place][0]} of ours at {price} have no stop, no exit, no alarm"
            )
            self.case.found("I5", words)
