"""What one user holds: cash, positions by fills, holdings. All money is scaled integers, so every sum is exact.

Realised P&L is first in, first out; on a flat position it is sell value minus buy value by any method.
"""

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from trading.domain.instruments import Instrument
from trading.domain.orders import Side
from trading.exchange.venue.orders import Order, Trade

PositionKey = tuple[int, str]
"""(instrument token, product)."""

Lot = tuple[int, int]
"""(signed units, scaled price)."""


@dataclass(slots=True)
class Position:
    """One net position. `overnight_quantity` is signed, `overnight_value` its cost; buys and sells are today's."""

    instrument: Instrument
    product: str
    overnight_quantity: int = 0
    overnight_value: int = 0
    buy_quantity: int = 0
    buy_value: int = 0
    sell_quantity: int = 0
    sell_value: int = 0
    realised: int = 0
    open_value: int = 0
    """What the open units cost, positive for a long and for a short: the sum over `lots`."""
    lots: deque[Lot] = field(default_factory=deque)
    carried: tuple[Lot, ...] = ()
    """The lots with which the day began."""

    @property
    def net_quantity(self) -> int:
        """Signed units held now."""
        return self.overnight_quantity + self.buy_quantity - self.sell_quantity

    def carry(self, lots: Iterable[Lot]) -> None:
        """Begin the day with lots of yesterday, at their cost."""
        self.carried = tuple(lots)
        self.lots = deque(self.carried)
        self.overnight_quantity = sum(quantity for quantity, _ in self.lots)
        self.overnight_value = sum(quantity * price for quantity, price in self.lots)
        self.open_value = abs(self.overnight_value)

    def apply(self, side: Side, quantity: int, price: int) -> None:
        """Book one fill: close the oldest lots first, then open with the rest."""
        if side is Side.BUY:
            self.buy_quantity += quantity
            self.buy_value += quantity * price
        else:
            self.sell_quantity += quantity
            self.sell_value += quantity * price
        left = self._close(side, quantity, price)
        if left:
            self.lots.append((side.sign * left, price))
            self.open_value += left * price

    def _close(self, side: Side, quantity: int, price: int) -> int:
        """Close lots of the other direction and give what is left of the fill."""
        left = quantity
        while left and self.lots and self.lots[0][0] * side.sign < 0:
            lot, cost = self.lots.popleft()
            closed = min(left, abs(lot))
            self.realised -= side.sign * closed * (price - cost)
            self.open_value -= closed * cost
            if closed < abs(lot):
                self.lots.appendleft((lot + side.sign * closed, cost))
            left -= closed
        return left

    def pnl(self, ltp: int) -> int:
        """Total P&L at a price, overnight units at their own cost."""
        return self.sell_value - self.buy_value - self.overnight_value + self.net_quantity * ltp


@dataclass(slots=True)
class Holding:
    """Delivered shares. `average_price` is scaled."""

    instrument: Instrument
    quantity: int
    average_price: int


@dataclass(slots=True)
class Account:
    """One user's books of the day. `cash` is the opening balance in scaled rupees; orders are in order of arrival."""

    user_id: str
    cash: int
    positions: dict[PositionKey, Position] = field(default_factory=dict)
    holdings: dict[int, Holding] = field(default_factory=dict)
    orders: dict[str, Order] = field(default_factory=dict)
    live: dict[str, Order] = field(default_factory=dict)
    """Those of `orders` that are not final."""
    trades: list[Trade] = field(default_factory=list)
    blocked: Counter[str] = field(default_factory=Counter)
    """What the orders in the book block, by product (see `margin`)."""
    closing: Counter[tuple[int, str, Side]] = field(default_factory=Counter)
    """Units of orders in the book that close a position, by token, product and side."""

    @property
    def realised(self) -> int:
        """Today's realised P&L over all positions."""
        return sum(position.realised for position in self.positions.values())

    def net_quantity(self, token: int, product: str) -> int:
        """Signed units held now."""
        found = self.positions.get((token, product))
        return found.net_quantity if found else 0

    def position(self, instrument: Instrument, product: str) -> Position:
        """Give the position of an instrument and product, flat if there was none."""
        key = (instrument.token, product)
        found = self.positions.get(key)
        if found is None:
            found = self.positions[key] = Position(instrument, product)
        return found

    def book(self, trade: Trade, instrument: Instrument) -> None:
        """Take one fill into the books."""
        self.trades.append(trade)
        self.position(instrument, trade.product).apply(trade.side, trade.quantity, trade.price)

    def deliverable(self, token: int) -> int:
        """Give the shares a delivery sell may still sell: holdings and CNC net of today, less CNC sells in the book."""
        held = self.holdings.get(token)
        quantity = (held.quantity if held else 0) + self.net_quantity(token, "CNC")
        for order in self.live.values():
            is_sell = order.product == "CNC" and order.side is Side.SELL and order.is_in_book
            if is_sell and order.instrument.token == token:
                quantity -= order.remaining
        return quantity

    def settle(self) -> None:
        """End the day: delivery becomes holdings and cash, realised P&L becomes cash, the rest is carried overnight."""
        carried: dict[PositionKey, Position] = {}
        for key, position in self.positions.items():
            if position.product == "CNC":
                self._deliver(position)
                continue
            self.cash += position.realised
            if position.net_quantity:
                carried[key] = Position(position.instrument, position.product)
                carried[key].carry(position.lots)
        self.positions = carried
        self.orders, self.live, self.trades = {}, {}, []
        self.blocked.clear()
        self.closing.clear()

    def _deliver(self, position: Position) -> None:
        self.cash += position.sell_value - position.buy_value
        token, net = position.instrument.token, position.net_quantity
        held = self.holdings.get(token) or Holding(position.instrument, 0, 0)
        quantity = held.quantity + net
        if net > 0:
            held.average_price = (held.quantity * held.average_price + position.open_value) // quantity
        held.quantity = quantity
        self.holdings[token] = held
        if quantity <= 0:
            del self.holdings[token]
