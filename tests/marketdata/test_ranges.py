"""Reference ranges and joined candles."""

from datetime import date, time, timedelta
from decimal import Decimal

import pytest

from trading.domain.candles import Candle
from trading.domain.timezone import at_ist, to_ist
from trading.marketdata.ranges import SessionRange, joined_candles, last_session_range

MONDAY = date(2026, 11, 23)
FRIDAY = date(2026, 11, 20)


def daily(day: date, high: int = 1571, low: int = 1541, close: int = 1560) -> Candle:
    """Make a daily candle as the broker does: it starts at Indian midnight."""
    prices = (Decimal(1550), Decimal(high), Decimal(low), Decimal(close))
    return Candle(at_ist(day, time()), *prices, volume=1)


def minute(hhmm: str, price: int, *, day: date = MONDAY) -> Candle:
    """Make a minute candle that goes one up and one down."""
    exact = Decimal(price)
    return Candle(at_ist(day, time.fromisoformat(hhmm)), exact, exact + 1, exact - 1, exact, volume=10)


def test_the_range_is_the_last_completed_sessions() -> None:
    candles = [daily(FRIDAY - timedelta(days=1), 1600, 1500), daily(FRIDAY), daily(MONDAY, 1700, 1400)]

    assert last_session_range(reversed(candles), before=MONDAY) == SessionRange(
        FRIDAY, Decimal(1571), Decimal(1541), Decimal(1560)
    )


def test_a_session_that_is_not_over_gives_no_range() -> None:
    assert last_session_range([daily(MONDAY)], before=MONDAY) is None
    assert last_session_range([], before=MONDAY) is None


@pytest.mark.parametrize(
    ("high", "low", "close"),
    [(1541, 1571, 1560), (1571, 0, 1560), (1571, -5, 1560), (1571, 1541, 1600), (1545, 1541, 1542)],
)
def test_an_implausible_candle_gives_no_range_rather_than_an_older_one(high: int, low: int, close: int) -> None:
    assert (
        last_session_range([daily(FRIDAY - timedelta(days=1)), daily(FRIDAY, high, low, close)], before=MONDAY) is None
    )


def test_minutes_are_joined_from_the_sessions_start() -> None:
    minutes = [
        minute("09:15", 100),
        minute("09:17", 105),
        minute("09:19", 95),
        minute("09:20", 97),
        minute("09:31", 99),
    ]

    joined = joined_candles(minutes, size=5)

    assert [to_ist(one.start).time() for one in joined] == [time(9, 15), time(9, 20), time(9, 30)]
    first = joined[0]
    assert [first.open, first.high, first.low, first.close] == [Decimal(100), Decimal(106), Decimal(94), Decimal(95)]
    assert first.volume == 30


def test_spans_that_do_not_divide_the_hour_count_from_the_open_too() -> None:
    joined = joined_candles([minute("09:15", 100), minute("10:00", 101), minute("10:15", 102)], size=60)

    assert [to_ist(one.start).time() for one in joined] == [time(9, 15), time(10, 15)]


def test_a_span_never_reaches_into_another_day() -> None:
    joined = joined_candles([minute("15:29", 100, day=FRIDAY), minute("09:15", 101)], size=15)

    assert [to_ist(one.start).date() for one in joined] == [FRIDAY, MONDAY]


def test_no_minutes_give_no_candles() -> None:
    assert joined_candles([], size=5) == []
