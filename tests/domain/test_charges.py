"""Charges of executed orders: the broker's own contract notes, dated rates, and what must always hold."""

import json
from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.mocks import MOCKS, needs_mocks
from trading.domain.charge_rates import ChargeKind, ChargeRates, charge_table
from trading.domain.charges import Charges, charges_of, kind_of, together
from trading.domain.instruments import Instrument, InstrumentType
from trading.domain.orders import Side

NOTE = MOCKS / "virtual_contract_note.json"
JULY_2023 = date(2023, 7, 13)
TODAY = date(2026, 11, 23)


def instrument(symbol: str, exchange: str, kind: InstrumentType = InstrumentType.EQ) -> Instrument:
    return Instrument(exchange, symbol, 1, Decimal("0.05"), 1, kind, segment=exchange)


SBIN = instrument("SBIN", "NSE")
GOLD = instrument("GOLDPETAL23JULFUT", "MCX", InstrumentType.FUT)
PUT = instrument("NIFTY2371317900PE", "NFO", InstrumentType.PE)
FUTURE = instrument("NIFTY26NOVFUT", "NFO", InstrumentType.FUT)
INDEX = instrument("NIFTY 50", "NSE", InstrumentType.INDEX)
TRADED = [
    (SBIN, "MIS"),
    (SBIN, "CNC"),
    (instrument("SBIN", "BSE"), "CNC"),
    (GOLD, "NRML"),
    (PUT, "MIS"),
    (FUTURE, "NRML"),
]


def cost(
    of: Instrument, product: str, side: Side, quantity: int, price: str | int | Decimal, day: date = TODAY
) -> Charges:
    return charges_of(of, product=product, side=side, turnover=quantity * Decimal(price), day=day)


@needs_mocks
@pytest.mark.parametrize("number", [0, 1, 2])
def test_the_brokers_own_contract_notes_come_out_digit_for_digit(number: int) -> None:
    row: dict[str, Any] = json.loads(NOTE.read_text(), parse_float=Decimal)["data"][number]
    of = {one.tradingsymbol: one for one in (SBIN, GOLD, PUT)}[row["tradingsymbol"]]

    charges = cost(of, row["product"], Side(row["transaction_type"]), row["quantity"], row["price"], JULY_2023)

    noted = row["charges"]
    assert charges.tax_name == noted["transaction_tax_type"]
    found = {
        "transaction_tax": charges.transaction_tax,
        "exchange_turnover_charge": charges.exchange_turnover,
        "sebi_turnover_charge": charges.sebi_turnover,
        "brokerage": charges.brokerage,
        "stamp_duty": charges.stamp_duty,
    }
    assert found == {name: noted[name] for name in found}
    assert float(charges.gst) == pytest.approx(float(noted["gst"]["igst"]), abs=1e-15)  # the note's own float noise
    assert float(charges.total) == pytest.approx(float(noted["total"]), abs=1e-13)


def test_the_sale_of_a_delivery_worked_out_by_hand() -> None:
    charges = cost(SBIN, "CNC", Side.SELL, 10, "1500", date(2024, 6, 13))

    assert charges.transaction_tax == Decimal("15.00")
    assert charges.exchange_turnover == Decimal("0.498")  # 0.00322 % and the fund's 0.0001 %
    assert charges.sebi_turnover == Decimal("0.015")
    assert charges.gst == Decimal("0.08964")  # 18 % of 0.483 + 0.015
    assert charges.brokerage == charges.stamp_duty == 0
    assert charges.total == Decimal("15.60264")


@pytest.mark.parametrize(
    ("day", "of", "tax"),
    [
        (date(2024, 9, 30), FUTURE, "12.5"),
        (date(2024, 10, 1), FUTURE, "20"),
        (date(2026, 3, 31), FUTURE, "20"),
        (date(2026, 4, 1), FUTURE, "50"),
        (date(2024, 9, 30), PUT, "62.5"),
        (date(2024, 10, 1), PUT, "100"),
        (date(2026, 3, 31), PUT, "100"),
        (date(2026, 4, 1), PUT, "150"),
    ],
)
def test_the_tax_of_a_sale_changes_with_the_budget(day: date, of: Instrument, tax: str) -> None:
    assert cost(of, "NRML", Side.SELL, 100, 1000, day).transaction_tax == Decimal(tax)


