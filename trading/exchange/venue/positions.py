"""One position by its fills, and how units of it go to another product. Money is scaled integers: every sum is exact.

Realised P&L is first in, first out; on a flat position it is sell value minus buy value by any method.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from trading.domain.instruments import Instrument
from trading.domain.orders import Side

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

    @property
    def carried_units(self) -> int:
        """Units that are still open of those carried overnight: today's trades close them first."""
        closed = self.sell_quantity if self.overnight_quantity > 0 else self.buy_quantity
        return max(0, abs(self.overnight_quantity) - closed)

    def release(self, quantity: int, *, is_overnight: bool) -> list[Lot]:
        """Take open units of the carried or of today's part out, the oldest first, and give their lots.

        They leave as if they had never been bought or sold here, so nothing is realised by it.
        """
        first = 0 if is_overnight else self.carried_units
        given, kept, place = [], deque[Lot](), 0
        for lot, cost in self.lots:
            sign, units = (1 if lot > 0 else -1), abs(lot)
            taken = max(0, min(place + units, first + quantity) - max(place, first))
            place += units
            if taken:
                given.append((sign * taken, cost))
            if taken < units:
                kept.append((sign * (units - taken), cost))
        self.lots = kept
        self._shift(given, is_overnight=is_overnight, way=-1)
        self.open_value -= sum(abs(lot) * cost for lot, cost in given)
        return given

    def receive(self, lots: Iterable[Lot], *, is_overnight: bool) -> None:
        """Take units in that another product released, at their cost; they close what is open the other way."""
        given = list(lots)
        self._shift(given, is_overnight=is_overnight, way=1)
        opened: list[Lot] = []
        for lot, cost in given:
            side = Side.BUY if lot > 0 else Side.SELL
            left = self._close(side, abs(lot), cost)
            if left:
                opened.append((side.sign * left, cost))
                self.open_value += left * cost
        if is_overnight:
            self.lots.extendleft(reversed(opened))
        else:
            self.lots.extend(opened)

    def _shift(self, lots: Iterable[Lot], *, is_overnight: bool, way: int) -> None:
        """Add (`way` 1) or take away (-1) lots in the day's sums."""
        for lot, cost in lots:
            if is_overnight:
                self.overnight_quantity += way * lot
                self.overnight_value += way * lot * cost
            elif lot > 0:
                self.buy_quantity += way * lot
                self.buy_value += way * lot * cost
            else:
                self.sell_quantity -= way * lot
                self.sell_value -= way * lot * cost

    def copy(self) -> "Position":
        """Give a position that can be changed without changing this one."""
        return replace(self, lots=deque(self.lots))

    def pnl(self, ltp: int) -> int:
        """Total P&L at a price, overnight units at their own cost."""
        return self.sell_value - self.buy_value - self.overnight_value + self.net_quantity * ltp


class Conversion(NamedTuple):
    """Units of a position that got another product. It comes after the trade with the sequence `after_trade`.

    `side` is that of the position; `wire_s` is monotonic and belongs to this process only.
    """

    sequence: int
    day: str
    user_id: str
    token: int
    side: Side
    is_overnight: bool
    quantity: int
    old_product: str
    new_product: str
    after_trade: int
    at_ms: int
    wire_s: float
