"""The one door for a float, and the ways in and out of the hot loop's integers."""

from decimal import Decimal

import pytest

from trading.domain.money import format_scaled, from_scaled, round_to_tick, to_decimal, to_paisa, to_scaled


def test_a_float_comes_in_as_it_is_written() -> None:
    assert to_decimal(1487.35) == Decimal("1487.35")
    assert to_decimal("0.0025") == Decimal("0.0025")


@pytest.mark.parametrize("value", [True, None, "NaN", float("inf"), "12,5", [], "1e999999999"])
def test_what_is_no_number_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="number was"):
        to_decimal(value)


@pytest.mark.parametrize(
    ("price", "tick", "rounded"),
    [("100.025", "0.05", "100.05"), ("100.024", "0.05", "100.00"), ("-0.025", "0.05", "0.00"), ("7", "5", "5")],
)
def test_a_price_is_rounded_to_the_nearest_tick_and_a_tie_goes_up(price: str, tick: str, rounded: str) -> None:
    assert round_to_tick(Decimal(price), Decimal(tick)) == Decimal(rounded)


def test_a_price_finer_than_the_hot_loop_is_refused() -> None:
    assert to_scaled(Decimal("1487.3525")) == 14_873_525
    assert from_scaled(14_873_525) == Decimal("1487.3525")
    with pytest.raises(ValueError, match=r"multiple of 0\.0001"):
        to_scaled(Decimal("0.00005"))


def test_a_scaled_price_is_shown_with_two_decimals_and_more_only_where_it_has_them() -> None:
    assert [format_scaled(n) for n in (1_081_000, 25, 838_125, -100, 0)] == [
        "108.10", "0.0025", "83.8125", "-0.01", "0.00",
    ]  # fmt: skip


def test_rupees_are_rounded_half_up_and_never_to_a_negative_zero() -> None:
    assert str(to_paisa(Decimal("1.005"))) == "1.01"
    assert str(to_paisa(Decimal("-1.005"))) == "-1.01"
    assert str(to_paisa(Decimal("-0.004"))) == "0.00"
