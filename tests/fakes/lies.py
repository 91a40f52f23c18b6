"""How a broker's reads lie: they leave out, they lag, they repeat. They never invent."""

from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

Row = TypeVar("Row")

HONEST, EMPTY, LAGGING, HALF, TWICE = "honest", "empty", "lagging", "half", "twice"
WAYS = (HONEST, EMPTY, LAGGING, HALF, TWICE)


@dataclass
class Liar(Generic[Row]):
    """One kind of read. A lagging answer is the one that was true when the lie began."""

    way: str = HONEST
    _kept: list[Row] = field(default_factory=list)

    def told(self, truth: list[Row]) -> list[Row]:
        """Give what the broker answers instead of the truth."""
        if self.way != LAGGING:
            self._kept = list(truth)
        if self.way == EMPTY:
            return []
        if self.way == HALF:
            return truth[: len(truth) // 2]
        return list(self._kept) + (list(truth) if self.way == TWICE else [])


@dataclass
class Lies:
    """The three reads of an account."""

    orders: Liar[Any] = field(default_factory=Liar)
    trades: Liar[Any] = field(default_factory=Liar)
    positions: Liar[Any] = field(default_factory=Liar)

    def tell(self, orders: str, trades: str, positions: str) -> None:
        """Lie like this from now on."""
        self.orders.way, self.trades.way, self.positions.way = orders, trades, positions
