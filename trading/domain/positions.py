"""Fills to positions and P&L, exact to the last digit.

Average cost is not always a finite decimal (100 rupees for 3 units), so the cost of what is open is a Fraction
inside and a Decimal where it is shown. Nothing is rounded on the way: at every moment realised P&L less open cost
is exactly the money that came in less the money that went out, and at flat it is sells less buys.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from trading.domain.orders import BrokerTrade, Side

ZERO = Decimal(0)


class PositionKey(NamedTuple):
    """Brokers keep positions apart by product: MIS and CNC of one stock are two positions."""

    instrument: str
    product: str


@dataclass(frozen=True, slots=True)
class Position:
    """What one account holds and earned in one instrument and product today.

    Quantities are units, values rupees. `exact_open_cost` is what the open units cost by average, signed like
    `net_quantity` (negative when short).
    """

    key: PositionKey
    buy_quantity: int = 0
    sell_quantity: int = 0
    buy_value: Decimal = ZERO
    sell_value: Decimal = ZERO
    exact_open_cost: Fraction = Fraction(0)

    @property
    def net_quantity(self) -> int:
        """Signed units open: positive long, negative short, 0 flat."""
        return self.buy_quantity - self.sell_quantity

    @property
    def average_price(self) -> Decimal | None:
        """Average cost of a unit that is open, None when flat."""
        return _as_decimal(self.exact_open_cost / self.net_quantity) if self.net_quantity else None

    @property
    def exact_realised_pnl(self) -> Fraction:
        """Closed profit in rupees without charges, unrounded."""
        return Fraction(self.sell_value) - Fraction(self.buy_value) + self.exact_open_cost

    @property
    def realised_pnl(self) -> Decimal:
        """Closed profit in rupees without charges: exact where it is a finite decimal, else to 28 digits."""
        return _as_decimal(self.exact_realised_pnl)

    def unrealised_pnl(self, ltp: Decimal) -> Decimal:
        """Give the open profit in rupees at a last price; 0 when flat."""
        return _as_decimal(Fraction(ltp) * self.net_quantity - self.exact_open_cost)

    def after(self, side: Side, quantity: int, price: Decimal) -> "Position":
        """Give the position after one fill. A fill that crosses zero closes all and opens the rest at its price.

        Raises ValueError for a quantity that is not positive.
        """
        if quantity <= 0:
            raise ValueError(f"fill quantity must be positive, was {quantity}")
        cost = self._open_cost_after(side.sign * quantity, Fraction(price))
        if side is Side.BUY:
            buys, value = self.buy_quantity + quantity, self.buy_value + price * quantity
            return replace(self, buy_quantity=buys, buy_value=value, exact_open_cost=cost)
        sells, value = self.sell_quantity + quantity, self.sell_value + price * quantity
        return replace(self, sell_quantity=sells, sell_value=value, exact_open_cost=cost)

    def _open_cost_after(self, signed: int, price: Fraction) -> Fraction:
        net = self.net_quantity
        if net * signed >= 0:  # opens or adds
            return self.exact_open_cost + signed * price
        left = net + signed
        if left * net > 0:  # closes in part: the average of what stays does not change
            return self.exact_open_cost * Fraction(left, net)
        return left * price  # closes, and whatever crosses zero opens at this price


@dataclass(slots=True)
class PositionBook:
    """One account's positions of the day, folded from its trades; a trade counts once however often it comes."""

    positions: dict[PositionKey, Position] = field(default_factory=dict)
    _seen: set[tuple[str, str]] = field(default_factory=set)
    _realised: Decimal | None = None

    def apply(self, trade: BrokerTrade) -> bool:
        """Count a trade; False when it was counted before."""
        identity = (trade.order_id, trade.trade_id)
        if identity in self._seen:
            return False
        key = PositionKey(trade.instrument, trade.product)
        self.positions[key] = self.position(key).after(trade.side, trade.quantity, trade.price)
        self._seen.add(identity)
        self._realised = None
        return True

    def position(self, key: PositionKey) -> Position:
        """Give a position, a flat one where nothing was traded."""
        return self.positions.get(key) or Position(key)

    def net_quantity(self, instrument: str, product: str) -> int:
        """Give the signed units open."""
        return self.position(PositionKey(instrument, product)).net_quantity

    def open_positions(self) -> list[Position]:
        """Give the positions that are not flat."""
        return [position for position in self.positions.values() if position.net_quantity]

    def realised_pnl(self) -> Decimal:
        """Give the day's closed profit in rupees over all positions, without charges. Asked at every tick."""
        if self._realised is None:
            exact = (position.exact_realised_pnl for position in self.positions.values())
            self._realised = _as_decimal(sum(exact, Fraction(0)))
        return self._realised


def fold_trades(trades: Iterable[BrokerTrade]) -> PositionBook:
    """Fold trades, in the order of their fill times, into a book. Duplicates do no harm."""
    book = PositionBook()
    for trade in sorted(trades, key=lambda trade: (trade.filled_at, trade.order_id, trade.trade_id)):
        book.apply(trade)
    return book


def _as_decimal(value: Fraction) -> Decimal:
    return Decimal(value.numerator) / Decimal(value.denominator)
