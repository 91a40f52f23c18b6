"""One instrument's book, shared by all accounts: the street's synthetic levels and the accounts' orders among them.

Pure but for what it remembers: what is missing of the street's levels (`depletion`), and how many street units
passed at each price since accounts wait there, from which every waiting order's place follows.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from trading.domain.orders import Side
from trading.exchange.market.quotes import Level, Quote
from trading.exchange.venue.depletion import Depletion
from trading.exchange.venue.orders import Order
from trading.exchange.venue.queueing import Key

Line = Sequence[tuple[Key, Order]]
"""The accounts' orders of one side, the best first (`Queues.of`)."""


class Offer(NamedTuple):
    """Units that can be taken at a price: of an account's order, or of the street (None)."""

    price: int
    units: int
    order: Order | None


@dataclass(frozen=True, slots=True)
class Plan:
    """What an order takes, in this sequence. `meets_itself`: next would be an order of the same account."""

    deals: tuple[Offer, ...]
    meets_itself: bool

    @property
    def units(self) -> int:
        """Units over all deals."""
        return sum(deal.units for deal in self.deals)


class SharedBook:
    """The book behind the present quote of one instrument. Call `follow` with every new one."""

    def __init__(self, quote: Quote) -> None:
        self.quote = quote
        self.depletion = Depletion()
        self.passed: dict[tuple[Side, int], int] = {}
        """Street units that were taken or traded at a price since accounts wait there, by side and price."""
        self._ladders: dict[Side, _Ladder] = {}
        self._traded = 0

    def follow(self, quote: Quote) -> None:
        """Go on to another quote."""
        if quote is self.quote:
            return
        self._traded += max(0, quote.volume - self.quote.volume)
        self.quote = quote
        self._ladders.clear()
        if self.depletion:
            self.depletion.forget_healed(quote.serial)

    def traded(self) -> int:
        """Give the units that changed hands with the quotes since this was last asked."""
        traded, self._traded = self._traded, 0
        return traded

    def street(self, side: Side) -> Iterator[Level]:
        """Yield what the street's orders of one side still have, from the touch outwards."""
        ladder, at = self._ladder(side), 0
        while (level := ladder.level(at)) is not None:
            at += 1
            missing = self.depletion.at(side, level.price, self.quote.serial) if self.depletion else 0
            if missing < level.quantity:
                yield level._replace(quantity=level.quantity - missing) if missing else level

    def street_at(self, side: Side, price: int) -> int:
        """Give what the street's orders of one side still have at a price."""
        level = self._ladder(side).find(side, price)
        return max(0, level.quantity - self.depletion.at(side, price, self.quote.serial)) if level else 0

    def best(self, side: Side, line: Line) -> int | None:
        """Give the best price of one side, of street or accounts; None when nobody is there."""
        return _best(side, next(self.street(side), None), line[0][1] if line else None)

    def mark(self, side: Side, price: int) -> int:
        """Give the place of an order that joins now: the street's units before it, counted on from `passed`."""
        return self.passed.get((side, price), 0) + self.street_at(side, price)

    def ahead(self, order: Order) -> int:
        """Give the street's units that stand before a waiting order at its price."""
        return max(0, (order.mark or 0) - self.passed.get((order.side, order.terms.price), 0))

    def pass_by(self, side: Side, price: int, units: int) -> None:
        """Note that street units at a price are gone: the orders behind them move up."""
        self.passed[side, price] = self.passed.get((side, price), 0) + units

    def forget_passed(self, is_waiting: Callable[[Side, int], bool]) -> bool:
        """Drop the prices at which no account waits any more; True when there were some."""
        left = [key for key in self.passed if not is_waiting(*key)]
        for key in left:
            del self.passed[key]
        return bool(left)

    def plan(self, order: Order, wanted: int, against: Line, allowed: Callable[[Order], int]) -> Plan:
        """Say what an order takes of the other side, by price-time priority, up to its limit.

        `against` are the accounts' orders of the other side, `allowed` says how many units of one may trade now.
        """
        deals: list[Offer] = []
        for offer in self._offers(order.side, order.terms.price, against):
            if not wanted:
                break
            if offer.order is None:
                units = min(wanted, offer.units)
            elif offer.order.user_id == order.user_id:
                return Plan(tuple(deals), meets_itself=True)
            else:
                units = min(wanted, allowed(offer.order))
            if units:
                deals.append(offer._replace(units=units))
                wanted -= units
        return Plan(tuple(deals), meets_itself=False)

    def _offers(self, taker: Side, limit: int, against: Line) -> Iterator[Offer]:
        """Merge street and accounts: at one price each order comes after the street's units that stand before it."""
        side, at = taker.opposite, 0
        street = self.street(side)
        level = next(street, None)
        while True:
            order = against[at][1] if at < len(against) else None
            price = _best(side, level, order)
            if price is None or (price - limit) * taker.sign > 0:
                return
            there = passed = 0
            if level is not None and level.price == price:
                there, level = level.quantity, next(street, None)
            while order is not None and order.terms.price == price:
                before = min(self.ahead(order), there) - passed
                if before > 0:
                    yield Offer(price, before, None)
                    passed += before
                yield Offer(price, order.remaining, order)
                at += 1
                order = against[at][1] if at < len(against) else None
            if there > passed:
                yield Offer(price, there - passed, None)

    def _ladder(self, side: Side) -> "_Ladder":
        ladder = self._ladders.get(side)
        if ladder is None:
            ladder = self._ladders[side] = _Ladder(self.quote.levels(side))
        return ladder

    def pack(self) -> list[Any]:
        """Give JSON-able data of what cannot be found again in quotes and orders."""
        return [self.depletion.pack(), [[side, price, units] for (side, price), units in self.passed.items()]]

    def unpack(self, kept: list[Any]) -> None:
        """Take back what `pack` gave."""
        missing, passed = kept
        self.depletion.unpack(missing)
        self.passed = {(Side(side), price): units for side, price, units in passed}


def _best(side: Side, level: Level | None, order: Order | None) -> int | None:
    """Give the better price of the two, None when there is neither."""
    if level is None or order is None:
        return level.price if level is not None else order.terms.price if order is not None else None
    return max(level.price, order.terms.price) if side is Side.BUY else min(level.price, order.terms.price)


class _Ladder:
    """The street's levels of one side under one quote, made as far as somebody looked."""

    def __init__(self, source: Iterator[Level]) -> None:
        self._source = source
        self._levels: list[Level] = []

    def level(self, at: int) -> Level | None:
        """Give a level by its place from the touch."""
        while len(self._levels) <= at:
            level = next(self._source, None)
            if level is None:
                return None
            self._levels.append(level)
        return self._levels[at]

    def find(self, side: Side, price: int) -> Level | None:
        """Give the level at a price."""
        at = 0
        while (level := self.level(at)) is not None and (level.price - price) * side.sign > 0:
            at += 1
        return level if level is not None and level.price == price else None
