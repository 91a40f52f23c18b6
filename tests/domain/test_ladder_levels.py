"""Levels are exact, rounded once, ties to the higher price; and the reasons for leaving an instrument alone."""

from decimal import Decimal
from fractions import Fraction
from math import floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.ladders import make_ladder, tick
from trading.domain.ladder_config import LadderConfig
from trading.domain.ladder_levels import compute_levels


def levels(high: str, low: str, tick_size: str = "0.05") -> dict[str, dict[str, object]]:
    return compute_levels(LadderConfig(), high=Decimal(high), low=Decimal(low), tick_size=Decimal(tick_size)).as_dict()


def test_a_tie_goes_to_the_higher_price_on_both_sides() -> None:
    # R = 12.50: B = 100 + 10.125, exactly between 110.10 and 110.15; S = 112.50 - 11.375 = 101.125.
    both = levels("112.50", "100.00")

    assert both["long"]["entry"] == "110.15"
    assert both["short"]["entry"] == "101.15"


def test_targets_start_from_the_rounded_entry_and_the_unrounded_range() -> None:
    # B = 100 + 0.81 * 10.33 = 108.3673 -> 108.35; T1 = 108.35 + 0.5165 = 108.8665 -> 108.85 (from 108.3673: 108.90).
    both = levels("110.33", "100.00")

    assert both["long"]["entry"] == "108.35"
    targets = both["long"]["targets"]
    assert isinstance(targets, list)
    assert targets[0] == "108.85"


def test_the_second_stop_is_the_entry_level() -> None:
    both = compute_levels(LadderConfig(), high=Decimal("1502.35"), low=Decimal("1471.10"), tick_size=Decimal("0.10"))

    assert both.long.stops[1] == both.long.entry
    assert both.short.stops[1] == both.short.entry
    assert both.long.stops[2] == both.long.targets[0]


def test_a_currency_tick_keeps_four_decimals() -> None:
    assert levels("84.0025", "83.0000", "0.0025")["long"]["entry"] == "83.8125"


@pytest.mark.parametrize("tick_size", ["0", "-0.05", "0.00001"])
def test_a_tick_size_that_is_none_is_refused(tick_size: str) -> None:
    with pytest.raises(ValueError, match="must be"):
        levels("110", "100", tick_size)


@given(
    low=st.integers(1, 10**9).map(lambda n: Decimal(n) / 100),
    spread=st.integers(1, 10**9).map(lambda n: Decimal(n) / 100),
    tick_size=st.sampled_from(["0.0025", "0.01", "0.05", "0.10", "1", "5"]).map(Decimal),
)
def test_every_level_is_the_nearest_multiple_of_the_tick(low: Decimal, spread: Decimal, tick_size: Decimal) -> None:
    config = LadderConfig()
    both = compute_levels(config, high=low + spread, low=low, tick_size=tick_size)
    step = Fraction(tick_size)

    def nearest(price: Fraction) -> Fraction:
        return floor(price / step + Fraction(1, 2)) * step

    entry = nearest(Fraction(low) + Fraction("0.81") * Fraction(spread))
    assert Fraction(both.long.entry, 10_000) == entry
    for fraction, target in zip(config.target_fractions, both.long.targets, strict=True):
        assert Fraction(target, 10_000) == nearest(entry + Fraction(fraction) * Fraction(spread))
    sell = nearest(Fraction(low + spread) - Fraction("0.91") * Fraction(spread))
    for fraction, stop in zip(config.stop_fractions, both.short.stops, strict=True):
        assert Fraction(stop, 10_000) == nearest(sell - Fraction(fraction) * Fraction(spread))


@pytest.mark.parametrize(
    ("high", "low", "reason"),
    [
        ("100", "100", "range_too_small"),
        ("99", "100", "range_too_small"),
        ("100.50", "100", "range_too_small"),  # T1 rounds onto the entry's neighbour and stops coincide
        ("30", "1", "range_too_small"),  # the short side's T10 would be below zero
    ],
)
def test_a_range_that_gives_no_clean_ladder_is_left_alone(high: str, low: str, reason: str) -> None:
    ladder = make_ladder(high=high, low=low)

    assert ladder.not_traded is not None
    assert ladder.not_traded.reason == reason
    assert ladder.levels is None
    assert tick(ladder, "108.10") == ()


def test_a_first_step_below_the_smallest_wanted_is_left_alone_on_either_side() -> None:
    # |T1 - entry| is 0.50: 46.25 bps of the long entry 108.10, 49.55 bps of the short entry 100.90.
    wide_enough = make_ladder(min_step_bps="46")
    too_small = make_ladder(min_step_bps="47")

    assert wide_enough.not_traded is None
    assert too_small.not_traded is not None
    assert too_small.not_traded.reason == "step_too_small"


def test_a_first_step_of_exactly_the_smallest_wanted_is_traded() -> None:
    # Long entry 100.00, T1 100.50: 50 bps; the short side's step is larger.
    assert make_ladder(high="101.90", low="91.90", min_step_bps="50").not_traded is None
    assert make_ladder(high="101.90", low="91.90", min_step_bps="50.01").not_traded is not None


def test_entry_levels_that_meet_are_left_alone() -> None:
    ladder = make_ladder(entry_buy_fraction="0.5", entry_sell_fraction="0.5")

    assert ladder.not_traded is not None
    assert ladder.not_traded.reason == "range_too_small"


def test_a_quantity_of_too_few_whole_lots_is_left_alone() -> None:
    assert make_ladder(quantity=49, lot_size=25, min_lots=1).not_traded is None
    assert make_ladder(quantity=49, lot_size=25, min_lots=2).not_traded is not None


def test_levels_are_known_even_where_the_step_is_too_small() -> None:
    assert make_ladder(min_step_bps="47").computed_levels is not None
