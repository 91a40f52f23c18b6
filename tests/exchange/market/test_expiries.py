"""Plausible expiry days."""

from datetime import date

import pytest

from trading.exchange.market.calendar_hours import CalendarHours
from trading.exchange.market.expiries import monthly, monthly_code, weekly, weekly_code

HOURS = CalendarHours()


@pytest.mark.parametrize(
    ("exchange", "day", "expected"),
    [
        ("NFO", date(2026, 11, 23), [date(2026, 11, 23), date(2026, 12, 29)]),  # the 24th is a holiday
        ("NFO", date(2026, 11, 25), [date(2026, 12, 29), date(2027, 1, 26)]),
        ("NFO", date(2024, 5, 16), [date(2024, 5, 30), date(2024, 6, 27)]),  # Thursdays then
        ("BFO", date(2026, 11, 23), [date(2026, 11, 26), date(2026, 12, 31)]),
    ],
)
def test_a_month_expires_on_its_last_such_weekday_or_the_trading_day_before(
    exchange: str, day: date, expected: list[date]
) -> None:
    assert monthly(exchange, day, 2, HOURS) == expected


def test_a_weekly_expiry_moved_before_today_is_over() -> None:
    assert weekly("NFO", date(2026, 11, 24), 2, HOURS) == [date(2026, 12, 1), date(2026, 12, 8)]


def test_todays_expiry_is_still_listed() -> None:
    assert weekly("NFO", date(2026, 12, 1), 1, HOURS) == [date(2026, 12, 1)]


def test_codes_are_spelled_as_in_symbols() -> None:
    assert monthly_code(date(2026, 11, 23)) == "26NOV"
    assert weekly_code(date(2026, 12, 1)) == "26D01"
    assert weekly_code(date(2026, 2, 10)) == "26210"
