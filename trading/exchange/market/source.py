"""Where a market's days come from: a generator, or a folder of real minute bars."""

from collections.abc import Sequence
from datetime import date
from typing import Protocol

from trading.domain.instruments import InstrumentClass
from trading.exchange.market.bar import Bar
from trading.exchange.market.hours import DayHours
from trading.exchange.market.listing import Listing


class Source(Protocol):
    """Every day that can be traded or looked back at."""

    listings: Sequence[Listing]

    def days_until(self, day: date) -> list[date]:
        """Give the days with bars up to and with `day`, ascending."""

    def hours(self, day: date, instrument_class: InstrumentClass) -> DayHours: ...

    def bars(self, token: int, day: date) -> tuple[Bar, ...]:
        """Give the minute bars of one day in order; empty when the instrument did not trade."""

    def whole_day(self, token: int, day: date) -> Bar | None:
        """Give the one bar of a whole day, from its first minute's start; None when the instrument did not trade."""

    def previous_close(self, token: int, day: date) -> int:
        """Give the close of the last day before `day` on which the instrument traded."""
