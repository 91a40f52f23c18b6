"""How much one order may have, and the slices of more."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.domain.instruments import Instrument, InstrumentType
from trading.domain.slicing import FreezeRow, FreezeTable, most_units, slice_by

NIFTY = Instrument("NFO", "NIFTY26DECFUT", 1, Decimal("0.05"), 65, InstrumentType.FUT, name="NIFTY")
SBIN = Instrument("NFO", "SBIN26DECFUT", 2, Decimal("0.05"), 750, InstrumentType.FUT, name="SBIN")


def test_the_most_is_whole_lots_below_the_freeze_quantity() -> None:
    assert most_units(NIFTY.key, NIFTY) == 1755
    assert most_units("NFO:NIFTY26NOV24000CE", None) == 1800, "by its name, where nobody described it"


def test_a_future_of_a_stock_goes_by_lots_and_a_stranger_without_a_lot_size_by_nothing() -> None:
    assert most_units(SBIN.key, SBIN) == 40 * 750
    assert most_units("NFO:SBIN26DECFUT", None) is None


def test_a_stock_goes_by_the_bound_that_is_assumed() -> None:
    assert most_units("NSE:INFY", None) == 100_000


def test_the_row_in_force_on_the_day_counts() -> None:
    rows = [
        FreezeRow("NFO", "NIFTY", date(2026, 1, 1), 1800, None),
        FreezeRow("NFO", "NIFTY", date(2027, 1, 1), 900, None),
    ]
    table = FreezeTable(rows)

    found = [table.find("NFO", "NIFTY", day) for day in (date(2025, 1, 1), date(2026, 12, 31), date(2027, 1, 1), None)]

    assert [row and row.units for row in found] == [1800, 1800, 900, 900]


@given(quantity=st.integers(1, 10**6), most=st.none() | st.integers(1, 5000))
def test_slices_add_up_and_none_is_above_the_most(quantity: int, most: int | None) -> None:
    slices = slice_by(quantity, most)

    assert sum(slices) == quantity
    assert all(0 < part <= (most or quantity) for part in slices)
    assert slices == sorted(slices, reverse=True)


def test_nothing_cannot_be_sliced() -> None:
    with pytest.raises(ValueError, match="was 0"):
        slice_by(0, 5)
