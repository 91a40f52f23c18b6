"""When each client's positions start to be closed, and by when they must be flat."""

from datetime import date, time

import pytest

from trading.domain.calendar import MarketCalendar
from trading.domain.instruments import InstrumentClass
from trading.domain.square_off import square_off_plan
from trading.domain.timezone import at_ist

CALENDAR = MarketCalendar.load()
CLASSIC, AUCTION, NEXT = date(2024, 5, 16), date(2026, 11, 23), date(2026, 12, 7)
EQUITY, CAS, DERIVATIVE = InstrumentClass.EQUITY, InstrumentClass.EQUITY_CAS, InstrumentClass.DERIVATIVE


@pytest.mark.parametrize(
    ("day", "instrument_class", "wished", "start", "flat_by", "is_early"),
    [
        (AUCTION, CAS, "15:15:00", "15:10:00", "15:14:30", True),
        (AUCTION, CAS, "15:20:00", "15:10:00", "15:14:30", True),
        (AUCTION, EQUITY, "15:15:00", "15:15:00", "15:16:00", False),
        (AUCTION, DERIVATIVE, "15:15:00", "15:15:00", "15:16:00", False),
        (AUCTION, CAS, "14:30:00", "14:30:00", "14:31:00", False),
        (AUCTION, CAS, "15:13:30", "15:13:30", "15:14:30", False),
        (AUCTION, CAS, "15:13:31", "15:10:00", "15:14:30", True),
        (CLASSIC, CAS, "15:15:00", "15:15:00", "15:16:00", False),
        (NEXT, CAS, "15:15:00", "15:15:00", "15:16:00", False),
        (CLASSIC, EQUITY, "15:30:00", "15:25:00", "15:29:30", True),
        (date(2024, 5, 18), EQUITY, "15:15:00", "12:25:00", "12:29:30", True),
    ],
)
def test_the_square_off_starts_at_the_client_s_time_unless_the_session_ends_too_soon(
    day: date, instrument_class: InstrumentClass, wished: str, start: str, flat_by: str, is_early: bool
) -> None:
    plan = square_off_plan(CALENDAR, day, instrument_class, time.fromisoformat(wished))

    assert plan.start == at_ist(day, time.fromisoformat(start))
    assert plan.flat_by == at_ist(day, time.fromisoformat(flat_by))
    assert plan.is_early is is_early


def test_the_page_is_told_why_it_starts_early() -> None:
    plan = square_off_plan(CALENDAR, AUCTION, CAS, time(15, 15))

    assert plan.reason == (
        "continuous trading ends at 15:15:00 (closing auction), so the square-off for 15:15:00 "
        "starts at 15:10:00 to be flat by 15:14:30"
    )


def test_on_a_day_without_a_session_the_client_s_time_stands() -> None:
    plan = square_off_plan(CALENDAR, date(2027, 3, 1), CAS, time(15, 15))

    assert plan.start == at_ist(date(2027, 3, 1), time(15, 15))
