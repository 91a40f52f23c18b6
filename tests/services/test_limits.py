"""A client's limits: clear refusals, nothing half saved, the engine told."""

from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.factories import DAY, TEN_O_CLOCK, make_client
from tests.fakes.clock import FakeClock
from trading.domain.control import TradingState
from trading.models import Client, CommandRow, EventLog
from trading.ports import ClientPolicy
from trading.services.limits import LimitsRefused, save_limits
from trading.stores.book import load_book
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
        ("max_order_quantity", "0", "whole number"),
        ("max_entries_per_ladder", "-1", "whole number"),
        ("price_collar_percent", "0", "above 0 and below 100"),
        ("price_collar_percent", "100", "above 0 and below 100"),
        ("price_collar_percent", "2.505", "two decimals"),
        ("price_collar_percent", "wide", "a percentage, was 'wide'"),
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


# -- a wider limit waits for the next market day (F65) ---------------------------------------------------------------


def policy_of(client: Client, day: date) -> ClientPolicy:
    """Give what the engine would be told on a day."""
    return next(policy for policy in load_book(day).clients if policy.client_id == client.pk)


@pytest.mark.proves("F65")
def test_a_wider_limit_counts_from_the_next_market_day_on(alice: Client) -> None:
    row = save_limits(alice, {"daily_loss_limit": "500000", "max_trades_per_day": 5}, by=alice.user, clock=CLOCK)

    assert row.raises == {"daily_loss_limit": {"to": "500000", "from": "2026-11-24"}}
    assert policy_of(alice, DAY).daily_loss_limit == Decimal(5000)
    assert policy_of(alice, DAY).max_trades_per_day == 5
    assert policy_of(alice, DAY + timedelta(days=1)).daily_loss_limit == Decimal(500000)
    line = EventLog.objects.get(kind="LIMITS_CHANGED")
    assert line.data["wider_from"] == {"daily_loss_limit": "2026-11-24"}


def test_no_limit_at_all_is_the_widest(alice: Client) -> None:
    save_limits(alice, {"daily_loss_limit": ""}, by=alice.user, clock=CLOCK)

    assert policy_of(alice, DAY).daily_loss_limit == Decimal(5000)
    assert policy_of(alice, DAY + timedelta(days=1)).daily_loss_limit is None


def test_saving_the_form_again_neither_hurries_nor_drops_a_waiting_raise(alice: Client) -> None:
    save_limits(alice, {"daily_loss_limit": "500000"}, by=alice.user, clock=CLOCK)

    row = save_limits(alice, {"daily_loss_limit": "500000", "max_trades_per_day": 5}, by=alice.user, clock=CLOCK)

    assert row.raises == {"daily_loss_limit": {"to": "500000", "from": "2026-11-24"}}


def test_a_tighter_limit_takes_a_waiting_raise_back_and_counts_at_once(alice: Client) -> None:
    save_limits(alice, {"daily_loss_limit": "500000"}, by=alice.user, clock=CLOCK)

    row = save_limits(alice, {"daily_loss_limit": "4000"}, by=alice.user, clock=CLOCK)

    assert row.raises == {}
    assert policy_of(alice, DAY).daily_loss_limit == Decimal(4000)
    assert policy_of(alice, DAY + timedelta(days=1)).daily_loss_limit == Decimal(4000)


def test_a_raise_that_has_begun_is_the_limit_that_the_next_one_is_measured_by(alice: Client) -> None:
    save_limits(alice, {"daily_loss_limit": "50000"}, by=alice.user, clock=CLOCK)
    later = FakeClock(TEN_O_CLOCK + timedelta(days=1))

    row = save_limits(alice, {"daily_loss_limit": "40000"}, by=alice.user, clock=later)

    assert (row.daily_loss_limit, row.raises) == (Decimal(40000), {})


def test_before_a_client_has_started_every_limit_counts_at_once() -> None:
    new = make_client("charlie", onboarded_at=None, daily_loss_limit=Decimal(5000))

    row = save_limits(new, {"daily_loss_limit": "500000"}, by=new.user, clock=CLOCK)

    assert (row.daily_loss_limit, row.raises) == (Decimal(500000), {})
