"""A second matching engine, as plain as can be: it says what each account should get, unit chunk by unit chunk.

It shares no code with the venue's: what is missing heals eagerly at each quote, every order has its own count of
units before it, and every step looks at everything. It is told what came in and when (not what came out of it).
"""

from collections import Counter
from dataclasses import dataclass, field

from trading.domain.orders import Side
from trading.exchange.market.quotes import Quote
from trading.exchange.market.randomness import mix


@dataclass
class Waiting:
    """An order in the book. `ahead` is None while its limit is better than any price since it came."""

    order_id: str
    user: str
    side: Side
    price: int
    left: int
    age: tuple[int, str, str, int]
    is_ioc: bool = False
    ahead: int | None = None
    rests: bool = False

    @property
    def priority(self) -> tuple[int, tuple[int, str, str, int]]:
        return -self.side.sign * self.price, self.age


@dataclass
class Reference:
    """The book of one instrument. `fills` gathers (order id, price) -> units of one event."""

    quote: Quote
    orders: dict[str, Waiting] = field(default_factory=dict)
    missing: Counter[tuple[Side, int]] = field(default_factory=Counter)
    fills: Counter[tuple[str, int]] = field(default_factory=Counter)
    cancelled: set[str] = field(default_factory=set)

    def take_fills(self) -> Counter[tuple[str, int]]:
        fills, self.fills = self.fills, Counter()
        return fills

    # -- the street ----------------------------------------------------------------------------------

    def street(self, side: Side) -> dict[int, int]:
        """What the street has left, by price."""
        left = {level.price: level.quantity - self.missing[side, level.price] for level in self.quote.levels(side)}
        return {price: units for price, units in left.items() if units > 0}

    def heal(self, serial: int) -> None:
        for passed in range(self.quote.serial + 1, serial + 1):
            for key, units in list(self.missing.items()):
                if units > 0:
                    percent = 20 + mix(passed * 1_000_003 ^ key[1]) % 41
                    self.missing[key] = max(0, units - units * percent // 100 - 1)

    # -- events --------------------------------------------------------------------------------------

    def remove(self, order_id: str) -> None:
        self.orders.pop(order_id, None)

    def come_in(self, order: Waiting) -> None:
        """Let an order take what there is, and rest."""
        self.orders[order.order_id] = order
        self.take(order)
        if order.order_id not in self.orders:
            return
        if order.is_ioc:
            self.remove(order.order_id)
            return
        order.rests = True
        is_beyond = (order.price - self.quote.ltp) * order.side.sign > 0
        order.ahead = None if is_beyond else self.street(order.side).get(order.price, 0)

    def tick(self, quote: Quote) -> None:
        """Go on to another quote and fill what it reaches; stops are the caller's."""
        self.heal(quote.serial)
        volume = quote.volume - self.quote.volume
        self.quote = quote
        for side in Side:
            hits = quote.is_bought == (side is Side.SELL)
            left = volume if hits else 0
            for order in sorted(
                (one for one in self.orders.values() if one.side is side), key=lambda one: one.priority
            ):
                beyond = (order.price - quote.ltp) * side.sign
                if beyond > 0 and order.ahead is not None:
                    self.fill(order, order.left, order.price)
                elif beyond >= 0:
                    if beyond == 0:
                        left -= self.move_up(side, order.price, min(left, order.ahead or 0))
                    left -= self.fill(order, min(left, order.left), order.price)
                if order.order_id in self.orders:
                    self.take(order)
                if order.ahead is None and beyond <= 0:
                    order.ahead = 0

    # -- filling -------------------------------------------------------------------------------------

    def take(self, order: Waiting) -> None:
        """Take the first units of the other side, again and again, until there are none within the limit."""
        while order.left:
            chunk = self.first(order)
            if chunk is None:
                return
            price, units, other = chunk
            units = min(units, order.left)
            if other is None:
                side = order.side.opposite
                self.missing[side, price] += units
                self.move_up(side, price, units)
                self.fill(order, units, order.price if order.rests else price)
            elif other.user == order.user:
                self.remove(order.order_id)
                self.cancelled.add(order.order_id)
                return
            else:
                self.fill(order, units, price)
                self.fill(other, units, price)

    def first(self, order: Waiting) -> tuple[int, int, Waiting | None] | None:
        """Give the first chunk that an order would meet: price, units, whose."""
        side = order.side.opposite
        street = self.street(side)
        others = sorted((one for one in self.orders.values() if one.side is side), key=lambda one: one.priority)
        prices = {*street, *(one.price for one in others)}
        within = [price for price in prices if (price - order.price) * order.side.sign <= 0]
        if not within:
            return None
        price = min(within) if order.side is Side.BUY else max(within)
        there = street.get(price, 0)
        for other in others:
            if other.price == price:
                before = min(other.ahead or 0, there)
                return (price, before, None) if before else (price, other.left, other)
        return price, there, None

    def move_up(self, side: Side, price: int, units: int) -> int:
        """Let street units at a price be gone for all who wait behind them."""
        for one in self.orders.values():
            if one.side is side and one.price == price and one.ahead is not None:
                one.ahead = max(0, one.ahead - units)
        return units

    def fill(self, order: Waiting, units: int, price: int) -> int:
        if units:
            self.fills[order.order_id, price] += units
            order.left -= units
            if not order.left:
                self.remove(order.order_id)
        return units
