"""Candles: what an instrument did in a span of time."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Candle:
    """One span of trading. `start` is aware UTC, prices are rupees, `volume` units (0 for an index).

    `open_interest` is None where it was not asked for.
    """

    start: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: int
    open_interest: int | None = None
