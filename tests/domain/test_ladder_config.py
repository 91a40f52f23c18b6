"""What the ladder's configuration refuses, and what it only warns of."""

from datetime import time
from decimal import Decimal
from typing import Any

import pytest

from trading.domain.ladder_config import LadderConfig, LadderConfigError

TENTHS = ["0.1"] * 10
TARGETS = ["0.05", "0.10", "0.15", "0.20", "0.25", "0.30", "0.35", "0.40", "0.45", "0.50"]
STOPS = ["-0.50", "0.00", "0.05", "0.10", "0.15", "0.20", "0.25", "0.30", "0.35", "0.40"]


def changed(values: list[str], number: int, value: str) -> list[str]:
    return [*values[: number - 1], value, *values[number:]]


def test_an_empty_mapping_gives_the_810_910_ladder() -> None:
    config = LadderConfig.from_mapping({})

    assert config.entry_buy_fraction == Decimal("0.810")
    assert config.entry_sell_fraction == Decimal("0.910")
    assert [str(f) for f in config.target_fractions] == TARGETS
    assert [str(g) for g in config.stop_fractions] == STOPS
    assert config.warnings() == []


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"target_fractions": changed(TARGETS, 3, "0.10")}, "target_fractions must strictly increase"),
        ({"target_fractions": changed(TARGETS, 1, "0")}, "first target fraction must be above 0"),
        ({"stop_fractions": changed(STOPS, 4, "0.05")}, "stop_fractions must strictly increase"),
        ({"stop_fractions": changed(STOPS, 1, "0")}, "first stop fraction must be below 0"),
        ({"stop_fractions": changed(STOPS, 10, "0.4501")}, "stop 10 at 0.4501 lies beyond target 9"),
        ({"booking_fractions": ["-0.1", "0.3", *TENTHS[2:]]}, "booking fraction 1 must not be negative"),
        ({"booking_fractions": changed(TENTHS, 1, "0.11")}, "add up to 1, added up to 1.01"),
        ({"booking_fractions": TENTHS[:9]}, "booking_fractions must have 10 values, had 9"),
        ({"entry_buy_fraction": "1"}, "entry_buy_fraction must lie between 0 and 1"),
        ({"entry_sell_fraction": "0"}, "entry_sell_fraction must lie between 0 and 1"),
        ({"no_new_entry_after": "15:15:01"}, "times must be in order"),
        ({"session_start": "15:00:01"}, "times must be in order"),
        ({"max_entries_per_side": 0}, "max_entries_per_side must be at least 1"),
        ({"min_lots": 0}, "min_lots must be at least 1"),
        ({"min_step_bps": "-1"}, "min_step_bps must not be negative"),
        ({"sides": "up"}, "sides: one of both, long, short"),
        ({"trigger": None}, "trigger: one of cross, level"),
        ({"min_lots": "2"}, "min_lots: a whole number"),
        ({"max_entries_per_side": True}, "max_entries_per_side: a whole number"),
        ({"min_step_bps": "NaN"}, "min_step_bps: number was 'NaN'"),
        ({"square_off_at": "15:15"}, "square_off_at: a time HH:MM:SS"),
        ({"square_off_at": "25:00:00"}, "square_off_at: "),
        ({"entry_fraction": "0.8"}, "entry_fraction is not a setting of the ladder"),
        ({"range_source": "opening_range", "session_start": "09:20:00"}, "before the opening range ends at 09:30:00"),
        ({"range_source": "opening_range", "opening_range_minutes": 600}, "times must be in order"),
        ({"range_source": "opening_range", "opening_range_minutes": -600}, "opening_range_minutes must be at least 1"),
        ({"manual_high": "110"}, "manual_high and manual_low belong together"),
        ({"manual_high": "100", "manual_low": "100"}, "manual_high must be above manual_low, were 100 and 100"),
        ({"manual_high": "110", "manual_low": "0"}, "manual_low must be above 0"),
        ({"manual_high": "1e40", "manual_low": "1"}, "manual_high must be above 0, below 1,000,000,000"),
        ({"manual_high": "110.00001", "manual_low": "1"}, "have at most four decimals, was 110.00001"),
        ({"manual_high": "high", "manual_low": "1"}, "manual_high: number was 'high'"),
    ],
)
def test_a_broken_configuration_is_refused_with_the_reason(given: dict[str, Any], reason: str) -> None:
    with pytest.raises(LadderConfigError, match=reason):
        LadderConfig.from_mapping(given)


def test_all_problems_are_named_at_once() -> None:
    given = {
        "target_fractions": changed(TARGETS, 1, "-0.05"),
        "booking_fractions": changed(TENTHS, 2, "0.2"),
        "no_new_entry_after": "15:30:00",
    }

    with pytest.raises(LadderConfigError) as refused:
        LadderConfig.from_mapping(given)

    text = str(refused.value)
    assert "first target" in text
    assert "add up to 1" in text
    assert "times must be in order" in text
    assert len(refused.value.problems) == 4  # the stop beyond the lowered first target is the fourth


def test_a_sum_that_only_rounds_to_one_is_refused() -> None:
    thirds = ["0." + "3" * 30, "0." + "3" * 30, "0." + "3" * 29 + "4", *["0"] * 7]
    almost = changed(thirds, 3, "0." + "3" * 29 + "3")

    LadderConfig.from_mapping({"booking_fractions": thirds})
    with pytest.raises(LadderConfigError, match="add up to 1"):
        LadderConfig.from_mapping({"booking_fractions": almost})


def test_a_stop_equal_to_the_target_that_set_it_is_allowed_with_a_warning() -> None:
    config = LadderConfig.from_mapping({"stop_fractions": changed(STOPS, 10, "0.45")})

    assert config.warnings() == ["Y10 equals T9 (both 0.45): an unchanged price then stops out at once"]


def test_fractions_that_put_the_sell_level_above_the_buy_level_are_warned_of() -> None:
    config = LadderConfig.from_mapping({"entry_buy_fraction": "0.5", "entry_sell_fraction": "0.5"})

    assert "nothing would ever be traded" in config.warnings()[0]


def test_the_session_starts_at_the_end_of_the_opening_range() -> None:
    default = LadderConfig.from_mapping({"range_source": "opening_range"})
    longer = LadderConfig.from_mapping({"range_source": "opening_range", "opening_range_minutes": 45})
    later = LadderConfig.from_mapping({"range_source": "opening_range", "session_start": "10:00:00"})

    assert default.session_start == time(9, 30)
    assert longer.session_start == time(10, 0)
    assert later.session_start == time(10, 0)


def test_a_range_by_hand_has_its_prices_in_the_configuration_or_from_the_caller() -> None:
    by_hand = LadderConfig.from_mapping({"range_source": "manual", "manual_high": "110.05", "manual_low": 100})

    assert (by_hand.manual_high, by_hand.manual_low) == (Decimal("110.05"), Decimal(100))
    assert LadderConfig.from_mapping(by_hand.to_mapping()) == by_hand
    assert LadderConfig.from_mapping({"range_source": "manual"}).manual_high is None


def test_a_configuration_survives_its_mapping() -> None:
    config = LadderConfig.from_mapping({"trigger": "level", "min_step_bps": "2.5", "max_entries_per_side": 3})

    assert LadderConfig.from_mapping(config.to_mapping()) == config
