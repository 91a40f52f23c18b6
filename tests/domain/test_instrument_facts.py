"""What of an instrument may not change unseen, and in which words a person is told."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from trading.domain.instrument_facts import change_words, changed_facts, why_unfit
from trading.domain.instruments import Instrument, InstrumentType

DAY = date(2026, 11, 23)
FUTURE = Instrument(
    "NFO", "NIFTY26NOVFUT", 12345, Decimal("0.0500"), 75, InstrumentType.FUT, "NFO-FUT", expiry=date(2026, 11, 24)
)
STOCK = Instrument("NSE", "INFY", 408065, Decimal("0.05"), 1, has_derivatives=True)


@pytest.mark.parametrize(
    ("listed", "words"),
    [
        ({"token": 12601}, "feed token was 12345, the list says 12601"),
        ({"tick_size": Decimal("0.1")}, "tick size was 0.05, the list says 0.1"),
        ({"lot_size": 65}, "lot size was 75, the list says 65"),
        ({"expiry": date(2026, 10, 27)}, "expiry was 2026-11-24, the list says 2026-10-27"),
        ({"expiry": None}, "expiry was 2026-11-24, the list says none"),
        ({"strike": Decimal(1)}, "strike was 0, the list says 1"),
        (
            {"lot_size": 65, "segment": "NFO"},
            "lot size was 75, the list says 65; segment was NFO-FUT, the list says NFO",
        ),
        ({"name": "another name"}, ""),
        ({"tick_size": Decimal("0.05")}, ""),
    ],
)
@pytest.mark.proves("F06")
def test_every_fact_that_prices_and_orders_hang_on_is_named_with_both_values(
    listed: dict[str, Any], words: str
) -> None:
    assert change_words(changed_facts(FUTURE, replace(FUTURE, **listed))) == words


def test_a_stock_that_lost_its_derivatives_would_end_later_so_a_person_looks_the_other_way_round_nobody_must() -> None:
    without = replace(STOCK, has_derivatives=False)

    assert change_words(changed_facts(STOCK, without)) == "has derivatives was True, the list says False"
    assert changed_facts(without, STOCK) == {}


def test_an_expired_or_vanished_instrument_is_unfit_whatever_else_is_said_of_it() -> None:
    changed = {"lot_size": ("75", "65")}

    assert why_unfit(changed, expiry=date(2026, 11, 20), is_listed=True, day=DAY) == "it expired on 2026-11-20"
    assert why_unfit({}, expiry=None, is_listed=False, day=DAY) == "the broker's list of 2026-11-23 does not have it"
    assert why_unfit(changed, expiry=DAY, is_listed=True, day=DAY) == "lot size was 75, the list says 65"
    assert why_unfit({}, expiry=DAY, is_listed=True, day=DAY) == ""
