"""The house's caps are the operator's alone; a stopped ladder goes on by a person, once, with a reason in the log."""

from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied

from tests.factories import DAY, TEN_O_CLOCK, make_account, make_client, make_operator
from tests.fakes.clock import FakeClock
from trading.domain.caps import HouseCaps
from trading.models import Client, CommandRow, EventLog, House, LadderStop, User
from trading.services.caps import CAPS, find_stop, let_go_on, save_house_caps, stopped_ladders
from trading.services.limits import LimitsRefused
from trading.stores import ladder_stops
from trading.stores.book import load_book, read_control

pytestmark = pytest.mark.django_db
CLOCK = FakeClock(TEN_O_CLOCK)
PLACE = ("kite:AB1001", "NSE:INFY")


@pytest.fixture
def alice() -> Client:
    return make_client()


@pytest.fixture
def bob() -> User:
    return make_operator()


@pytest.fixture
def stop(alice: Client) -> LadderStop:
    account = make_account(alice)
    return ladder_stops.stop(account.pk, "NSE:INFY", "21 entries", at=TEN_O_CLOCK, wall=TEN_O_CLOCK)


def values(**changes: Any) -> dict[str, Any]:
    return {name: getattr(House(), name) for name in CAPS} | changes


def test_the_operators_caps_reach_the_engine_and_the_log(bob: User) -> None:
    save_house_caps(values(cap_order_value=Decimal(100000), cap_same_side_entries=3), by=bob, clock=CLOCK)

    caps = load_book(DAY).house_caps
    assert caps is not None
    assert (caps.order_value, caps.same_side_entries) == (Decimal(100000), 3)
    assert CommandRow.objects.get().kind == "RELOAD"
    assert EventLog.objects.get(kind="HOUSE_CAPS_CHANGED").data["changed"]["cap_same_side_entries"] == ["5", "3"]


@pytest.mark.parametrize("name", ["cap_order_value", "cap_trades_a_day", "cap_same_side_seconds"])
def test_a_cap_of_nothing_is_refused_and_nothing_is_saved(bob: User, name: str) -> None:
    with pytest.raises(LimitsRefused, match=name):
        save_house_caps(values(**{name: 0}), by=bob, clock=CLOCK)

    assert load_book(DAY).house_caps == HouseCaps()


def test_a_client_cannot_change_the_houses_caps(alice: Client) -> None:
    with pytest.raises(PermissionDenied):
        save_house_caps(values(), by=alice.user, clock=CLOCK)


def test_a_stopped_ladder_goes_on_once_and_the_log_says_who_and_why(alice: Client, stop: LadderStop) -> None:
    assert read_control(DAY).stopped_ladders == {PLACE: "21 entries"}

    let_go_on(stop, "the price was wrong", by=alice.user, clock=CLOCK)
    let_go_on(stop, "a second press", by=alice.user, clock=CLOCK)

    view = read_control(DAY)
    assert view.stopped_ladders == {}
    assert view.allowed_again == {PLACE: TEN_O_CLOCK}
    assert EventLog.objects.get(kind="LADDER_ALLOWED").data["reason"] == "the price was wrong"
    assert stopped_ladders(alice) == []


def test_only_its_client_and_an_operator_find_a_stopped_ladder(alice: Client, stop: LadderStop, bob: User) -> None:
    charlie = make_client("charlie")

    assert find_stop(alice.user, stop.pk) == stop
    assert find_stop(bob, stop.pk) == stop
    assert find_stop(charlie.user, stop.pk) is None
    with pytest.raises(PermissionDenied):
        let_go_on(stop, "not mine", by=charlie.user, clock=CLOCK)


def test_it_may_be_stopped_again_afterwards(alice: Client, stop: LadderStop) -> None:
    let_go_on(stop, "once more", by=alice.user, clock=CLOCK)

    again = ladder_stops.stop(stop.account_id, "NSE:INFY", "again", at=TEN_O_CLOCK, wall=TEN_O_CLOCK)

    assert again.pk != stop.pk
    assert read_control(DAY).stopped_ladders == {PLACE: "again"}
