"""How the whole market moved, for what has no tape: the way of the leading index over days and within one."""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from typing import Final, NamedTuple

from trading.domain.instruments import InstrumentClass
from trading.exchange.market.hours import DayHours
from trading.exchange.market.source import Source

LEADING_INDEX: Final = 256265
"""NIFTY 50. A folder of bars without it has a market that stands still."""


class Way(NamedTuple):
    """One day of the market, as fractions: its gap, and the move since the open at the end of each minute."""

    gap: float
    moves: dict[int, float]


class CommonMoves:
    """Reads the leading index of a source. `days` are the days of the source up to the traded one."""

    def __init__(self, source: Source, days: Sequence[date]) -> None:
        self._source = source
        self.days = days
        self.day_set = frozenset(days)
        self._is_there = any(listing.token == LEADING_INDEX for listing in source.listings)
        self._start = source.previous_close(LEADING_INDEX, days[1]) if self._is_there else 1
        self.way = lru_cache(maxsize=64)(self._way)

    def level(self, day: date) -> float:
        """Give the market's close of a day, relative to its first."""
        if not self._is_there:
            return 1.0
        following = bisect_right(self.days, day)
        if following < len(self.days):
            return self._source.previous_close(LEADING_INDEX, self.days[following]) / self._start
        return self._source.bars(LEADING_INDEX, self.days[-1])[-1].close / self._start

    def day_before(self, day: date) -> date:
        """Give the trading day before; the first day has itself."""
        return self.days[max(0, bisect_right(self.days, day) - 2)]

    def hours(self, day: date, instrument_class: InstrumentClass) -> DayHours:
        """Give an instrument class's hours of a day."""
        return self._source.hours(day, instrument_class)

    def _way(self, day: date) -> Way:
        bars = self._source.bars(LEADING_INDEX, day) if self._is_there else ()
        if not bars:
            return Way(0.0, {})
        first = bars[0].open
        before = self._source.previous_close(LEADING_INDEX, day)
        return Way(first / before - 1, {bar.start_ms: bar.close / first - 1 for bar in bars})
