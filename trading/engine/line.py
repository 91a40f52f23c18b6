"""The orders of one account and instrument: at most one entry and one exit alive, never more out than is open.

A line is told what is wanted (an entry; or "keep so many units") and does the next right thing each time
something changed. Because a wish says what is to stay and not what to sell, a partly filled, refused or
cancelled exit is simply wanted again for what is left.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Protocol

from trading.domain.orders import IntentState, OrderIntent, Purpose, PurposeKey, Side
from trading.engine.account_orders import AccountOrders
from trading.engine.orders import Working
from trading.engine.tools import Tools
from trading.ports import AccountRef

ENTRY_WAITS = timedelta(seconds=5)
"""Market time from the ack after which the unfilled rest of an entry is cancelled."""
REPRICE_AFTER = tuple(timedelta(seconds=s) for s in (2, 4, 8))
MOST_ROUNDS = 5
"""Orders a purpose may send one after the other before a person is called."""
SLOWLY_AGAIN = timedelta(minutes=2)
"""Market time between tries after that: what hinders an exit may pass, and nobody else would close it."""
PROTECTIONS = tuple(Decimal(p) for p in (-1, 2, 3, 5))
"""Market protection in percent by attempt; -1 is the broker's own band."""
ROUNDS_APART = 100
"""A target's round is its k; each further attempt of it is that much higher."""

RANK = {
    Purpose.TARGET: 0,
    Purpose.STOP: 1,
    Purpose.MANUAL_EXIT: 2,
    Purpose.SQUARE_OFF: 3,
    Purpose.LIMIT_REACHED: 4,
    Purpose.KILL: 5,
}


@dataclass(frozen=True, slots=True)
class ExitWish:
    """Leave only `keep` units. `is_whole` counts what the client holds there by hand too; `round` is a target's k."""

    purpose: Purpose
    keep: int
    reason: Mapping[str, Any]
    is_whole: bool = False
    round: int = 0


@dataclass(frozen=True, slots=True)
class EntryWish:
    """Open `quantity` units on `side`."""

    side: Side
    quantity: int
    reason: Mapping[str, Any]


class OrderWire(Protocol):
    """Takes orders and cancels of one account to its gateway."""

    def submit(self, working: Working) -> None: ...
    def cancel(self, working: Working) -> None: ...


class LineOwner(Protocol):
    """Who decides about the line: the ladder, or nobody."""

    def expected_open(self) -> int | None:
        """Signed units that should be open now; None leaves what is there."""

    def entry_finished(self, filled: int) -> None: ...
    def shrunk(self, units: int) -> None:
        """Somebody else closed a part: only `units` are left."""

    def line_changed(self) -> None: ...


class NobodysLine:
    """A line without a ladder: what is there stays until somebody wants it closed."""

    def expected_open(self) -> int | None:
        """Leave what is there."""
        return None

    def entry_finished(self, filled: int) -> None:
        """Nobody waits for it."""

    def shrunk(self, units: int) -> None:
        """Nobody counts it."""

    def line_changed(self) -> None:
        """Nobody looks."""


