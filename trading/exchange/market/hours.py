"""When an instrument trades on a day, in epoch milliseconds of market time."""

from datetime import date, timedelta
from typing import Final, NamedTuple, Protocol

from trading.domain.instruments import InstrumentClass

MINUTE_MS: Final = 60_000
DAY_MS: Final = 86_400_000
IST_OFFSET_MS: Final = 19_800_000
EPOCH: Final = date(1970, 1, 1)
OPEN_OFFSET_MS: Final = (9 * 60 + 15) * MINUTE_MS
"""Candles of every length are counted from 09:15."""
CLASSIC_CLOSE_OFFSET_MS: Final = (15 * 60 + 30) * MINUTE_MS

Span = tuple[int, int]
"""From, up to but without."""


class DayHours(NamedTuple):
    """One instrument class on one day.

    `continuous` are the spans of continuous trading (two on a special Saturday), the other two the
    spans in which the opening and the closing auction are matched, None when there is no such auction.
    """

    continuous: tuple[Span, ...]
    opening_match: Span | None = None
    closing_match: Span | None = None

    def minutes(self) -> list[int]:
        """Give the start of every minute of continuous trading."""
        return [start for begin, end in self.continuous for start in range(begin, end, MINUTE_MS)]

    def is_continuous(self, at_ms: int) -> bool:
        """Say whether continuous trading runs at this moment."""
        return any(begin <= at_ms < end for begin, end in self.continuous)


class Hours(Protocol):
    """What the market asks of the calendar; `calendar_hours.CalendarHours` gives the product's own."""

    def is_trading_day(self, day: date) -> bool:
        """True only for a day that is known to trade."""

    def has_session(self, day: date) -> bool:
        """True for a day with continuous trading: also for muhurat, which is no trading day."""

    def may_trade(self, day: date) -> bool:
        """As `is_trading_day`, but any weekday of a year without a holiday list counts."""

    def day_hours(self, day: date, instrument_class: InstrumentClass) -> DayHours: ...
    def phase_changes(self, day: date) -> tuple[int, ...]:
        """Give every moment at which a phase of any class begins or ends."""


def classic_hours(day: date) -> DayHours:
    """Give 09:15 to 15:30 without auctions: the hours of days before the dated rows begin."""
    midnight = midnight_ms(day)
    return DayHours(((midnight + OPEN_OFFSET_MS, midnight + CLASSIC_CLOSE_OFFSET_MS),))


def midnight_ms(day: date) -> int:
    """Give the epoch milliseconds at which this day begins in India."""
    return (day - EPOCH).days * DAY_MS - IST_OFFSET_MS


def day_of(at_ms: int) -> date:
    """Give the Indian day of a moment."""
    return EPOCH + timedelta(days=(at_ms + IST_OFFSET_MS) // DAY_MS)
