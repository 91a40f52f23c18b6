"""Numbers on the pages: Indian grouping, a sign on P&L, a dash for the unknown."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from trading.web import formats


@pytest.mark.parametrize(
    ("digits", "grouped"),
    [("0", "0"), ("123", "123"), ("1234", "1,234"), ("123456", "1,23,456"), ("1234567890", "1,23,45,67,890")],
)
def test_digits_are_grouped_the_indian_way(digits: str, grouped: str) -> None:
    assert formats.group_indian(digits) == grouped


@pytest.mark.parametrize(
    ("value", "text", "sign"),
    [
        ("123456", "+₹1,23,456.00", "up"),
        ("-0.5", "−₹0.50", "down"),
        ("0", "₹0.00", "flat"),
        ("-0.004", "₹0.00", "flat"),
        ("0.005", "+₹0.01", "up"),
        ("1E+3", "+₹1,000.00", "up"),
    ],
)
def test_pnl_has_a_sign_and_zero_has_none(value: str, text: str, sign: str) -> None:
    assert formats.pnl(Decimal(value)) == text
    assert formats.sign_of(Decimal(value)) == sign


def test_the_unknown_is_a_dash() -> None:
    assert formats.pnl(None) == formats.price(None) == formats.ist(None) == formats.age(None) == "—"


def test_times_are_ist_to_the_second_and_to_the_millisecond_in_traces() -> None:
    moment = datetime(2026, 11, 23, 5, 12, 7, 123999, tzinfo=UTC)

    assert formats.ist(moment) == "10:42:07"
    assert formats.ist(moment, with_ms=True) == "10:42:07.123"


@pytest.mark.parametrize(("seconds", "words"), [(0.42, "0.4 s"), (12.7, "13 s"), (119.0, "119 s"), (185.0, "3 min")])
def test_an_age_is_said_as_a_person_would(seconds: float, words: str) -> None:
    assert formats.age(seconds) == words