class PositionLine:
    """See the module. All methods are synchronous and run on the event loop."""

    def __init__(self, tools: Tools, ref: AccountRef, instrument: str, orders: AccountOrders, wire: OrderWire) -> None:
        self.instrument = instrument
        self.ref = ref
        self.owner: LineOwner = NobodysLine()
        self.is_held = False
        """True until the broker told after a start what became of earlier orders: nothing is decided before."""
        self.position = 0
        self.wish: ExitWish | None = None
        self.entry_wish: EntryWish | None = None
        self._tools = tools
        self._orders = orders
        self._wire = wire
        self._alive: list[Working] = []
        self._attempts = 0
        self._not_before: datetime | None = None
        self._has_given_up = False
        self._is_advancing = False
        self._looks_again = False

    # -- what is there -----------------------------------------------------------------------------------------

    @property
    def lot(self) -> int:
        """The strategy's signed units."""
        return self._orders.lot(self.instrument)

    @property
    def net(self) -> int:
        """The account's signed units, whoever opened them."""
        return self._orders.net(self.instrument)

    @property
    def live_entries(self) -> list[Working]:
        """Entries that may still fill."""
        return [working for working in self._alive if not working.purpose.is_exit]

    @property
    def live_exits(self) -> list[Working]:
        """Exits that may still fill."""
        return [working for working in self._alive if working.purpose.is_exit]

    @property
    def is_quiet(self) -> bool:
        """True while nothing is wanted and nothing may fill."""
        return not (self._alive or self.wish or self.entry_wish)

    @property
    def is_flat(self) -> bool:
        """True while nothing is open, wanted or alive."""
        return self.is_quiet and self.net == 0

    # -- what is wanted ----------------------------------------------------------------------------------------

    def want_entry(self, wish: EntryWish) -> None:
        """Open a new position at the next `advance`. Counts it at once, so that its number is never used again."""
        self.position += 1
        self.entry_wish = wish

    def want_exit(self, wish: ExitWish) -> None:
        """Want this from the next `advance` on, unless something stronger is wanted already."""
        present = self.wish
        if present is not None and RANK[present.purpose] > RANK[wish.purpose]:
            return
        if present is not None and present.purpose is wish.purpose and wish.purpose is not Purpose.TARGET:
            return
        if present is None or (present.purpose, present.round) != (wish.purpose, wish.round):
            self._begin_anew()
        self.wish = wish

    def adopt(self, working: Working) -> None:
        """Count a known order among the live ones: after a restart, or when it turned up late."""
        self.position = max(self.position, working.intent.key.position)
        if working.may_fill and working not in self._alive:
            self._alive.append(working)
            if working.state not in (IntentState.NEW, IntentState.SENDING, IntentState.IN_DOUBT):
                self.acknowledged(working)

    def cancel_entries(self) -> None:
        """Cancel or withdraw every entry that may still fill."""
        self._drop_entry_wish()
        for working in self.live_entries:
            self._cancel(working)

    def _drop_entry_wish(self) -> None:
        if self.entry_wish is not None:
            self.entry_wish = None
            self.owner.entry_finished(0)

    def try_again(self) -> None:
        """Begin the tries anew: what hindered them (a dead session) is gone."""
        self._begin_anew()
        self.advance()

    def _begin_anew(self) -> None:
        self._attempts, self._not_before, self._has_given_up = 0, None, False

    # -- what happens ------------------------------------------------------------------------------------------

    def acknowledged(self, working: Working) -> None:
        """The broker has the order: start its timer, or cancel it where nobody wants it any more."""
        if working.is_withdrawn:
            self._cancel(working)
            return
        wait = self._patience() if working.purpose.is_exit else ENTRY_WAITS
        self._tools.timers.set(("order", working.tag), self._tools.now() + wait, lambda: self._overdue(working))

    def advance(self) -> None:
        """Look at everything again and do what is to be done next."""
        if self._is_advancing or self.is_held:
            self._looks_again = True
            return
        self._is_advancing, self._looks_again = True, True
        try:
            while self._looks_again:
                self._looks_again = False
                self._look()
        finally:
            self._is_advancing = False
        self._tools.changed.fire()

    def _look(self) -> None:
        for working in [one for one in self._alive if not one.may_fill]:
            self._alive.remove(working)
            self._tools.timers.cancel(("order", working.tag))
            self._finished(working)
        self._correct()
        self._pursue_exit()
        self._pursue_entry()
        self.owner.line_changed()

    def _pursue_entry(self) -> None:
        wish = self.entry_wish
        if wish is None or self._alive or self.wish is not None:
            return
        self.entry_wish = None
        key = self._key(Purpose.ENTRY, self.position, 0)
        self._send(OrderIntent(key, wish.side, wish.quantity, algo_id=self.ref.algo_id), wish.reason)

    def _pursue_exit(self) -> None:
        wish = self.wish
        if wish is None:
            return
        self._drop_entry_wish()
        if self._alive:
            self._clear_the_way(wish)
            return
        surplus = self._surplus(wish)
        if surplus <= 0:
            self.wish = None
            self._begin_anew()
        elif self._not_before is None or self._tools.now() >= self._not_before:
            self._send_exit(wish, surplus)

    def _clear_the_way(self, wish: ExitWish) -> None:
        """An entry, a late order or a weaker exit leaves before the wanted exit goes out."""
        for working in list(self._alive):
            weaker = working.purpose.is_exit and RANK[working.purpose] < RANK[wish.purpose]
            if not working.purpose.is_exit or working.is_late or weaker:
                self._cancel(working)

    def _send_exit(self, wish: ExitWish, quantity: int) -> None:
        if self._attempts >= MOST_ROUNDS and not self._has_given_up:
            self._give_up(wish, quantity)
            return
        protection = PROTECTIONS[min(self._attempts, len(PROTECTIONS) - 1)]
        self._attempts += 1
        side = Side.SELL if self._open(wish) > 0 else Side.BUY
        key = self._free_key(wish)
        intent = OrderIntent(key, side, quantity, protection_percent=protection, algo_id=self.ref.algo_id)
        self._send(intent, wish.reason)

    def _free_key(self, wish: ExitWish) -> PurposeKey:
        """Give the first round of this purpose and position that was never used."""
        position, attempt = max(1, self.position), 0
        while True:
            key = self._key(wish.purpose, position, wish.round + attempt * ROUNDS_APART)
            if key.tag() not in self._orders.by_tag:
                return key
            attempt += 1

    def _key(self, purpose: Purpose, position: int, round_: int) -> PurposeKey:
        return PurposeKey(self._tools.day, self.ref.key, self.instrument, position, purpose, round_)

    def _send(self, intent: OrderIntent, reason: Mapping[str, Any]) -> None:
        working = Working(intent, self._tools.now(), reason)
        self._orders.add(working)
        self._alive.append(working)
        self._wire.submit(working)

    def _cancel(self, working: Working) -> None:
        working.is_withdrawn = True
        if working.order_id and not working.is_cancel_asked:
            working.is_cancel_asked = True
            self._wire.cancel(working)

    def _finished(self, working: Working) -> None:
        if not working.purpose.is_exit:
            if not working.is_late:
                self.owner.entry_finished(working.filled)
            return
        if working.filled >= working.intent.quantity:
            self._begin_anew()
        elif self.wish is not None and not (
            # We wanted its end, or its absence took long enough to prove: what is left goes out at once.
            working.is_withdrawn or working.state is IntentState.ABSENT or self._surplus(self.wish) <= 0
        ):
            self._exit_failed(working)

    def _open(self, wish: ExitWish) -> int:
        return self.net if wish.is_whole else self.lot

    def _surplus(self, wish: ExitWish) -> int:
        """Units more than what the wish wants to keep."""
        return abs(self._open(wish)) - wish.keep

    def _exit_failed(self, working: Working) -> None:
        """An exit was refused or died: wait a little, try again, call a person when the tries are used up."""
        self._wait(SLOWLY_AGAIN if self._has_given_up else self._patience())
        words = (working.order.status_message if working.order else working.words) or working.state.value
        self._alarm("EXIT_FAILED", f"exit of {abs(self.lot)} {self.instrument} failed: {words}", working.tag)

    def _give_up(self, wish: ExitWish, quantity: int) -> None:
        self._has_given_up = True
        self._wait(SLOWLY_AGAIN)
        text = f"{quantity} {self.instrument} are still open after {MOST_ROUNDS} tries to exit ({wish.purpose})"
        self._alarm("EXIT_GIVEN_UP", f"{text}. Close them in the broker's app.", "")

    def _wait(self, how_long: timedelta) -> None:
        self._not_before = self._tools.now() + how_long
        self._tools.timers.set(("exit again", self.ref.key, self.instrument), self._not_before, self.advance)

    def _patience(self) -> timedelta:
        """Market time that the present attempt of an exit gets."""
        return REPRICE_AFTER[min(max(self._attempts, 1), len(REPRICE_AFTER)) - 1]

    def _overdue(self, working: Working) -> None:
        """An order rests too long: cancel an entry's rest, re-price an exit a few times, then call a person."""
        if not working.may_fill:
            return
        if not working.purpose.is_exit or self._attempts <= len(REPRICE_AFTER):
            self._cancel(working)
            return
        text = f"cannot exit {working.remaining} {self.instrument}: the order rests unfilled at the broker"
        self._alarm("EXIT_NOT_FILLED", text, working.tag)

    def _correct(self) -> None:
        """With nothing alive or wanted, what is open must be what the ladder thinks; else say so and put it right."""
        expected = self.owner.expected_open()
        if not self.is_quiet or expected is None or self.lot == expected:
            return
        lot = self.lot
        if lot * expected >= 0 and abs(lot) < abs(expected):
            self.owner.shrunk(abs(lot))
            return
        text = f"{lot:+d} {self.instrument} were open where {expected:+d} were expected: the difference is closed"
        self._alarm("STRAY_POSITION", text, "")
        keep = abs(expected) if lot * expected > 0 else 0
        self.want_exit(ExitWish(Purpose.MANUAL_EXIT, keep, {"rule": "stray", "text": text}))

    def _alarm(self, code: str, text: str, tag: str) -> None:
        self._tools.alarm(self.ref.client_id, code, text, account=self.ref.key, tag=tag)
