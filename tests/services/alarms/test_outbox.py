"""The outbox: whom an alarm reaches, how often, and that none is lost."""

from datetime import timedelta

import pytest
from pytest_django.fixtures import Settings

from tests.fakes.channels import Channels
from tests.fakes.wire import WireClock
from tests.services.alarms.conftest import Raise, Sending
from trading.models import Alarm, AlarmDelivery, Channel, Client, DeliveryState, User
from trading.stores import alarms

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("house")]

ALICE, BOB, CHARLIE = "alice@example.com", "bob@example.com", "charlie@example.com"


def whom(alarm: Alarm) -> set[tuple[str, str]]:
    """Give (channel, recipient) of everybody whom an alarm is for."""
    return set(alarm.deliveries.values_list("channel", "recipient"))


def test_an_alarm_of_a_client_is_for_that_client_and_the_operators(alarm: Raise, alice: Client) -> None:
    raised = alarm(alice)

    people = {("page", ALICE), ("mail", ALICE), ("page", BOB), ("mail", BOB)}
    assert whom(raised) == people | {("program", "program")}


def test_an_alarm_of_the_house_is_for_the_operators(alarm: Raise) -> None:
    raised = alarm(None, "FEED_STALE", "prices stopped 10:00:00")

    assert whom(raised) == {("page", BOB), ("mail", BOB), ("program", "program")}


def test_an_alarm_for_operators_only_is_kept_from_the_client(alarm: Raise, alice: Client) -> None:
    assert ALICE not in {recipient for _, recipient in whom(alarm(alice, "EVENT_LOST", "an event"))}


def test_warnings_are_not_mailed_to_who_does_not_want_them_but_critical_ones_are(alarm: Raise, alice: Client) -> None:
    User.objects.update(mails_warnings=False)

    assert ("mail", ALICE) not in whom(alarm(alice, "EXIT_FAILED", "exit failed"))
    assert ("mail", ALICE) in whom(alarm(alice, "NOT_FLAT"))


def test_addresses_of_the_settings_are_told_too_and_nobody_twice(
    alarm: Raise, alice: Client, settings: Settings
) -> None:
    settings.ALARM_MAIL_TO = ["desk@example.com", BOB]

    mails = [row.recipient for row in alarm(alice).deliveries.filter(channel=Channel.MAIL)]
    assert sorted(mails) == [ALICE, BOB, "desk@example.com"]


def test_a_message_says_what_happened_what_it_means_and_what_to_do(
    alarm: Raise, alice: Client, channels: Channels, sending: Sending
) -> None:
    alarm(alice, "NOT_FLAT", "25 NSE:INFY are open, access_token=abcdefgh12345678")

    sending.go()

    mail = channels.mail.to(BOB)[0]
    assert mail.subject == "[CRITICAL] Not flat after the square-off: alice@example.com (demo)"
    assert "25 NSE:INFY are open" in mail.body
    assert "broker's own app" in mail.body
    assert "abcdefgh12345678" not in mail.body + mail.as_json + Alarm.objects.get().text


def test_what_was_delivered_is_not_sent_again(
    alarm: Raise, alice: Client, channels: Channels, sending: Sending, clock: WireClock
) -> None:
    alarm(alice)
    assert sending.go() == 3

    clock.pass_(600)
    assert sending.go() == 0
    assert len(channels.mail.kept) == 2
    assert set(AlarmDelivery.objects.exclude(channel="page").values_list("state", flat=True)) == {DeliveryState.SENT}


@pytest.mark.proves("I18")
def test_a_cause_that_comes_every_second_is_told_once_a_minute_and_none_is_lost(
    alarm: Raise, alice: Client, channels: Channels, sending: Sending, clock: WireClock
) -> None:
    for second in range(150):
        alarm(alice, "EXIT_NOT_FILLED", f"cannot exit {second} NSE:INFY")
        sending.go()
        clock.pass_(1)
    clock.pass_(60)
    sending.go()

    told = channels.mail.to(BOB)
    assert [message.count for message in told] == [1, 61, 121, 150]
    assert "150 times since 10:00" in told[-1].body
    assert Alarm.objects.get().count == 150


def test_another_instrument_is_told_at_once(alarm: Raise, alice: Client, channels: Channels, sending: Sending) -> None:
    alarm(alice, "EXIT_NOT_FILLED", "cannot exit 25 NSE:INFY")
    sending.go()
    alarm(alice, "EXIT_NOT_FILLED", "cannot exit 25 NSE:TCS")
    sending.go()

    assert ["INFY" in message.text for message in channels.mail.to(BOB)] == [True, False]


@pytest.mark.proves("F57", "I18")
def test_a_dead_channel_keeps_no_other_one_waiting_and_is_tried_again_until_it_works(
    alarm: Raise, alice: Client, channels: Channels, sending: Sending, clock: WireClock
) -> None:
    channels.mail.is_dead = True
    alarm(alice)
    sending.go()

    row = AlarmDelivery.objects.get(channel="mail", recipient=BOB)
    assert (row.state, row.tries) == (DeliveryState.FAILED, 1)
    assert row.next_try_at == clock.wall() + timedelta(seconds=2)
    assert "hunter2" not in row.last_error
    assert len(channels.program.kept) == 1

    tried = channels.mail.tried
    sending.go()
    assert channels.mail.tried == tried  # not before its time
    channels.mail.is_dead = False
    clock.pass_(2)
    sending.go()
    assert len(channels.mail.to(BOB)) == 1


