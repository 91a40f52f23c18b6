"""The generated days have the statistics that were measured on real ones."""

from collections.abc import Callable
from datetime import date
from itertools import pairwise
from math import sqrt
from statistics import correlation, fmean, median, pstdev

import pytest

from trading.exchange.market.bar import Bar
from trading.exchange.market.calendar_hours import CalendarHours
from trading.exchange.market.data import calibration
from trading.exchange.market.generated import GeneratedSource

LAST_DAY = date(2026, 7, 31)
DAYS = 90
NIFTY = 256265
SHARES = {"RELIANCE": 738561, "HDFCBANK": 341249, "INFY": 408065, "LT": 2939649}
Days = list[tuple[Bar, ...]]


@pytest.fixture(scope="module")
def history() -> dict[str, Days]:
    """Ninety full days before the closing auction, of the index and four shares."""
    source = GeneratedSource(LAST_DAY, 20, CalendarHours())
    days = source.days_until(LAST_DAY)[-DAYS:]
    tokens = {"NIFTY 50": NIFTY, **SHARES}
    return {name: [source.bars(token, day) for day in days if day.weekday() < 5] for name, token in tokens.items()}


def range_percent(day: tuple[Bar, ...]) -> float:
    return (max(bar.high for bar in day) / min(bar.low for bar in day) - 1) * 100


def moves(day: tuple[Bar, ...], every: int = 1) -> list[float]:
    closes = [bar.close for bar in day][::every]
    return [later / before - 1 for before, later in pairwise(closes)]


def quantile(values: list[float], percent: int) -> float:
    return sorted(values)[len(values) * percent // 100]


def over_shares(history: dict[str, Days]) -> Days:
    return [day for name in SHARES for day in history[name]]


def test_day_ranges_are_as_wide_as_real_ones(history: dict[str, Days]) -> None:
    assert median(map(range_percent, history["NIFTY 50"])) == pytest.approx(calibration.INDEX_RANGE_PERCENT, rel=0.3)
    for name in SHARES:
        assert 1.3 < median(map(range_percent, history[name])) < 2.4


def test_there_are_narrow_and_wide_days(history: dict[str, Days]) -> None:
    widths = [
        range_percent(day) / median(map(range_percent, history[name])) for name in SHARES for day in history[name]
    ]

    assert quantile(widths, 10) == pytest.approx(calibration.DAY_WIDTH[1], abs=0.15)
    assert quantile(widths, 90) == pytest.approx(calibration.DAY_WIDTH[-2], abs=0.4)


def test_there_are_trend_days_and_range_days(history: dict[str, Days]) -> None:
    share = [
        abs(day[-1].close - day[0].open) / (max(bar.high for bar in day) - min(bar.low for bar in day))
        for day in over_shares(history)
    ]

    for percent, real in zip((10, 50, 90), calibration.DAY_EFFICIENCY, strict=True):
        assert quantile(share, percent) == pytest.approx(real, abs=0.12)


def test_a_day_wanders_like_a_real_one(history: dict[str, Days]) -> None:
    ratio = [range_percent(day) / 100 / sqrt(sum(move**2 for move in moves(day))) for day in over_shares(history)]

    assert median(ratio) == pytest.approx(calibration.RANGE_OF_NOISE, rel=0.15)


def test_the_largest_minute_stands_out_as_much_as_in_real_days(history: dict[str, Days]) -> None:
    largest = []
    for day in over_shares(history):
        late = moves(day)[15:]
        largest.append(max(map(abs, late)) / pstdev(late))

    assert median(largest) == pytest.approx(calibration.LARGEST_MINUTE, rel=0.2)


def course_of(days: Days, value: Callable[[Bar], int]) -> list[float]:
    """Average a value by minute of the day, each day relative to its own mean."""
    means = [fmean(value(bar) for bar in day) for day in days]
    return [fmean(value(day[place]) / mean for day, mean in zip(days, means, strict=True)) for place in range(375)]


def test_volatility_and_volume_are_u_shaped(history: dict[str, Days]) -> None:
    days = [day for day in over_shares(history) if len(day) == 375]

    volume = course_of(days, lambda bar: bar.volume)
    width = course_of(days, lambda bar: bar.high - bar.low)

    for course, first, quarters in (
        (volume, calibration.VOLUME_FIRST_MINUTES, calibration.VOLUME_QUARTERS),
        (width, calibration.MOVE_FIRST_MINUTES, calibration.MOVE_QUARTERS),
    ):
        assert course[0] == pytest.approx(first[0], rel=0.25)
        assert fmean(course[180:195]) == pytest.approx(quarters[11], rel=0.25)
        assert fmean(course[345:360]) == pytest.approx(quarters[22], rel=0.25)


def test_a_bar_closes_inside_its_range_as_real_ones_do(history: dict[str, Days]) -> None:
    inside = [
        abs(bar.close - bar.open) / (bar.high - bar.low)
        for day in over_shares(history)
        for bar in day[5:]
        if bar.high > bar.low
    ]

    assert median(inside) == pytest.approx(0.41, abs=0.08)


def test_shares_move_with_the_index(history: dict[str, Days]) -> None:
    index = [move for day in history["NIFTY 50"] for move in moves(day, 5)]
    lowest, highest = calibration.FIVE_MINUTE_CORRELATION

    for name in SHARES:
        own = [move for day in history[name] for move in moves(day, 5)]
        assert lowest - 0.05 < correlation(own, index) < highest + 0.05


def test_days_open_with_gaps_that_follow_the_index(history: dict[str, Days]) -> None:
    def gaps(days: Days) -> list[float]:
        return [(day[0].open / before[-1].close - 1) * 100 for before, day in pairwise(days)]

    index = gaps(history["NIFTY 50"])

    assert 0.2 < pstdev(index) < 0.45
    for name in SHARES:
        assert 0.3 < pstdev(gaps(history[name])) < 0.9
        assert 0.3 < correlation(gaps(history[name]), index) < 0.85
