"""A critical alarm that nobody heard stops entries; exits go on, and only a person lets trading go on."""

import pytest

from tests.factories import DAY
from tests.fakes.channels import Channels
from tests.fakes.wire import WireClock
from tests.services.alarms.conftest import Raise, Sending
from trading.domain.control import TradingState, state_denial
from trading.domain.orders import Purpose
from trading.models import Alarm, Client, EventLog, House, User
from trading.services.alarms.stopping import UndeliveredWatch
from trading.services.control import raise_state
from trading.services.glance import client_state
from trading.stores import alarms

LOOKS_EVERY_S = 5

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("house")]


@pytest.fixture
def watch(clock: WireClock) -> UndeliveredWatch:
    return UndeliveredWatch(clock)


def dead(channels: Channels) -> None:
    channels.mail.is_dead = channels.program.is_dead = True


def lasts(seconds: int, clock: WireClock, sending: Sending, watch: UndeliveredWatch) -> list[str]:
    """Let the processes go on for so long; give the codes of the alarms that stopped entries."""
    stopped = []
    for _ in range(seconds // LOOKS_EVERY_S):
        sending.go()
        stopped += [alarm.code for alarm in watch.look()]
        clock.pass_(LOOKS_EVERY_S)
    return stopped


def state_of(client: Client) -> TradingState:
    client.refresh_from_db()
    return client_state(client, DAY).state


@pytest.mark.proves("F57")
def test_an_alarm_that_no_channel_delivers_turns_its_client_to_reducing_after_a_minute(
    alarm: Raise,
    alice: Client,
    charlie: Client,
    channels: Channels,
    sending: Sending,
    watch: UndeliveredWatch,
    clock: WireClock,
) -> None:
    dead(channels)
    alarm(alice)

    assert lasts(60, clock, sending, watch) == []
    assert state_of(alice) is TradingState.ACTIVE
    assert lasts(5, clock, sending, watch) == ["NOT_FLAT"]

    assert (state_of(alice), state_of(charlie)) == (TradingState.REDUCING, TradingState.ACTIVE)
    assert alice.state_reason == "the alarm NOT_FLAT reached nobody within 60 s"
    assert EventLog.objects.filter(chain__client=alice, kind="ENTRIES_STOPPED").count() == 1
    assert (
        state_denial(Purpose.STOP, house=TradingState.ACTIVE, client=state_of(alice), account=TradingState.ACTIVE)
        is None
    )


@pytest.mark.proves("F57")
def test_an_alarm_of_the_house_stops_everybody(
    alarm: Raise,
    alice: Client,
    charlie: Client,
    channels: Channels,
    sending: Sending,
    watch: UndeliveredWatch,
    clock: WireClock,
) -> None:
    dead(channels)
    alarm(None, "ENGINE_SILENT", "the engine gave no sign of life")

    lasts(65, clock, sending, watch)

    assert House.objects.get().state == TradingState.REDUCING
    assert [state_of(alice), state_of(charlie)] == [TradingState.REDUCING] * 2


@pytest.mark.parametrize("way", ["mail", "program", "page"])
@pytest.mark.proves("F57")
def test_one_channel_that_works_is_enough(
    way: str,
    alarm: Raise,
    alice: Client,
    bob: User,
    channels: Channels,
    sending: Sending,
    watch: UndeliveredWatch,
    clock: WireClock,
) -> None:
    dead(channels)
    if way != "page":
        getattr(channels, way).is_dead = False
    raised = alarm(alice)
    if way == "page":
        alarms.shown(bob.pk, [raised.pk], clock.wall())

    assert lasts(200, clock, sending, watch) == []
    assert state_of(alice) is TradingState.ACTIVE


def test_a_warning_that_reaches_nobody_stops_nothing(
    alarm: Raise, alice: Client, channels: Channels, sending: Sending, watch: UndeliveredWatch, clock: WireClock
) -> None:
    dead(channels)
    alarm(alice, "EXIT_FAILED", "exit failed")

    assert lasts(120, clock, sending, watch) == []


def test_a_person_who_lets_trading_go_on_is_not_overruled_by_the_same_alarm(
    alarm: Raise,
    alice: Client,
    bob: User,
    channels: Channels,
    sending: Sending,
    watch: UndeliveredWatch,
    clock: WireClock,
) -> None:
    dead(channels)
    alarm(alice)
    lasts(65, clock, sending, watch)
    alice.refresh_from_db()
    raise_state(alice, bob, "I know, the mail server is down", clock=clock)

    assert lasts(120, clock, sending, watch) == []
    assert state_of(alice) is TradingState.ACTIVE
    assert UndeliveredWatch(clock).look() == []  # nor by another process


def test_a_delivery_that_comes_late_raises_nothing(
    alarm: Raise, alice: Client, channels: Channels, sending: Sending, watch: UndeliveredWatch, clock: WireClock
) -> None:
    dead(channels)
    alarm(alice)
    lasts(65, clock, sending, watch)
    channels.mail.is_dead = False
    lasts(60, clock, sending, watch)

    assert channels.mail.kept
    assert state_of(alice) is TradingState.REDUCING


def test_a_channel_that_dies_before_the_digest_stops_entries_too(
    alarm: Raise, alice: Client, channels: Channels, sending: Sending, watch: UndeliveredWatch, clock: WireClock
) -> None:
    alarm(alice)
    lasts(5, clock, sending, watch)
    dead(channels)
    alarm(alice)

    assert lasts(115, clock, sending, watch) == []  # the digest is due a minute after the first message
    assert lasts(10, clock, sending, watch) == ["NOT_FLAT"]
    assert Alarm.objects.get(code="NOT_FLAT").count == 2


def test_a_clock_that_is_set_back_delays_it_by_a_minute_at_most(
    alarm: Raise, alice: Client, channels: Channels, sending: Sending, watch: UndeliveredWatch, clock: WireClock
) -> None:
    dead(channels)
    alarm(alice)
    watch.look()
    clock.step_wall(-3600)

    assert lasts(125, clock, sending, watch) == ["NOT_FLAT"]


def test_a_clock_that_is_set_forward_leaves_the_digest_that_waits_time_to_be_sent(
    alarm: Raise, alice: Client, channels: Channels, sending: Sending, watch: UndeliveredWatch, clock: WireClock
) -> None:
    alarm(alice)
    lasts(5, clock, sending, watch)
    alarm(alice)
    lasts(20, clock, sending, watch)
    clock.step_wall(300)

    assert watch.look() == []  # before anybody could send what is due now
    assert lasts(60, clock, sending, watch) == []
    assert [message.count for message in channels.mail.to("alice@example.com")] == [1, 2]


def test_a_clock_that_is_set_forward_hurries_it_when_no_channel_works(
    alarm: Raise, alice: Client, channels: Channels, sending: Sending, watch: UndeliveredWatch, clock: WireClock
) -> None:
    dead(channels)
    alarm(alice)
    lasts(5, clock, sending, watch)
    clock.step_wall(300)

    assert lasts(15, clock, sending, watch) == ["NOT_FLAT"]


def test_what_a_machine_that_was_off_left_behind_is_tried_once_before_it_stops_anybody(
    alarm: Raise, alice: Client, channels: Channels, sending: Sending, clock: WireClock
) -> None:
    alarm(alice)
    clock.pass_(90)
    watch = UndeliveredWatch(clock)

    assert watch.look() == []
    assert lasts(60, clock, sending, watch) == []
    assert state_of(alice) is TradingState.ACTIVE
