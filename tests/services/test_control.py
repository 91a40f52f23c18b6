"""Stopping, squaring off, exiting and going on again: who may, what is committed, what is told."""

from collections.abc import Mapping
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.test import TestCase

from tests.factories import DAY, TEN_O_CLOCK, make_account, make_client, make_operator
from tests.fakes.clock import FakeClock
from trading.domain.control import TradingState
from trading.domain.errors import RiskDenied
from trading.models import BrokerAccount, Client, CommandRow, EventLog, House, User
from trading.services import control
from trading.services.log_check import check_log
from trading.stores.commands import finish
from trading.stores.controls import lower_state

pytestmark = pytest.mark.django_db


class Publisher:
    """Remembers what was told, and when."""

    def __init__(self) -> None:
        self.told: list[tuple[int | None, str, Mapping[str, Any]]] = []

    def publish(self, client_id: int | None, kind: str, data: Mapping[str, Any]) -> None:
        self.told.append((client_id, kind, data))


class DeadClock(FakeClock):
    """The simulated exchange cannot be asked."""

    def now(self) -> Any:
        raise OSError("connection refused")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(TEN_O_CLOCK)


@pytest.fixture
def alice() -> Client:
    return make_client("alice")


@pytest.fixture
def bob() -> User:
    return make_operator()


@pytest.fixture
def charlie() -> Client:
    return make_client("charlie")


def latch(client: Client, clock: FakeClock) -> None:
    lower_state(client.pk, TradingState.HALTED, "daily loss limit", latch_day=DAY, wall=clock.wall())


def test_a_kill_commits_state_command_and_event_together(alice: Client, clock: FakeClock) -> None:
    command = control.press_kill(alice, alice.user, clock=clock)

    alice.refresh_from_db()
    assert (alice.state, alice.state_reason) == ("REDUCING", "kill switch by alice@example.com")
    assert (command.kind, command.client_id, command.arguments) == ("KILL", alice.pk, {"leave_positions": False})
    assert command.day == DAY
    line = EventLog.objects.get()
    assert line.kind == "KILL_PRESSED"
    assert line.data["by"] == "alice@example.com"
    assert check_log(alice.pk, is_whole_log=False).is_whole


@pytest.mark.parametrize(
    ("squares_off", "asked", "leaves"),
    [(True, None, False), (False, None, True), (True, True, True), (False, False, False)],
)
def test_a_kill_leaves_positions_as_asked_else_as_the_client_chose(
    clock: FakeClock, squares_off: bool, asked: bool | None, leaves: bool
) -> None:
    client = make_client(squares_off_on_kill=squares_off)

    command = control.press_kill(client, client.user, clock=clock, leave_positions=asked)

    assert command.arguments == {"leave_positions": leaves}


@pytest.mark.proves("I7")
def test_a_double_click_is_one_command(alice: Client, clock: FakeClock) -> None:
    first = control.press_kill(alice, alice.user, clock=clock)
    second = control.press_kill(alice, alice.user, clock=clock)

    assert first.pk == second.pk
    finish(first.pk, {}, at=clock.now(), wall=clock.wall())
    assert control.press_kill(alice, alice.user, clock=clock).pk != first.pk


def test_a_kill_never_raises_a_halted_client(alice: Client, clock: FakeClock) -> None:
    lower_state(alice.pk, TradingState.HALTED, "flat", latch_day=None, wall=clock.wall())

    control.press_kill(alice, alice.user, clock=clock)

    alice.refresh_from_db()
    assert alice.state == "HALTED"


def test_the_house_is_stopped_by_an_operator_or_from_the_command_line(
    alice: Client, bob: User, clock: FakeClock
) -> None:
    with pytest.raises(PermissionDenied):
        control.press_kill(None, alice.user, clock=clock)
    assert not House.objects.filter(state="REDUCING").exists()

    by_bob = control.press_kill(None, bob, clock=clock)
    by_command_line = control.press_kill(None, None, clock=clock)

    assert House.objects.get().state == "REDUCING"
    assert (by_bob.client, by_bob.arguments) == (None, {"leave_positions": None})
    assert by_command_line.pk == by_bob.pk


def test_charlie_can_do_nothing_to_alice(alice: Client, charlie: Client, clock: FakeClock) -> None:
    account = make_account(alice)

    with pytest.raises(PermissionDenied):
        control.press_kill(alice, charlie.user, clock=clock)
    with pytest.raises(PermissionDenied):
        control.raise_state(alice, charlie.user, "please", clock=clock)
    with pytest.raises(PermissionDenied):
        control.request_square_off(alice, DAY, clock=clock, requested_by=charlie.user)
    with pytest.raises(PermissionDenied):
        control.exit_position(alice, account.key, "NSE:INFY", by=charlie.user, clock=clock)
    with pytest.raises(BrokerAccount.DoesNotExist):
        control.exit_position(charlie, account.key, "NSE:INFY", by=charlie.user, clock=clock)
    assert not CommandRow.objects.exists()
    assert not EventLog.objects.exists()


