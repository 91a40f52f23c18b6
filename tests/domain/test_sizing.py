"""Capital to lots, and slices under the freeze quantity."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.domain.sizing import quantity_for, slice_by_freeze


def test_capital_buys_whole_lots_only() -> None:
    assert quantity_for(Decimal(100_000), Decimal("1487.35"), 1) == 67
    assert quantity_for(Decimal(100_000), Decimal("250"), 75) == 375
    assert quantity_for(Decimal(18_749), Decimal("250"), 75) == 0


@given(st.integers(0, 10**12), st.integers(1, 10**8), st.integers(1, 5000))
def test_the_quantity_is_the_most_that_the_capital_pays_for(paise: int, price_paise: int, lot_size: int) -> None:
    capital, price = Decimal(paise) / 100, Decimal(price_paise) / 100

    quantity = quantity_for(capital, price, lot_size)

    assert quantity % lot_size == 0
    assert quantity * price <= capital < (quantity + lot_size) * price


@pytest.mark.parametrize(
    ("capital", "price", "lot_size"), [("1", "0", 1), ("1", "-1", 1), ("1", "1", 0), ("-1", "1", 1)]
)
def test_a_size_without_meaning_is_refused(capital: str, price: str, lot_size: int) -> None:
    with pytest.raises(ValueError, match="must be positive"):
        quantity_for(Decimal(capital), Decimal(price), lot_size)


def test_an_order_at_the_freeze_quantity_stays_whole_and_one_lot_above_is_split() -> None:
    assert slice_by_freeze(1800, lot_size=75, freeze_quantity=1800) == [1800]
    assert slice_by_freeze(1875, lot_size=75, freeze_quantity=1800) == [1800, 75]
    assert slice_by_freeze(3510, lot_size=65, freeze_quantity=3511) == [3510]


@given(st.integers(1, 500), st.integers(1, 100), st.integers(1, 5000))
def test_slices_are_whole_lots_within_the_freeze_quantity_and_add_up(lots: int, lot_size: int, freeze: int) -> None:
    if freeze < lot_size:
        with pytest.raises(ValueError, match="below one lot"):
            slice_by_freeze(lots * lot_size, lot_size=lot_size, freeze_quantity=freeze)
        return

    slices = slice_by_freeze(lots * lot_size, lot_size=lot_size, freeze_quantity=freeze)

    assert sum(slices) == lots * lot_size
    assert all(0 < one <= freeze and one % lot_size == 0 for one in slices)
    assert slices == sorted(slices, reverse=True)


@pytest.mark.parametrize("quantity", [0, -75, 100])
def test_a_quantity_that_is_no_whole_lots_is_refused(quantity: int) -> None:
    with pytest.raises(ValueError, match="must be a positive multiple of 75"):
        slice_by_freeze(quantity, lot_size=75, freeze_quantity=1800)
