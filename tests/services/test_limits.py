"""A client's limits: clear refusals, nothing half saved, the engine told."""

from datetime import time
from decimal import Decimal
from typing import Any

import pytest

from tests.factories import DAY, TEN_O_CLOCK, make_client
from tests.fakes.clock import FakeClock
from trading.domain.control import TradingState
from trading.models import Client, CommandRow, EventLog
from trading.services.limits import LimitsRefused, save_limits
from trading.stores.controls import lower_state

pytestmark = pytest.mark.django_db

CLOCK = FakeClock(TEN_O_CLOCK)


@pytest.fixture
def alice() -> Client:
    return make_client(daily_loss_limit=Decimal(5000))


def test_limits_are_saved_and_the_engine_is_asked_to_look_again(alice: Client) -> None:
    values = {
        "daily_loss_limit": "2500.50",
        "max_trades_per_day": "20",
        "square_off_at": "15:10",
        "max_order_value": "",
    }

    save_limits(alice, values, by=alice.user, clock=CLOCK)

    alice.refresh_from_db()
    assert alice.daily_loss_limit == Decimal("2500.50")
    assert (alice.max_trades_per_day, alice.square_off_at, alice.max_order_value) == (20, time(15, 10), None)
    assert alice.limits_confirmed_at is not None
    assert CommandRow.objects.get().kind == "RELOAD"
    line = EventLog.objects.get(kind="LIMITS_CHANGED")
    assert line.data["changed"]["daily_loss_limit"] == ["5000.0000", "2500.50"]


def test_what_is_not_named_stays(alice: Client) -> None:
    save_limits(alice, {"max_open_positions": 3}, by=None, clock=CLOCK)

    alice.refresh_from_db()
    assert (alice.daily_loss_limit, alice.max_open_positions) == (Decimal(5000), 3)


def test_confirming_without_a_change_asks_nothing_of_the_engine(alice: Client) -> None:
    save_limits(alice, {"daily_loss_limit": "5000"}, by=alice.user, clock=CLOCK)

    alice.refresh_from_db()
    assert alice.limits_confirmed_at is not None
    assert not CommandRow.objects.exists()


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("daily_loss_limit", "0", "above zero"),
        ("daily_loss_limit", "-5", "above zero"),
        ("daily_loss_limit", "lots", "an amount in rupees, was 'lots'"),
        ("daily_loss_limit", "NaN", "an amount in rupees"),
        ("daily_profit_limit", "0.001", "whole paise"),
        ("max_order_value", "1e30", "at most"),
        ("max_trades_per_day", "0", "whole number"),
        ("max_trades_per_day", "2.5", "whole number"),
        ("max_open_positions", True, "whole number"),
        (
            "square_off_at",
            "16:00",
            "by 15:23:30, was 16:00:00: the broker itself closes intraday positions at 15:25:00",
        ),
        ("square_off_at", "09:15", "after 09:15:00"),
        ("square_off_at", "soon", "a time like 15:15, was 'soon'"),
        ("no_new_entry_after", "15:20", "to the square-off at 15:15:00, was 15:20:00"),
        ("no_new_entry_after", "09:00", "from 09:15:00"),
        ("squares_off_on_kill", "yes", "true or false"),
        ("state", "ACTIVE", "no such limit"),
    ],
)
def test_a_limit_that_makes_no_sense_is_refused_with_the_reason(
    alice: Client, name: str, value: Any, problem: str
) -> None:
    with pytest.raises(LimitsRefused) as refused:
        save_limits(alice, {"max_open_positions": 7, name: value}, by=alice.user, clock=CLOCK)

    assert problem in refused.value.problems[name]
    alice.refresh_from_db()
    assert (alice.max_open_positions, alice.limits_confirmed_at) == (None, None)


def test_a_wider_limit_does_not_undo_one_that_was_reached(alice: Client) -> None:
    lower_state(alice.pk, TradingState.HALTED, "daily loss limit", latch_day=DAY, wall=CLOCK.wall())

    save_limits(alice, {"daily_loss_limit": "999999"}, by=alice.user, clock=CLOCK)

    alice.refresh_from_db()
    assert alice.state_on(DAY) is TradingState.HALTED
