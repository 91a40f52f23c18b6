"""Reference ranges and chart candles from historical data. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from trading.domain.candles import Candle
from trading.domain.timezone import ist_day, to_ist

LOOK_BACK_DAYS = 14
"""Calendar days of daily candles to ask for: enough to reach past the longest closure."""


@dataclass(frozen=True, slots=True)
class SessionRange:
    """What an instrument did on one completed session; prices in rupees."""

    day: date
    high: Decimal
    low: Decimal
    close: Decimal


def last_session_range(daily: Iterable[Candle], *, before: date) -> SessionRange | None:
    """Give the newest daily candle of a day before `before`, None when there is none or it is not plausible.

    A candle of `before` itself is of a session that is not over. A candle whose high is below its low, or
    that has a price of zero or less, gives nothing: no range is better than a wrong one.
    """
    past = [candle for candle in daily if ist_day(candle.start) < before]
    if not past:
        return None
    newest = max(past, key=lambda candle: candle.start)
    prices = (newest.open, newest.close, newest.high)
    if newest.low <= 0 or any(not newest.low <= price <= newest.high for price in prices):
        return None
    return SessionRange(ist_day(newest.start), newest.high, newest.low, newest.close)


def joined_candles(minutes: Sequence[Candle], *, size: int, session_start_minute: int = 555) -> list[Candle]:
    """Join minute candles into candles of `size` minutes, counted from the session's start in each day.

    `session_start_minute` is the minute of the Indian day, 555 for 09:15. Candles come in time's order;
    a span without any minute is left out.
    """
    joined: list[Candle] = []
    for minute in minutes:
        start = _span_start(minute, size, session_start_minute)
        if joined and joined[-1].start == start.start:
            joined[-1] = _merged(joined[-1], minute)
        else:
            joined.append(start)
    return joined


def _span_start(minute: Candle, size: int, session_start_minute: int) -> Candle:
    local = to_ist(minute.start)
    into = (local.hour * 60 + local.minute - session_start_minute) % size
    start = minute.start - timedelta(minutes=into)
    return Candle(start, minute.open, minute.high, minute.low, minute.close, minute.volume, minute.open_interest)


def _merged(span: Candle, minute: Candle) -> Candle:
    return Candle(
        start=span.start,
        open=span.open,
        high=max(span.high, minute.high),
        low=min(span.low, minute.low),
        close=minute.close,
        volume=span.volume + minute.volume,
        open_interest=minute.open_interest,
    )
