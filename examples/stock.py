"""One instrument of the example's day."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


@dataclass
class Stock:
    """One instrument and what we do with it. `side` is BUY or SELL once the range broke."""

    symbol: str
    token: int
    tick_size: float
    high: float = 0.0
    low: float = float("inf")
    last: float = 0.0
    state: str = "range"  # range, watching, entering, holding, leaving, done
    side: str = ""
    quantity: int = 0
    entry_price: float = 0.0
    entered_at: datetime = datetime.max
    entry: str = ""
    stop: str = ""
    exit: str = ""
    is_safe: bool = False  # the stop stands at the entry price

    @property
    def other_side(self) -> str:
        return "SELL" if self.side == "BUY" else "BUY"

    @property
    def gain(self) -> float:
        """How far the price went our way since the entry, in rupees."""
        return (self.last - self.entry_price) * (1 if self.side == "BUY" else -1)

    def on_grid(self, price: float) -> float:
        """Give the nearest price that the exchange takes."""
        tick = Decimal(str(self.tick_size))
        return float((Decimal(str(price)) / tick).quantize(Decimal(1)) * tick)
