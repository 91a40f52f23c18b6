"""One minute bar, and what is made of a row of them."""

from collections.abc import Sequence
from typing import NamedTuple


class Bar(NamedTuple):
    """A minute: start in epoch milliseconds, prices in 1/10,000 rupee, volume in units (0 for an index)."""

    start_ms: int
    open: int
    high: int
    low: int
    close: int
    volume: int


def merged(bars: Sequence[Bar], start_ms: int | None = None) -> Bar:
    """Give the one bar that covers all of `bars` (in order, at least one); it starts with the first of them."""
    return Bar(
        bars[0].start_ms if start_ms is None else start_ms,
        bars[0].open,
        max(bar.high for bar in bars),
        min(bar.low for bar in bars),
        bars[-1].close,
        sum(bar.volume for bar in bars),
    )
