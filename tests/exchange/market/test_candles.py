"""Candles from days behind and from today so far."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal

import pytest

from tests.exchange.known_days import known_market
from tests.exchange.market.conftest import DAY, last_day
from trading.domain.timezone import at_ist
from trading.exchange.market import Market
from trading.exchange.market.bar import merged
from trading.exchange.market.calendar_hours import CalendarHours
from trading.exchange.market.candles import MINUTES
from trading.exchange.market.generated import MOST_KEPT_DAYS, GeneratedSource
from trading.exchange.market.hours import DAY_MS, midnight_ms

RELIANCE = 738561
START, END = at_ist(DAY, time()), at_ist(DAY, time(23, 59))


def now(hours: int, minutes: int, seconds: int = 0) -> int:
    return midnight_ms(DAY) + ((hours * 60 + minutes) * 60 + seconds) * 1000


def test_sixty_trading_days_of_minutes_lie_behind_the_day(finished: Market) -> None:
    candles = finished.candles(RELIANCE, START - timedelta(days=100), END, "day", now(9, 0))

    assert len(candles) >= 60
    assert candles[-1][0] == at_ist(date(2026, 11, 20), time())
    assert candles[-1][2:5] == last_day(finished, RELIANCE)


def test_todays_minute_candles_are_the_bars_of_the_day(finished: Market) -> None:
    candles = finished.candles(RELIANCE, START, END, "minute", midnight_ms(DAY) + DAY_MS)

    expected = [
        (bar.start_ms, *(Decimal(price) / 10_000 for price in bar[1:5]), bar.volume)
        for bar in finished._source.bars(RELIANCE, DAY)
    ]
    assert [(int(at.timestamp()) * 1000, *rest) for at, *rest in candles] == expected


def test_the_running_candle_knows_only_what_was_traded(finished: Market) -> None:
    market = known_market(DAY, 1)
    market.advance(now(10, 0, 20))
    quote = market.quote(RELIANCE)

    *_, last = market.candles(RELIANCE, START, END, "minute", now(10, 0, 20))
    (today,) = market.candles(RELIANCE, START, END, "day", now(10, 0, 20))

    assert last[0] == at_ist(DAY, time(10, 0))
    assert last[4] == Decimal(quote.ltp) / 10_000
    assert today[1:6] == (*(Decimal(p) / 10_000 for p in (quote.open, quote.high, quote.low, quote.ltp)), quote.volume)


def test_there_is_no_candle_of_today_before_the_first_trade(finished: Market) -> None:
    assert finished.candles(RELIANCE, START, END, "minute", now(9, 5)) == []
    assert finished.candles(RELIANCE, START, END, "day", now(9, 5)) == []


@pytest.mark.parametrize("interval", list(MINUTES))
def test_longer_candles_are_counted_from_quarter_past_nine_and_fold_the_minutes(
    finished: Market, interval: str
) -> None:
    yesterday = at_ist(date(2026, 11, 20), time())
    minutes = finished.candles(RELIANCE, yesterday, START, "minute", now(9, 0))

    candles = finished.candles(RELIANCE, yesterday, START, interval, now(9, 0))

    length = timedelta(minutes=MINUTES[interval])
    opened = at_ist(date(2026, 11, 20), time(9, 15))
    assert all((candle[0] - opened) % length == timedelta(0) for candle in candles)
    for start, first, high, low, close, volume in candles:
        inside = [each for each in minutes if start <= each[0] < start + length]
        assert (first, close) == (inside[0][1], inside[-1][4])
        assert (high, low) == (max(each[2] for each in inside), min(each[3] for each in inside))
        assert volume == sum(each[5] for each in inside)
    assert sum(candle[5] for candle in candles) == sum(each[5] for each in minutes)


def test_from_and_to_are_both_included(finished: Market) -> None:
    candles = finished.candles(RELIANCE, at_ist(DAY, time(10, 0)), at_ist(DAY, time(10, 10)), "5minute", now(15, 0))

    assert [each[0].strftime("%H:%M") for each in candles] == ["10:00", "10:05", "10:10"]


def test_a_day_candle_counts_by_its_date_whatever_the_time_of_from(finished: Market) -> None:
    candles = finished.candles(RELIANCE, at_ist(date(2026, 11, 19), time(15, 0)), START, "day", now(9, 0))

    assert [each[0].day for each in candles] == [19, 20]


def test_an_index_has_no_volume(finished: Market) -> None:
    candles = finished.candles(256265, START, END, "5minute", midnight_ms(DAY) + DAY_MS)

    assert {each[5] for each in candles} == {0}
    assert len(candles) == 75


def test_minutes_of_an_illiquid_share_lie_inside_the_session_and_some_are_missing(finished: Market) -> None:
    candles = finished.candles(4583169, START - timedelta(days=5), START, "minute", now(9, 0))

    assert all(time(9, 15) <= each[0].time() < time(15, 30) for each in candles)
    assert 0 < len(candles) < 3 * 375


def test_an_interval_that_kite_does_not_have_is_refused(finished: Market) -> None:
    with pytest.raises(ValueError, match=r"interval must be one of minute, .*, was '2minute'"):
        finished.candles(RELIANCE, START, END, "2minute", now(15, 0))


def test_a_naive_moment_is_refused(finished: Market) -> None:
    with pytest.raises(ValueError, match="must be aware"):
        finished.candles(RELIANCE, datetime(2026, 11, 23), END, "day", now(15, 0))  # noqa: DTZ001


def test_years_of_days_are_one_bar_each_and_only_the_last_minutes_looked_at_are_kept() -> None:
    source = GeneratedSource(DAY, 1, CalendarHours())
    days = source.days_until(DAY)[-300:]
    whole = [source.whole_day(RELIANCE, day) for day in days]
    assert source._minutes.cache_info().currsize == 0

    for day, bar in zip(days, whole, strict=True):
        assert bar == merged(source.bars(RELIANCE, day))
    assert source._minutes.cache_info().currsize == MOST_KEPT_DAYS
