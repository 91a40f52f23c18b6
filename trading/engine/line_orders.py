"""The orders of one line that may still fill, and how the next one leaves. It decides nothing."""

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

from trading.domain.instruments import Instrument, InstrumentClass, presumed_class
from trading.domain.orders import IntentState, OrderChange, OrderIntent, Purpose, PurposeKey, Side
from trading.domain.slicing import most_units
from trading.engine.account_orders import AccountOrders
from trading.engine.auction_exits import AuctionExits
from trading.engine.orders import Working
from trading.engine.tools import Tools
from trading.ports import AccountRef

ROUNDS_APART = 100
"""A target's round is its k; each further attempt of it is that much higher."""


InstrumentOf = Callable[[str], Instrument | None]
"""Gives what is known of an instrument; None for a stranger."""


class OrderWire(Protocol):
    """Takes orders, changes and cancels of one account to its gateway."""

    def submit(self, working: Working) -> None: ...
    def cancel(self, working: Working) -> None: ...
    def reprice(self, working: Working, step: int) -> None: ...
    def change(self, working: Working, change: OrderChange) -> None: ...


class LineOrders:
    """One account and instrument. `position` counts the day's positions from 1; `alive` may fill."""

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
        self.ref = ref
        self.instrument = instrument
        self.position = 0
        self.alive: list[Working] = []
        self._tools = tools
        self._orders = orders
        self._wire = wire
        self._instrument_of = instrument_of
        self._auction = auction
        self._turned: set[str] = set()

    @property
    def lot(self) -> int:
        """The strategy's signed units."""
        return self._orders.lot(self.instrument)

    @property
    def net(self) -> int:
        """The account's signed units, whoever opened them."""
        return self._orders.net(self.instrument)

    @property
    def tick_size(self) -> Decimal | None:
        """The price step in rupees, None for a stranger."""
        instrument = self._instrument_of(self.instrument)
        return instrument.tick_size if instrument else None

    @property
    def instrument_class(self) -> InstrumentClass:
        """Which session rows apply."""
        instrument = self._instrument_of(self.instrument)
        return instrument.instrument_class if instrument else presumed_class(self.instrument)

    @property
    def entries(self) -> list[Working]:
        """Entries that may still fill."""
        return [working for working in self.alive if not working.purpose.is_exit]

    @property
    def exits(self) -> list[Working]:
        """Exits that may still fill."""
        return [working for working in self.alive if working.purpose.is_exit]

    @property
    def blockers(self) -> list[Working]:
        """What an exit waits for: all that is alive but entries in doubt, which cannot be cancelled.

        What such an entry fills after all is more than the wish wants to keep, and goes then.
        """
        return [one for one in self.alive if one.purpose.is_exit or one.state is not IntentState.IN_DOUBT]

    def remaining(self, working: Working) -> int:
        """Give the units that an order may still fill."""
        return self._orders.remaining(working)

    def entered(self, position: int) -> int:
        """Give the units that the entry of a position filled, all its slices together, but for what came late."""
        ours = (one for one in self._orders.of(self.instrument) if not one.purpose.is_exit and not one.is_late)
        return sum(one.filled for one in ours if one.intent.key.position == position)

    def newly_turned(self) -> list[Working]:
        """Give the exits of the present position that turned it around, each once: our units are open their way."""
        lot, position = self.lot, max(1, self.position)
        found = [
            one
            for one in self._orders.of(self.instrument)
            if one.purpose.is_exit
            and one.filled
            and one.intent.key.position == position
            and one.intent.side.sign * lot > 0
            and one.tag not in self._turned
        ]
        self._turned.update(one.tag for one in found)
        return found

    def at_most(self, quantity: int) -> int:
        """Give so many units, or the most that one order may have."""
        most = most_units(self.instrument, self._instrument_of(self.instrument), self._tools.day)
        return quantity if most is None else min(quantity, most)

    @property
    def opens_at(self) -> datetime | None:
        """When the exchange takes orders again, while it makes an auction's reference price; None: they are taken."""
        return self._auction.opens_at(self.instrument)

    @property
    def is_in_auction(self) -> bool:
        """True while the closing auction takes orders: nothing fills before its match."""
        return self._auction.is_on(self.instrument)

    def auction_limit(self, side: Side, attempt: int) -> Decimal | None:
        """Give the limit of an exit in the closing auction, None outside of it."""
        return self._auction.limit(self.instrument, side, attempt)

    def key(self, purpose: Purpose, position: int, round_: int, slice_: int = 0) -> PurposeKey:
        """Name an order of this line."""
        return PurposeKey(self._tools.day, self.ref.key, self.instrument, position, purpose, round_, slice_)

    def free_key(self, purpose: Purpose, round_: int, slice_: int = 0) -> PurposeKey:
        """Give the first round of this purpose, position and slice, from `round_` on, that was never used."""
        position, attempt = max(1, self.position), 0
        while True:
            key = self.key(purpose, position, round_ + attempt * ROUNDS_APART, slice_)
            if key.tag() not in self._orders.by_tag:
                return key
            attempt += 1

    def next_slice(self, purpose: Purpose) -> PurposeKey:
        """Give the first slice of this purpose and position that was never used: it is no further try of the others."""
        position, number = max(1, self.position), 0
        while (key := self.key(purpose, position, 0, number)).tag() in self._orders.by_tag:
            number += 1
        return key

    def send(self, intent: OrderIntent, reason: Mapping[str, Any], *, whole: int) -> None:
        """Have a new order committed and sent. `whole` is what it is a slice of, or itself."""
        self.alive.append(self.submit(intent, reason, whole=whole))

    def submit(self, intent: OrderIntent, reason: Mapping[str, Any], *, whole: int) -> Working:
        """Have an order committed and sent that does not count among the alive ones: a stop that is to rest."""
        working = Working(intent, self._tools.now(), reason, whole_quantity=whole)
        self._orders.add(working)
        self._wire.submit(working)
        return working

    def cancel(self, working: Working) -> None:
        """Want an order no more: it is not sent, or cancelled as soon as the broker has it."""
        working.is_withdrawn = True
        if working.order_id and not working.is_cancel_asked:
            working.is_cancel_asked = True
            self._wire.cancel(working)

    def reprice(self, working: Working, step: int) -> None:
        """Have an exit that rests go further through the market; `step` counts from 0."""
        self._wire.reprice(working, step)

    def change(self, working: Working, change: OrderChange) -> None:
        """Have an order that rests changed."""
        self._wire.change(working, change)

    def alarm(self, code: str, text: str, tag: str = "") -> None:
        """Call a person because of this line."""
        self._tools.alarm(self.ref.client_id, code, text, account=self.ref.key, tag=tag)
