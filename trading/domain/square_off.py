"""When a client's positions are closed, and by when they must be seen flat."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from trading.domain.calendar import MarketCalendar
from trading.domain.instruments import InstrumentClass
from trading.domain.sessions import SessionHours
from trading.domain.timezone import at_ist

EARLY_START = timedelta(minutes=5)
"""Before the end of continuous trading, where that comes first."""
MARGIN_BEFORE_END = timedelta(seconds=30)
TIME_TO_FLAT = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class SquareOffPlan:
    """Start closing at `start`, be confirmed flat at `flat_by` (aware IST); `reason` is a sentence for the page."""

    start: datetime
    flat_by: datetime
    reason: str
    is_early: bool


def plan_square_off(hours: SessionHours, square_off_at: time) -> SquareOffPlan:
    """Plan one instrument class of one client on the day of `hours`. `square_off_at` is the client's IST time.

    Where continuous trading ends too soon to begin at the client's time and to be flat half a minute before
    that end, the square-off starts 5 minutes before the end: an order in the closing auction's reference
    phase is refused by the exchange.
    """
    wished = at_ist(hours.day, square_off_at)
    end = hours.continuous_end
    flat_before_end = end - MARGIN_BEFORE_END
    if wished + TIME_TO_FLAT > flat_before_end:
        start = end - EARLY_START
        reason = (
            f"continuous trading ends at {end:%H:%M:%S}{' (closing auction)' if hours.has_closing_auction else ''}, "
            f"so the square-off for {square_off_at} starts at {start:%H:%M:%S} to be flat by {flat_before_end:%H:%M:%S}"
        )
        return SquareOffPlan(start, flat_before_end, reason, is_early=True)
    return client_time_plan(hours.day, square_off_at)


def client_time_plan(day: date, square_off_at: time) -> SquareOffPlan:
    """Plan by the client's time alone."""
    start = at_ist(day, square_off_at)
    flat_by = start + TIME_TO_FLAT
    reason = f"the square-off starts at the client's time {square_off_at} to be flat by {flat_by:%H:%M:%S}"
    return SquareOffPlan(start, flat_by, reason, is_early=False)


def square_off_plan(
    calendar: MarketCalendar, day: date, instrument_class: InstrumentClass, square_off_at: time
) -> SquareOffPlan:
    """Plan by the day's session rows; without a session (a holiday, an unknown year) by the client's time alone."""
    hours = calendar.find_session(day, instrument_class)
    return plan_square_off(hours, square_off_at) if hours else client_time_plan(day, square_off_at)
