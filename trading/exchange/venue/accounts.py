"""What one user holds: cash, positions, holdings. All money is scaled integers, so every sum is exact."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from trading.domain.instruments import Instrument
from trading.domain.orders import Side
from trading.exchange.venue.orders import Order, Trade
from trading.exchange.venue.positions import Conversion, Position, PositionKey

FinalPrice = Callable[[Instrument], int | None]
"""Gives what a contract that has expired is settled at (scaled), None for what still trades."""


@dataclass(slots=True)
class Holding:
    """Delivered shares. `quantity` is in the demat account, `t1_quantity` was bought yesterday; the price is scaled."""

    instrument: Instrument
    quantity: int
    average_price: int
    t1_quantity: int = 0

    @property
    def total(self) -> int:
        """Units held, settled or not: all of them can be sold."""
        return self.quantity + self.t1_quantity


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
    conversions: list[Conversion] = field(default_factory=list)
    """Today's, in their order."""
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
        quantity = (held.total if held else 0) + self.net_quantity(token, "CNC")
        for order in self.live.values():
            is_sell = order.product == "CNC" and order.side is Side.SELL and order.is_in_book
            if is_sell and order.instrument.token == token:
                quantity -= order.remaining
        return quantity

    def sold_from_holding(self, token: int) -> int:
        """Give the units sold today from what was held when the day began."""
        return max(0, -self.net_quantity(token, "CNC"))

    def settle(self, final_price: FinalPrice) -> None:
        """End the day: delivery becomes holdings and cash, realised P&L becomes cash, the rest is carried overnight.

        What expired is settled in cash, at its final price, and gone.

        What was bought yesterday reaches the demat account, what was bought today will a day later (T+1).
        """
        carried: dict[PositionKey, Position] = {}
        for held in self.holdings.values():
            held.quantity, held.t1_quantity = held.total, 0
        for key, position in self.positions.items():
            if position.product == "CNC":
                self._deliver(position)
                continue
            price = final_price(position.instrument)
            if price is not None:
                self.cash += position.pnl(price)
                continue
            self.cash += position.realised
            if position.net_quantity:
                carried[key] = Position(position.instrument, position.product)
                carried[key].carry(position.lots)
        self.positions = carried
        self.orders, self.live, self.trades, self.conversions = {}, {}, [], []
        self.blocked.clear()
        self.closing.clear()

    def _deliver(self, position: Position) -> None:
        self.cash += position.sell_value - position.buy_value - position.overnight_value
        token, net = position.instrument.token, position.net_quantity
        held = self.holdings.get(token) or Holding(position.instrument, 0, 0)
        if net > 0:
            held.average_price = (held.quantity * held.average_price + position.open_value) // (held.quantity + net)
            held.t1_quantity = net
        else:
            held.quantity += net
        self.holdings[token] = held
        if held.total <= 0:
            del self.holdings[token]
