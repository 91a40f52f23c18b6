"""Market time of an exchange with live prices: the wall's, or in trials the feeder's own."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Protocol

from trading.domain.calendar import MarketCalendar
from trading.exchange.clock import to_ms
from trading.exchange.days import next_known_day


class LiveTime(Protocol):
    """Epoch milliseconds of market time; never goes back."""

    def now_ms(self) -> int: ...
    def hear(self, told_ms: int) -> None:
        """Take note of the moment that the feeder names with its prices."""


class WallTime:
    """The wall decides; what a feeder says is only its own clock. A wall that is set back stands meanwhile."""

    def __init__(self, wall: Callable[[], datetime]) -> None:
        self._wall = wall
        self._last_ms = 0

    def now_ms(self) -> int:
        """Give the wall's time."""
        self._last_ms = max(self._last_ms, to_ms(self._wall()))
        return self._last_ms

    def hear(self, told_ms: int) -> None:
        """Change nothing."""


class FeedTime:
    """For trials with a simulated broker: time is what the feeder said last, and stands while it says nothing."""

    def __init__(self, start_ms: int) -> None:
        self._now_ms = start_ms

    def now_ms(self) -> int:
        """Give the newest moment that was told."""
        return self._now_ms

    def hear(self, told_ms: int) -> None:
        """Move on to that moment, never back."""
        self._now_ms = max(self._now_ms, told_ms)


def market_day(calendar: MarketCalendar, today: date) -> date:
    """Give the day that is played: today when it trades, else the next day that does."""
    return today if calendar.is_trading_day(today) else next_known_day(calendar, today)
