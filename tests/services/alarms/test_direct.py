"""Alarms while the database is away: kept on disk, told directly, and recorded once it is back."""

from pathlib import Path

import pytest

from tests.fakes.channels import Channels
from tests.fakes.wire import WireClock
from tests.services.alarms.conftest import ENDS_WITHIN_S
from trading.models import Alarm, AlarmDelivery, Client, DeliveryState
from trading.services.alarms import direct
from trading.services.alarms.direct import AddressBook, DirectAlarms
from trading.services.alarms.spool import Spool

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("house")]

ALICE, BOB = "alice@example.com", "bob@example.com"


class Desk:
    """One process without a database."""

    def __init__(self, clock: WireClock, channels: Channels, folder: Path) -> None:
        self.alarms = DirectAlarms(clock, Spool(folder), channels.ways)
        self.alarms.book = AddressBook.read()
        self._clock = clock

    def tell(self, client: Client | None, code: str, text: str) -> int:
        self.alarms.tell(client.pk if client else None, code, text, self._clock.now())
        return self.go()

    def go(self) -> int:
        self.alarms.step()
        self.alarms.wait(ENDS_WITHIN_S)
        return self.alarms.step()


@pytest.fixture
def desk(clock: WireClock, channels: Channels, tmp_path: Path) -> Desk:
    return Desk(clock, channels, tmp_path)


def test_people_are_told_without_a_database_and_it_is_on_disk_first(
    desk: Desk, channels: Channels, alice: Client, tmp_path: Path
) -> None:
    assert desk.tell(alice, "STORE_UNAVAILABLE", "an exit waits for the database") == 3

    assert channels.mail.to(BOB)[0].who == ALICE
    assert channels.mail.to(ALICE)
    kept = Spool(tmp_path).kept()
    assert [(one.notice.code, len(one.told)) for one in kept] == [("STORE_UNAVAILABLE", 3)]
    assert Alarm.objects.count() == 0


def test_without_any_database_since_the_start_the_addresses_of_the_settings_are_told(
    desk: Desk, channels: Channels
) -> None:
    desk.alarms.book = AddressBook()

    assert desk.tell(None, "DATABASE_AWAY", "the database has not answered") == 1
    assert len(channels.program.kept) == 1


@pytest.mark.proves("I18")
def test_the_same_cause_is_told_once_a_minute_and_then_as_a_digest(
    desk: Desk, channels: Channels, alice: Client, clock: WireClock
) -> None:
    for second in range(60):
        desk.tell(alice, "STORE_UNAVAILABLE", f"exit {second} waits")
        clock.pass_(1)
    desk.go()

    assert [message.count for message in channels.mail.to(BOB)] == [1, 60]


def test_what_reaches_nobody_is_tried_again(desk: Desk, channels: Channels, alice: Client, clock: WireClock) -> None:
    channels.mail.is_dead = channels.program.is_dead = True
    assert desk.tell(alice, "STORE_UNAVAILABLE", "an exit waits") == 0
    channels.mail.is_dead = False

    assert desk.go() == 0
    clock.pass_(direct.TRIES_AGAIN_AFTER_S)
    assert desk.go() == 2


def test_two_processes_tell_people_of_one_cause_once(
    desk: Desk, channels: Channels, clock: WireClock, tmp_path: Path
) -> None:
    desk.tell(None, "DATABASE_AWAY", "the database has not answered the engine for 15 s")
    standby = Desk(clock, channels, tmp_path)
    clock.pass_(2)

    standby.tell(None, "DATABASE_AWAY", "the database has not answered the engine for 17 s")

    assert len(channels.mail.to(BOB)) == 1
    assert len(Spool(tmp_path).kept()) == 2


@pytest.mark.proves("I18")
def test_it_is_recorded_when_the_database_is_back_and_who_was_told_is_not_told_again(
    desk: Desk, channels: Channels, alice: Client, clock: WireClock, tmp_path: Path
) -> None:
    desk.tell(alice, "STORE_UNAVAILABLE", "an exit waits")
    raised_at = clock.now()
    clock.pass_(300)

    assert desk.alarms.bring_home() == 1

    alarm = Alarm.objects.get()
    assert (alarm.raised_at, alarm.undelivered_since) == (raised_at, None)
    states = dict(AlarmDelivery.objects.values_list("channel", "state"))
    assert states == {"page": DeliveryState.WAITING, "mail": DeliveryState.SENT, "program": DeliveryState.SENT}
    assert Spool(tmp_path).kept() == []
    assert desk.alarms.bring_home() == 0


def test_what_was_told_to_nobody_goes_out_by_the_outbox_once_the_database_is_back(
    desk: Desk, channels: Channels, alice: Client
) -> None:
    channels.mail.is_dead = channels.program.is_dead = True
    desk.tell(alice, "STORE_UNAVAILABLE", "an exit waits")

    desk.alarms.bring_home()

    assert Alarm.objects.get().undelivered_since is not None
    assert not AlarmDelivery.objects.filter(state=DeliveryState.SENT).exists()


def test_a_line_that_a_power_cut_left_half_written_loses_no_other(desk: Desk, alice: Client, tmp_path: Path) -> None:
    desk.tell(alice, "STORE_UNAVAILABLE", "an exit waits")
    with (tmp_path / "alarms" / "waiting.jsonl").open("a") as file:
        file.write('{"number": "7-1", "client": nu')

    assert desk.alarms.bring_home() == 1
    assert Alarm.objects.count() == 1
