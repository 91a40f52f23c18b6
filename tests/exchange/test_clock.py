"""Where the market's clock ends a day, and what it calls its moments: by the day's rows."""

from datetime import date, time

import pytest

from trading.domain.calendar import CalendarError, MarketCalendar
from trading.domain.timezone import at_ist
from trading.exchange.clock import MarketClock, to_ms

CALENDAR = MarketCalendar.load()
TODAY, LATER, SATURDAY, MUHURAT = date(2026, 11, 23), date(2026, 12, 7), date(2024, 5, 18), date(2026, 11, 8)


def clock(day: date, moment: time) -> MarketClock:
    return MarketClock(day=day, calendar=CALENDAR, now_ms=to_ms(at_ist(day, moment)), speed=1, pace="hold")


@pytest.mark.parametrize(
    ("day", "end"),
    [
        (date(2026, 7, 31), time(16)),
        (TODAY, time(16)),
        (LATER, time(16)),
        (SATURDAY, time(12, 50)),
        (MUHURAT, time(19, 15)),
    ],
)
def test_a_day_is_over_with_its_last_session(day: date, end: time) -> None:
    assert clock(day, end).end_ms == to_ms(at_ist(day, end))
    assert clock(day, end).is_finished
    assert not clock(day, (end.replace(hour=end.hour - 1))).is_finished


def test_a_day_without_any_session_has_no_end() -> None:
    with pytest.raises(CalendarError, match="there is no session: 2026-11-24 is a market holiday"):
        assert clock(date(2026, 11, 24), time(10)).end_ms


@pytest.mark.parametrize(
    ("day", "moment", "phase"),
    [
        (TODAY, time(8, 59), "pre_market"),
        (TODAY, time(9, 6), "pre_open"),
        (TODAY, time(15, 14), "open"),
        (TODAY, time(15, 20), "open"),
        (TODAY, time(15, 34), "closing_auction"),
        (TODAY, time(15, 45), "post_close"),
        (TODAY, time(16), "closed"),
        (LATER, time(15, 29), "open"),
        (LATER, time(15, 35), "closing_auction"),
        (LATER, time(15, 59), "post_close"),
        (SATURDAY, time(9, 30), "open"),
        (SATURDAY, time(11, 20), "pre_open"),
        (SATURDAY, time(12), "open"),
        (SATURDAY, time(12, 45), "post_close"),
        (MUHURAT, time(17, 59), "pre_market"),
        (MUHURAT, time(18, 30), "open"),
        (MUHURAT, time(19, 15), "closed"),
    ],
)
def test_one_word_says_what_the_market_does(day: date, moment: time, phase: str) -> None:
    assert clock(day, moment).phase == phase
