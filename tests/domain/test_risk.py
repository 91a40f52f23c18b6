"""Each rule lets pass what it should, denies at its limit, and fails closed on what is unknown."""

from datetime import date, time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.domain import risk
from trading.domain.calendar import MarketCalendar
from trading.domain.caps import HOUSE, OWN, Cap
from trading.domain.instruments import InstrumentClass
from trading.domain.timezone import at_ist

DAY = date(2026, 11, 23)


def code(denial: risk.Denial | None) -> str | None:
    return denial.code if denial else None


@pytest.mark.proves("I4")
@given(net=st.integers(-100, 100), working=st.integers(0, 100), order=st.integers(-100, 100))
def test_no_exit_with_those_already_working_ever_exceeds_or_flips_the_position(
    net: int, working: int, order: int
) -> None:
    denial = risk.check_reduce_only(net_quantity=net, working_exit_quantity=working, signed_quantity=order)

    if denial is None:
        assert net * order < 0
        assert abs(order) + working <= abs(net)
    elif net * order < 0:
        assert abs(order) + working > abs(net)


@pytest.mark.parametrize(
    ("realised", "unrealised", "expected"),
    [
        ("-999.99", "0", None),
        ("-600", "-400", "DAILY_LOSS_LIMIT"),
        ("-1200", "300", None),
        ("500", "-1500.01", "DAILY_LOSS_LIMIT"),
        ("1999.99", "0", None),
        ("2500", "-500", "DAILY_PROFIT_LIMIT"),
    ],
)
def test_a_day_limit_counts_realised_and_unrealised_and_is_reached_at_the_limit(
    realised: str, unrealised: str, expected: str | None
) -> None:
    denial = risk.check_day_limits(
        realised=Decimal(realised),
        unrealised=Decimal(unrealised),
        loss_limit=Decimal(1000),
        profit_limit=Decimal(2000),
    )

    assert code(denial) == expected


def test_without_limits_no_day_is_denied() -> None:
    lost = Decimal(-(10**9))

    assert risk.check_day_limits(realised=lost, unrealised=lost, loss_limit=None, profit_limit=None) is None


def test_a_limit_of_nothing_stops_the_day_at_once() -> None:
    denial = risk.check_day_limits(realised=Decimal(0), unrealised=Decimal(0), loss_limit=Decimal(0), profit_limit=None)

    assert denial == risk.Denial("DAILY_LOSS_LIMIT", "the day's P&L of 0.00 reached the loss limit of 0")


def test_counts_deny_when_the_limit_is_used_up() -> None:
    assert risk.check_trades_today(2, cap=Cap(3, OWN)) is None
    assert code(risk.check_trades_today(3, cap=Cap(3, OWN))) == "MAX_TRADES_PER_DAY"
    assert risk.check_open_positions(0, cap=Cap(1, OWN)) is None
    assert code(risk.check_open_positions(1, cap=Cap(1, OWN))) == "MAX_OPEN_POSITIONS"
    assert risk.check_order_quantity(75, cap=Cap(75, OWN)) is None
    assert code(risk.check_order_quantity(76, cap=Cap(75, OWN))) == "MAX_ORDER_QUANTITY"
    assert code(risk.check_order_quantity(0, cap=Cap(75, OWN))) == "MAX_ORDER_QUANTITY"


def test_an_order_may_be_worth_its_limit_but_not_more() -> None:
    cap = Cap(Decimal(1000), HOUSE)
    assert risk.check_order_value(quantity=10, price=Decimal("100"), cap=cap) is None
    over = risk.check_order_value(quantity=10, price=Decimal("100.05"), cap=cap)
    assert over == risk.Denial("MAX_ORDER_VALUE", "the order was worth 1000.50, the limit is 1000 (the house's)")
    assert code(risk.check_order_value(quantity=10, price=Decimal(0), cap=cap)) == "MAX_ORDER_VALUE"


@pytest.mark.proves("I8", "I13")
@pytest.mark.parametrize(
    ("price", "reference", "expected"),
    [
        ("105", "100", None),
        ("95", "100", None),
        ("105.05", "100", "PRICE_COLLAR"),
        ("94.95", "100", "PRICE_COLLAR"),
        ("10000", "100", "PRICE_COLLAR"),
        ("0", "100", "PRICE_COLLAR"),
        ("-5", "0", "NO_REFERENCE_PRICE"),
        ("100", None, "NO_REFERENCE_PRICE"),
    ],
)
def test_a_price_far_from_its_reference_or_without_one_is_denied(
    price: str, reference: str | None, expected: str | None
) -> None:
    denial = risk.check_price_collar(
        price=Decimal(price),
        reference=Decimal(reference) if reference is not None else None,
        cap=Cap(Decimal(5), OWN),
    )

    assert code(denial) == expected


@pytest.mark.proves("F02", "I8")
@pytest.mark.parametrize(
    ("age", "expected"),
    [("3", None), ("3.001", "STALE_TICK"), ("-1", None), ("-60", "STALE_TICK"), (None, "NO_TICK")],
)
def test_a_tick_that_is_missing_old_or_from_the_future_is_denied(age: str | None, expected: str | None) -> None:
    denial = risk.check_tick_age(age_s=Decimal(age) if age is not None else None, limit_s=Decimal(3))

    assert code(denial) == expected


def test_nothing_is_entered_from_the_cut_off_on() -> None:
    cutoff = time(15, 0)

    assert risk.check_entry_cutoff(at_ist(DAY, time(14, 59, 59)), cutoff) is None
    assert code(risk.check_entry_cutoff(at_ist(DAY, time(15, 0)), cutoff)) == "ENTRY_CUTOFF"


@pytest.mark.proves("I8")
def test_nothing_is_entered_outside_the_session_and_the_sentence_says_why() -> None:
    calendar = MarketCalendar.load()
    stock = InstrumentClass.EQUITY

    assert risk.check_session(calendar, at_ist(DAY, time(10)), stock) is None
    denial = risk.check_session(calendar, at_ist(date(2026, 11, 24), time(10)), stock)
    assert code(denial) == "MARKET_CLOSED"
    assert denial is not None
    assert "Prakash Gurpurb" in denial.message


@pytest.mark.proves("I8")
def test_an_entry_that_was_decided_too_long_ago_is_denied() -> None:
    limit = Decimal(risk.SIGNAL_HOLDS_S)

    assert risk.check_signal_age(age_s=limit, limit_s=limit) is None
    assert code(risk.check_signal_age(age_s=limit + 1, limit_s=limit)) == "SIGNAL_EXPIRED"
