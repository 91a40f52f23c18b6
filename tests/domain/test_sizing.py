"""Capital to lots."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.domain.sizing import quantity_for


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