@pytest.mark.parametrize(
    ("day", "fee"), [(date(2024, 3, 31), "3.35"), (date(2024, 9, 30), "3.32"), (date(2024, 10, 1), "3.07")]
)
def test_the_exchanges_fee_changes_with_its_circulars(day: date, fee: str) -> None:
    assert cost(SBIN, "MIS", Side.BUY, 100, 1000, day).exchange_turnover == Decimal(fee)


def test_brokerage_is_a_share_up_to_the_cap_nothing_on_delivery_and_flat_on_options() -> None:
    assert cost(SBIN, "MIS", Side.BUY, 10, 1000).brokerage == 3
    assert cost(SBIN, "MIS", Side.BUY, 1000, 1000).brokerage == 20
    assert cost(SBIN, "CNC", Side.BUY, 1000, 1000).brokerage == 0
    assert cost(PUT, "MIS", Side.BUY, 1, 1).brokerage == 20


def test_stamp_duty_is_whole_rupees_on_the_purchase_alone() -> None:
    assert cost(SBIN, "MIS", Side.BUY, 100, 1500).stamp_duty == 5  # 4.50, half up
    assert cost(SBIN, "MIS", Side.SELL, 100, 1500).stamp_duty == 0


def test_rows_of_one_kind_neither_overlap_nor_leave_a_gap() -> None:
    rows: dict[tuple[str, ChargeKind], list[ChargeRates]] = defaultdict(list)
    for row in charge_table().rows:
        rows[row.exchange, row.kind].append(row)

    for kind, dated in rows.items():
        ordered = sorted(dated, key=lambda row: row.valid_from)
        assert ordered[-1].valid_to is None, kind
        for earlier, later in pairwise(ordered):
            assert earlier.valid_to is not None, kind
            assert later.valid_from == earlier.valid_to + timedelta(days=1), kind


@pytest.mark.parametrize(
    ("of", "product", "day"),
    [
        (INDEX, "MIS", TODAY),
        (instrument("X", "NCO", InstrumentType.FUT), "NRML", TODAY),
        (SBIN, "MIS", date(2023, 3, 31)),
        (instrument("SENSEX24JUNFUT", "BFO", InstrumentType.FUT), "NRML", date(2024, 6, 13)),
    ],
)
def test_what_has_no_rates_raises_instead_of_costing_nothing(of: Instrument, product: str, day: date) -> None:
    with pytest.raises(LookupError):
        cost(of, product, Side.BUY, 1, 100, day)


def test_a_negative_turnover_raises() -> None:
    with pytest.raises(ValueError, match="must not be negative"):
        cost(SBIN, "MIS", Side.BUY, 1, -1)


def test_a_commodity_and_a_stock_have_kinds_of_their_own() -> None:
    assert kind_of(GOLD, "NRML") is ChargeKind.COMMODITY_FUTURE
    assert kind_of(instrument("G", "MCX", InstrumentType.CE), "NRML") is ChargeKind.COMMODITY_OPTION
    assert kind_of(SBIN, "MTF") is ChargeKind.EQUITY_DELIVERY


@given(
    st.sampled_from(TRADED),
    st.sampled_from(list(Side)),
    st.integers(1, 10**6),
    st.decimals(0, 10**5, places=2),
    st.dates(date(2023, 4, 1), date(2030, 1, 1)),
)
def test_charges_are_never_negative_and_the_total_is_their_sum(
    traded: tuple[Instrument, str], side: Side, quantity: int, price: Decimal, day: date
) -> None:
    charges = cost(*traded, side, quantity, price, day)

    parts = [
        charges.transaction_tax,
        charges.exchange_turnover,
        charges.sebi_turnover,
        charges.brokerage,
        charges.stamp_duty,
        charges.gst,
    ]
    assert min(parts) >= 0
    assert charges.total == sum(parts)
    assert charges.brokerage <= 20
    assert together([charges, charges]).total == 2 * charges.total
