"""On which days derivatives expire, for a plausible instrument dump. A trader reads them from the dump."""

from datetime import date, timedelta
from typing import Final

from trading.exchange.market.hours import Hours

MONDAY, TUESDAY, THURSDAY, FRIDAY = 0, 1, 3, 4
WEEKDAYS: Final = {
    "NFO": ((date(2025, 9, 1), TUESDAY), (date.min, THURSDAY)),
    "BFO": ((date(2025, 9, 1), THURSDAY), (date(2025, 1, 1), TUESDAY), (date.min, FRIDAY)),
    "CDS": ((date.min, FRIDAY),),
    "MCX": ((date.min, MONDAY),),
}
"""Weekday of expiry from a date on, the newest first (NSE/FAOP/68747 of 2025-06-25; BSE 20250623-59)."""
MONTH_LETTERS: Final = "123456789OND"
MONTH_NAMES: Final = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")


def weekly(exchange: str, day: date, count: int, calendar: Hours) -> list[date]:
    """Give the next weekly expiries from `day` on, each moved back before a holiday."""
    found: list[date] = []
    at = day
    while len(found) < count:
        if at.weekday() == _weekday(exchange, at):
            expiry = trading_day_until(at, calendar)
            if expiry >= day:
                found.append(expiry)
        at += timedelta(days=1)
    return found


def monthly(exchange: str, day: date, count: int, calendar: Hours) -> list[date]:
    """Give the next monthly expiries from `day` on: the last such weekday of the month, or the trading day before."""
    found: list[date] = []
    year, month = day.year, day.month
    while len(found) < count:
        expiry = trading_day_until(_last(exchange, year, month), calendar)
        if expiry >= day:
            found.append(expiry)
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
    return found


def trading_day_until(day: date, calendar: Hours) -> date:
    """Give `day`, or the last day before it that may trade: the coming year has no holiday list yet."""
    while not calendar.may_trade(day):
        day -= timedelta(days=1)
    return day


def monthly_code(expiry: date) -> str:
    """Spell a monthly expiry as symbols do: 26NOV."""
    return f"{expiry:%y}{MONTH_NAMES[expiry.month - 1]}"


def weekly_code(expiry: date) -> str:
    """Spell a weekly expiry as symbols do: 26N24, 26115 for 15 January."""
    return f"{expiry:%y}{MONTH_LETTERS[expiry.month - 1]}{expiry:%d}"


def _weekday(exchange: str, at: date) -> int:
    return next(weekday for start, weekday in WEEKDAYS[exchange] if at >= start)


def _last(exchange: str, year: int, month: int) -> date:
    end = (date(year + 1, 1, 1) if month == 12 else date(year, month + 1, 1)) - timedelta(days=1)
    return end - timedelta(days=(end.weekday() - _weekday(exchange, end)) % 7)
