"""The market's hours follow the calendar's dated rows."""

from datetime import date

import pytest

from trading.domain.instruments import InstrumentClass
from trading.exchange.market.calendar_hours import CalendarHours
from trading.exchange.market.hours import Span, midnight_ms

HOURS = CalendarHours()


def clock(day: date, span: Span | None) -> tuple[str, str] | None:
    if span is None:
        return None
    return tuple(f"{minute // 60:02}:{minute % 60:02}" for minute in ((at - midnight_ms(day)) // 60_000 for at in span))  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("day", "instrument_class", "continuous", "closing"),
    [
        (date(2026, 7, 31), InstrumentClass.EQUITY_CAS, ("09:15", "15:30"), None),
        (date(2026, 8, 3), InstrumentClass.EQUITY_CAS, ("09:15", "15:15"), ("15:30", "15:35")),
        (date(2026, 8, 3), InstrumentClass.EQUITY, ("09:15", "15:30"), None),
        (date(2026, 12, 7), InstrumentClass.EQUITY_CAS, ("09:15", "15:30"), ("15:40", "15:42")),
        (date(2026, 11, 23), InstrumentClass.INDEX, ("09:15", "15:30"), None),
        (date(2023, 6, 1), InstrumentClass.EQUITY_CAS, ("09:15", "15:30"), None),
    ],
)
def test_continuous_trading_and_the_closing_auction_depend_on_class_and_date(
    day: date, instrument_class: InstrumentClass, continuous: tuple[str, str], closing: tuple[str, str] | None
) -> None:
    hours = HOURS.day_hours(day, instrument_class)

    assert [clock(day, span) for span in hours.continuous] == [continuous]
    assert clock(day, hours.closing_match) == closing


@pytest.mark.parametrize(
    ("day", "match"),
    [
        (date(2026, 9, 4), ("09:08", "09:10")),
        (date(2026, 9, 7), ("09:10", "09:12")),
    ],
)
def test_the_opening_is_matched_after_order_entry_for_shares_and_indices(day: date, match: tuple[str, str]) -> None:
    for each in (InstrumentClass.EQUITY, InstrumentClass.EQUITY_CAS, InstrumentClass.INDEX):
        assert clock(day, HOURS.day_hours(day, each).opening_match) == match


def test_a_weekday_of_an_unknown_year_may_trade_but_is_no_trading_day() -> None:
    monday = date(2027, 1, 4)

    assert HOURS.may_trade(monday)
    assert not HOURS.is_trading_day(monday)
    assert not HOURS.may_trade(date(2026, 11, 24))
