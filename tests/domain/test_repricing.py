"""Where the limit of an exit goes: the broker's own bands, and never outside the circuits."""

from decimal import Decimal

import pytest

from trading.domain.instruments import InstrumentType
from trading.domain.orders import Side
from trading.domain.repricing import PriceQuote, automatic_percent, next_limit, widening

SHARE, OPTION = InstrumentType.EQ, InstrumentType.CE
TICK = Decimal("0.05")


@pytest.mark.parametrize(
    ("kind", "price", "percent"),
    [
        (SHARE, "99.95", "2"), (SHARE, "100", "1"), (SHARE, "499.95", "1"), (SHARE, "500", "0.5"),
        (OPTION, "9.95", "5"), (OPTION, "10", "3"), (OPTION, "99.95", "3"), (OPTION, "100", "2"), (OPTION, "500", "1"),
    ],
)  # fmt: skip
def test_a_band_holds_from_its_price_on(kind: InstrumentType, price: str, percent: str) -> None:
    assert automatic_percent(kind, Decimal(price)) == Decimal(percent)


def test_every_further_step_is_as_wide_as_the_last_one() -> None:
    assert [widening(step, SHARE, Decimal(1000)) for step in (0, 1, 2, 3, 9)] == [2, 3, 5, 5, 5]


def test_no_step_is_narrower_than_the_brokers_own_band_that_the_order_left_with() -> None:
    assert [widening(step, SHARE, Decimal(50)) for step in (0, 1, 2)] == [4, 6, 8]


@pytest.mark.parametrize(("side", "limit"), [(Side.BUY, "102"), (Side.SELL, "98")])
def test_a_limit_stays_inside_the_circuits(side: Side, limit: str) -> None:
    quote = PriceQuote(Decimal(100), Decimal(98), Decimal(102))

    assert next_limit(side, quote, Decimal(5), TICK, None) == Decimal(limit)


@pytest.mark.parametrize(("side", "last"), [(Side.BUY, "102"), (Side.SELL, "98")])
def test_a_price_at_the_end_of_its_band_is_locked_for_whoever_would_go_beyond(side: Side, last: str) -> None:
    quote = PriceQuote(Decimal(last), Decimal(98), Decimal(102))

    assert quote.is_locked(side)
    assert not quote.is_locked(side.opposite)
