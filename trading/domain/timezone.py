"""Indian time. Moments are aware and stored in UTC; the market's day and clock are Asia/Kolkata."""

from datetime import date, datetime, time
from functools import lru_cache
from zoneinfo import ZoneInfo

IST = ZoneInfo("Asia/Kolkata")
DAY_SECONDS = 86_400


def to_ist(moment: datetime) -> datetime:
    """Give a moment on the market's clock. Raises ValueError for a naive one."""
    if moment.tzinfo is None:
        raise ValueError(f"moment must be aware, was {moment}")
    return moment.astimezone(IST)


@lru_cache(maxsize=4096)
def ist_day(moment: datetime) -> date:
    """Give the market's date of a moment. Raises ValueError for a naive one."""
    return to_ist(moment).date()


def at_ist(day: date, moment: time) -> datetime:
    """Give the aware moment of an IST time of day."""
    return datetime.combine(day, moment, tzinfo=IST)


def midnight_epoch(day: date) -> int:
    """Give the epoch second at which an IST day begins: `exchange_ts - midnight_epoch(day)` is its second of day.

    India has no daylight saving, so a day always has 86,400 seconds.
    """
    return int(at_ist(day, time()).timestamp())


def second_of_day(moment: time) -> int:
    """Give a time of day as whole seconds since midnight."""
    return moment.hour * 3600 + moment.minute * 60 + moment.second


def time_of(second: int) -> time:
    """Give a second of day (0 to 86,399) as a time. Raises ValueError outside."""
    minutes, seconds = divmod(second, 60)
    return time(*divmod(minutes, 60), seconds)


def format_second(second: int) -> str:
    """Give a second of day as HH:MM:SS."""
    return time_of(second).isoformat()
