"""The market's clock."""

from datetime import UTC, date, datetime, time

import pytest

from trading.domain.timezone import at_ist, format_second, ist_day, midnight_epoch, second_of_day, time_of


def test_the_market_s_day_begins_at_half_past_six_in_the_evening_utc() -> None:
    assert ist_day(datetime(2026, 11, 22, 18, 29, 59, tzinfo=UTC)) == date(2026, 11, 22)
    assert ist_day(datetime(2026, 11, 22, 18, 30, tzinfo=UTC)) == date(2026, 11, 23)


def test_an_exchange_stamp_less_midnight_is_the_second_of_the_day() -> None:
    day = date(2026, 11, 23)
    stamp = int(at_ist(day, time(15, 14, 59)).timestamp())

    assert stamp - midnight_epoch(day) == second_of_day(time(15, 14, 59))
    assert format_second(stamp - midnight_epoch(day)) == "15:14:59"


def test_a_second_outside_the_day_is_no_time() -> None:
    assert time_of(86_399) == time(23, 59, 59)
    with pytest.raises(ValueError, match="hour"):
        time_of(86_400)