def test_a_message_that_never_leaves_is_given_up_and_comes_back_with_the_next_alarm(
    alarm: Raise, alice: Client, channels: Channels, sending: Sending, clock: WireClock
) -> None:
    channels.mail.is_dead = True
    alarm(alice)
    for _ in range(alarms.MOST_TRIES):
        sending.go()
        clock.pass_(31)
    assert AlarmDelivery.objects.get(channel="mail", recipient=BOB).state == DeliveryState.GIVEN_UP
    tried = channels.mail.tried
    sending.go()
    assert channels.mail.tried == tried

    channels.mail.is_dead = False
    alarm(alice)
    sending.go()
    assert [message.count for message in channels.mail.to(BOB)] == [2]


@pytest.mark.proves("F57", "I18")
def test_a_hanging_channel_keeps_neither_the_sender_nor_another_channel_waiting(
    alarm: Raise, alice: Client, channels: Channels, sending: Sending, clock: WireClock
) -> None:
    channels.mail.hangs = True
    alarm(alice)

    sending.sender.step()
    while not channels.program.kept:
        clock.pass_(0)
    sending.sender.step()

    assert AlarmDelivery.objects.get(channel="program").state == DeliveryState.SENT
    clock.pass_(8)
    sending.sender.step()
    row = AlarmDelivery.objects.get(channel="mail", recipient=BOB)
    assert (row.state, row.last_error) == (DeliveryState.FAILED, "no answer within 8 s")
    channels.mail.let_go()


def test_of_two_senders_one_sends(alarm: Raise, alice: Client, channels: Channels, clock: WireClock) -> None:
    alarm(alice)
    one, other = Sending(clock, channels), Sending(clock, channels)

    one.sender.step()
    other.sender.step()
    for each in (one, other):
        each.sender.wait(10)
        each.sender.step()

    assert len(channels.mail.to(BOB)) == len(channels.program.kept) == 1


def test_what_a_sender_that_died_had_taken_is_sent_by_the_next(
    alarm: Raise, alice: Client, channels: Channels, sending: Sending, clock: WireClock
) -> None:
    alarm(alice)
    for row in alarms.due(clock.wall(), channels=[Channel.MAIL, Channel.PROGRAM]):
        assert alarms.claim(row, clock.wall())

    sending.go()
    assert channels.mail.kept == []
    clock.pass_(31)
    sending.go()
    assert len(channels.mail.to(BOB)) == 1


def test_a_clock_that_was_set_back_keeps_no_message_waiting(
    alarm: Raise, alice: Client, channels: Channels, sending: Sending, clock: WireClock
) -> None:
    alarm(alice)
    clock.step_wall(-300)

    sending.go()

    assert len(channels.mail.to(BOB)) == 1


def test_what_is_counted_while_a_message_is_under_way_comes_with_the_next(
    alarm: Raise, alice: Client, channels: Channels, sending: Sending, clock: WireClock
) -> None:
    channels.mail.hangs = True
    alarm(alice)
    sending.sender.step()
    alarm(alice)
    channels.mail.let_go()
    sending.go()
    clock.pass_(60)
    sending.go()

    assert [message.count for message in channels.mail.to(BOB)] == [1, 2]


def test_several_observers_of_one_thing_are_one_alarm(alice: Client, clock: WireClock) -> None:
    for _ in range(3):
        alarms.record(
            None, "ENGINE_SILENT", "silent", at=clock.now(), wall=clock.wall(), unless_within=timedelta(minutes=5)
        )

    assert Alarm.objects.get().count == 1


def test_what_a_browser_showed_counts_as_delivered_and_only_to_whom_it_was_shown(
    alarm: Raise, alice: Client, charlie: Client, bob: User, clock: WireClock
) -> None:
    raised = alarm(alice)

    assert alarms.shown(charlie.user_id, [raised.pk], clock.wall()) == 0
    assert Alarm.objects.get().undelivered_since is not None
    assert alarms.shown(bob.pk, [raised.pk, 999], clock.wall()) == 1

    assert Alarm.objects.get().undelivered_since is None
    assert set(AlarmDelivery.objects.filter(state=DeliveryState.SENT).values_list("recipient", flat=True)) == {BOB}


def test_an_alarm_that_comes_again_must_be_acknowledged_again(alarm: Raise, alice: Client, clock: WireClock) -> None:
    raised = alarm(alice)
    assert alarms.acknowledge(alice.user_id, raised.pk, clock.wall())
    page = AlarmDelivery.objects.get(channel="page", recipient=ALICE)
    assert page.acknowledged_at is not None
    assert not AlarmDelivery.objects.filter(recipient=BOB).exclude(acknowledged_at=None).exists()

    clock.pass_(120)
    alarm(alice)

    page.refresh_from_db()
    assert page.acknowledged_at is None
    assert not alarms.acknowledge(User.objects.get(email=CHARLIE).pk, raised.pk, clock.wall())
