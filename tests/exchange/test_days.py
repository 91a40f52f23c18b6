"""Which day an exchange plays."""

from datetime import date
from pathlib import Path

import pytest

from trading.domain.calendar import MarketCalendar
from trading.exchange.days import DayChoice, DayWish, choose_day, next_known_day
from trading.exchange.state import KeptState

CALENDAR = MarketCalendar.load()
SATURDAY = date(2026, 11, 21)
MONDAY = date(2026, 11, 23)
"""The Tuesday after it is a holiday."""


def kept(day: date = MONDAY, *, is_finished: bool = False, bars: str = "") -> KeptState:
    return KeptState("exchange-1", day, 7, bars, 0, 0, is_finished, (1, 2, 3))


def choose(state: KeptState | None, *, day: date | None = None, seed: int | None = None, bars: str = "") -> DayChoice:
    wish = DayWish(day, seed, Path(bars) if bars else None)
    return choose_day(state, wish, calendar=CALENDAR, today=SATURDAY)


def test_a_new_exchange_plays_the_next_trading_day_or_the_wished_one() -> None:
    assert choose(None) == DayChoice(MONDAY, 810, None, goes_on=False)
    assert choose(None, day=date(2024, 1, 1), seed=3) == DayChoice(date(2024, 1, 1), 3, None, goes_on=False)


def test_a_day_that_is_not_over_goes_on_and_a_finished_one_is_followed_by_the_next() -> None:
    assert choose(kept()) == choose(kept(), day=MONDAY, seed=7) == DayChoice(MONDAY, 7, None, goes_on=True)
    assert choose(kept(is_finished=True)) == DayChoice(date(2026, 11, 25), 7, None, goes_on=False)


@pytest.mark.parametrize(
    ("wish", "says"),
    [
        ({"day": date(2026, 11, 25)}, "plays day 2026-11-23, not 2026-11-25; start with --fresh"),
        ({"seed": 8}, "plays seed 7, not 8; start with --fresh"),
        ({"bars": "/bars"}, "plays bars the generated market, not /bars; start with --fresh"),
    ],
)
def test_another_wish_than_the_kept_day_is_refused_with_the_remedy(wish: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        choose(kept(), **wish)  # type: ignore[arg-type]


def test_after_a_finished_day_only_the_next_one_may_be_wished() -> None:
    with pytest.raises(ValueError, match=r"2026-11-23, finished, and 2026-11-25 is next, not 2026-11-23; .*--fresh"):
        choose(kept(is_finished=True), day=MONDAY)


@pytest.mark.parametrize(
    ("day", "says"),
    [
        (date(2026, 11, 22), "2026-11-22 is a Sunday"),
        (date(2026, 11, 24), "2026-11-24 is a market holiday"),
        (date(2023, 5, 5), "no holiday list of 2023 is known"),
    ],
)
def test_a_day_without_trading_is_refused_with_its_reason(day: date, says: str) -> None:
    with pytest.raises(ValueError, match=f"day must be a trading day: {says}"):
        choose(None, day=day)


@pytest.mark.parametrize("today", [date(2026, 12, 31), date(2027, 6, 1)])
def test_where_the_calendar_ends_its_last_trading_day_is_played(today: date) -> None:
    assert next_known_day(CALENDAR, date(2026, 12, 30)) == date(2026, 12, 31)
    assert next_known_day(CALENDAR, today) == date(2026, 12, 31)


def test_after_the_calendars_last_day_there_is_a_remedy() -> None:
    with pytest.raises(ValueError, match=r"2026-12-31 is the last trading day that the calendar knows; .*--fresh"):
        choose(kept(date(2026, 12, 31), is_finished=True))
