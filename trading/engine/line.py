"""The orders of one account and instrument: at most one entry and one exit alive, never more out than is open.

A line is told what is wanted (an entry; or "keep so many units") and does the next right thing each time
something changed.
"""

from trading.domain.orders import IntentState, Purpose
from trading.engine.account_orders import AccountOrders
from trading.engine.auction_exits import AuctionExits
from trading.engine.entering import EntryPursuit
from trading.engine.exiting import ExitPursuit
from trading.engine.line_orders import InstrumentOf, LineOrders, OrderWire
from trading.engine.orders import Working
from trading.engine.resting_stop import RestingStop
from trading.engine.tools import Tools
from trading.engine.wishes import EntryWish, ExitWish, LineOwner, NobodysLine
from trading.ports import AccountRef


class PositionLine:
    """See the module. All methods are synchronous and run on the event loop."""

    def __init__(
        self,
        tools: Tools,
        ref: AccountRef,
        instrument: str,
        orders: AccountOrders,
        wire: OrderWire,
        instrument_of: InstrumentOf,
        auction: AuctionExits,
    ) -> None:
        self.instrument = instrument
        self.ref = ref
        self.owner: LineOwner = NobodysLine()
        self.is_held = False
        """True until the broker told after a start what became of earlier orders: nothing is decided before."""
        self._tools = tools
        self._orders = LineOrders(tools, ref, instrument, orders, wire, instrument_of, auction)
        self._stop = RestingStop(tools, self._orders, lambda: self.owner, self.advance)
        self._exit = ExitPursuit(tools, self._orders, self.advance, self._stop.give_way)
        self._entry = EntryPursuit(tools, self._orders, lambda filled: self.owner.entry_finished(filled))
        self._is_advancing = False
        self._looks_again = False

    # -- what is there -----------------------------------------------------------------------------------------

    @property
    def position(self) -> int:
        """The number of the day's latest position here, from 1; 0 before the first."""
        return self._orders.position

    @position.setter
    def position(self, number: int) -> None:
        self._orders.position = number

    @property
    def lot(self) -> int:
        """The strategy's signed units."""
        return self._orders.lot

    @property
    def net(self) -> int:
        """The account's signed units, whoever opened them."""
        return self._orders.net

    @property
    def wish(self) -> ExitWish | None:
        """What is to go, None while nothing is."""
        return self._exit.wish

    @property
    def entry_wish(self) -> EntryWish | None:
        """What is to be opened and was not sent whole yet."""
        return self._entry.wish

    @property
    def live_entries(self) -> list[Working]:
        """Entries that may still fill."""
        return self._orders.entries

    @property
    def live_exits(self) -> list[Working]:
        """Exits that may still fill."""
        return self._orders.exits

    @property
    def is_quiet(self) -> bool:
        """True while nothing is wanted and nothing may fill, but for a stop that rests at the exchange."""
        return not (self._orders.alive or self.wish or self.entry_wish)

    @property
    def is_flat(self) -> bool:
        """True while nothing is open, wanted or alive."""
        return self.is_quiet and self.net == 0 and self._stop.stop is None

    # -- what is wanted ----------------------------------------------------------------------------------------

    def want_entry(self, wish: EntryWish) -> None:
        """Open a new position at the next `advance`. Counts it at once, so that its number is never used again."""
        self._entry.want(wish)

    def want_exit(self, wish: ExitWish) -> None:
        """Want this from the next `advance` on, unless something stronger is wanted already."""
        self._exit.want(wish)

    def adopt(self, working: Working) -> None:
        """Count a known order among the live ones: after a restart, or when it turned up late."""
        self.position = max(self.position, working.intent.key.position)
        if working.is_late:
            self._late(working)
        elif working.may_fill:
            if working.purpose is Purpose.DISASTER_STOP:
                self._stop.stop = working
            elif working not in self._orders.alive:
                self._orders.alive.append(working)
            if working.state not in (IntentState.NEW, IntentState.SENDING, IntentState.IN_DOUBT):
                self.acknowledged(working)  # also one that was in doubt: nobody else cancels or times it

    def _late(self, working: Working) -> None:
        """Nobody counts on it any more: cancel what may fill still, and judge what it filled when it is final."""
        if working not in self._orders.alive:
            self._orders.alive.append(working)
        if working.may_fill:
            self._orders.cancel(working)

    def cancel_entries(self) -> None:
        """Cancel or withdraw every entry that may still fill."""
        self._entry.drop()
        for working in self.live_entries:
            self._orders.cancel(working)

    def try_again(self) -> None:
        """Begin the tries anew: what hindered them (a dead session) is gone."""
        self._exit.begin_anew()
        self.advance()

    # -- what happens ------------------------------------------------------------------------------------------

    def acknowledged(self, working: Working) -> None:
        """The broker has the order: start its timer, or cancel it where nobody wants it any more."""
        if working.is_withdrawn:
            self._orders.cancel(working)
            return
        if working.purpose is Purpose.DISASTER_STOP:
            return  # it is to rest
        if working.purpose.is_exit:
            self._exit.acknowledged(working)
        else:
            ends = self._entry.ends_at
            self._tools.timers.set(("order", working.tag), ends, lambda: self._orders.cancel(working))

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
        for working in [one for one in self._orders.alive if not one.may_fill]:
            self._orders.alive.remove(working)
            self._tools.timers.cancel(("order", working.tag))
            self._finished(working)
        self._stop.settle()
        turned = self._orders.newly_turned()
        if not self._correct() and turned:
            self._tell_turned(turned)
        self._exit.trim()
        if self.wish is not None:
            self._entry.drop()
        self._exit.pursue()
        if self.wish is None and not self._orders.alive:
            self._stop.pursue()
            if self._stop.stop is None:
                self._entry.pursue()
        self.owner.line_changed()

    def _finished(self, working: Working) -> None:
        if working.is_late:
            self._too_much(working)
        elif working.purpose.is_exit:
            self._exit.finished(working)
        else:
            self._entry.finished(working)

    def _too_much(self, working: Working) -> None:
        """Close what a late order opened. Where a ladder decides, `_correct` knows better what is to be open."""
        side, lot = working.intent.side, self.lot
        if self.owner.expected_open() is not None or lot * side.sign <= 0 or not working.filled:
            return
        over = min(working.filled, abs(lot))
        text = f"an order of {self.instrument} that came late left {side.sign * over:+d} open: they are closed"
        self._orders.alarm("STRAY_POSITION", text, working.tag)
        self.want_exit(ExitWish(Purpose.MANUAL_EXIT, abs(lot) - over, {"rule": "late order", "text": text}))

    def _tell_turned(self, exits: list[Working]) -> None:
        """Somebody else closed the position while an exit was on its way: what it did too much is closed."""
        text = f"{self.lot:+d} {self.instrument} are open: the exit met a position that was closed already"
        self._orders.alarm("STRAY_POSITION", text, exits[-1].tag)
        if self.wish is None and self.owner.expected_open() is None:
            self.want_exit(ExitWish(Purpose.MANUAL_EXIT, 0, {"rule": "turned", "text": text}))

    def _correct(self) -> bool:
        """With nothing alive or wanted, what is open must be what the ladder thinks; else say so and put it right.

        Give whether something was said.
        """
        expected = self.owner.expected_open()
        if not self.is_quiet or self._stop.is_triggered or expected is None or self.lot == expected:
            return False
        lot = self.lot
        if lot * expected >= 0 and abs(lot) < abs(expected):
            self.owner.shrunk(abs(lot))
            return False
        text = f"{lot:+d} {self.instrument} were open where {expected:+d} were expected: the difference is closed"
        self._orders.alarm("STRAY_POSITION", text)
        keep = abs(expected) if lot * expected > 0 else 0
        self.want_exit(ExitWish(Purpose.MANUAL_EXIT, keep, {"rule": "stray", "text": text}))
        return True