def test_pages_and_engine_are_told_after_the_commit_only(alice: Client, clock: FakeClock) -> None:
    publisher = Publisher()

    with TestCase.captureOnCommitCallbacks() as callbacks:
        control.press_kill(alice, alice.user, clock=clock, publisher=publisher)
        assert publisher.told == []
    for callback in callbacks:
        callback()

    reason = "kill switch by alice@example.com"
    assert publisher.told == [(alice.pk, "state", {"state": "REDUCING", "reason": reason})]


@pytest.mark.proves("F67")
def test_a_kill_works_while_the_simulated_exchange_cannot_say_the_time(alice: Client) -> None:
    control.press_kill(alice, None, clock=DeadClock(TEN_O_CLOCK))

    alice.refresh_from_db()
    assert alice.state == "REDUCING"


def test_a_person_raises_the_state_again_once_the_kill_is_done(alice: Client, clock: FakeClock) -> None:
    command = control.press_kill(alice, alice.user, clock=clock)
    with pytest.raises(RiskDenied) as refused:
        control.raise_state(alice, alice.user, "false alarm", clock=clock)
    assert refused.value.code == "KILL_RUNNING"
    finish(command.pk, {}, at=clock.now(), wall=clock.wall())
    lower_state(alice.pk, TradingState.HALTED, "flat", latch_day=None, wall=clock.wall())

    control.raise_state(alice, alice.user, "false alarm", clock=clock)

    alice.refresh_from_db()
    assert alice.state == "ACTIVE"
    assert EventLog.objects.order_by("seq").last().data["was"] == "HALTED"  # type: ignore[union-attr]


def test_a_limit_that_was_reached_today_keeps_the_client_out(alice: Client, clock: FakeClock) -> None:
    latch(alice, clock)

    with pytest.raises(RiskDenied, match="daily loss limit") as refused:
        control.raise_state(alice, alice.user, "one more try", clock=clock)

    assert refused.value.code == "LATCHED"
    alice.refresh_from_db()
    assert alice.state_on(DAY) is TradingState.HALTED


def test_not_even_an_operator_with_a_reason_lifts_a_latch_before_the_next_session(
    alice: Client, bob: User, clock: FakeClock
) -> None:
    latch(alice, clock)

    with pytest.raises(RiskDenied) as refused:
        control.raise_state(alice, bob, "limit was set in paise", clock=clock)

    assert refused.value.code == "LATCHED"
    alice.refresh_from_db()
    assert alice.state_on(DAY) is TradingState.HALTED
    assert not EventLog.objects.filter(kind="STATE_RAISED").exists()


def test_in_the_next_session_a_latch_is_no_obstacle(alice: Client, clock: FakeClock) -> None:
    latch(alice, clock)
    clock.advance(days=1)

    control.raise_state(alice, alice.user, "new day", clock=clock)


@pytest.mark.proves("F50")
def test_the_scheduled_square_off_exists_once_a_client_and_day(
    alice: Client, charlie: Client, clock: FakeClock
) -> None:
    first = control.request_square_off(alice, DAY, clock=clock)
    finish(first.pk, {"flat": True}, at=clock.now(), wall=clock.wall())

    assert control.request_square_off(alice, DAY, clock=clock).pk == first.pk
    assert control.request_square_off(charlie, DAY, clock=clock).pk != first.pk
    assert CommandRow.objects.count() == 2
    assert EventLog.objects.filter(chain__client=alice).count() == 1


def test_a_square_off_by_hand_does_not_use_up_the_scheduled_one(alice: Client, clock: FakeClock) -> None:
    by_hand = control.request_square_off(alice, DAY, clock=clock, requested_by=alice.user)
    again = control.request_square_off(alice, DAY, clock=clock, requested_by=alice.user)
    finish(by_hand.pk, {}, at=clock.now(), wall=clock.wall())

    assert again.pk == by_hand.pk
    assert control.request_square_off(alice, DAY, clock=clock).pk != by_hand.pk


@pytest.mark.proves("I1")
def test_two_exits_of_one_position_are_one_command_until_it_is_done(alice: Client, clock: FakeClock) -> None:
    account = make_account(alice)

    first = control.exit_position(alice, account.key, "NSE:INFY", by=alice.user, clock=clock)
    again = control.exit_position(alice, account.key, "NSE:INFY", by=alice.user, clock=clock)
    other = control.exit_position(alice, account.key, "NSE:LT", by=alice.user, clock=clock)

    assert first.arguments == {"account_key": "kite:AB1001", "instrument": "NSE:INFY"}
    assert again.pk == first.pk
    assert other.pk != first.pk
