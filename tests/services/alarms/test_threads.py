"""The threads of one process: an alarm leaves without Celery, Redis or a worker, and a silent loop is not hidden."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import OperationalError
from pytest_django.fixtures import Settings

from tests.fakes.mail_server import MailServer
from tests.fakes.wire import WireClock
from tests.services.alarms.conftest import Raise
from trading.models import Alarm, Client, Heartbeat
from trading.services.alarms.threads import DATABASE_AWAY_AFTER_S, AlarmThreads, Duty, Rounds

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("house")]


@pytest.fixture
def server(settings: Settings) -> Iterator[MailServer]:
    with MailServer() as made:
        settings.IS_DEMO, settings.ALARM_PROGRAM = False, ""
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS = "127.0.0.1", made.port, False
        yield made


@pytest.fixture
def threads(clock: WireClock, state_dir: Path) -> AlarmThreads:
    """The threads of a standby, gone round by the test itself."""
    return AlarmThreads("standby", clock, has_loop=True)


def go_round(threads: AlarmThreads, clock: WireClock, seconds: float, *, without: str = "alarm outside") -> None:
    """Let all threads go round for so long."""
    for _ in range(int(seconds * 2)):
        for rounds in threads.all_rounds:
            if rounds.name != without:
                rounds.go_round()
        clock.pass_(0.5)


@pytest.mark.proves("I18", "F36")
def test_a_critical_alarm_leaves_by_mail_within_five_seconds_though_nothing_listens_on_redis(
    threads: AlarmThreads, server: MailServer, alarm: Raise, alice: Client, clock: WireClock
) -> None:
    raised_at = clock.wall()
    alarm(alice)

    threads.stored()
    while not Alarm.objects.get().deliveries.filter(state="sent").exists():
        go_round(threads, clock, 0.5)
        threads.wait_for_sends(60)

    assert (clock.wall() - raised_at).total_seconds() <= 5
    assert {str(mail["To"]) for mail in server.kept} == {"alice@example.com", "bob@example.com"}


@pytest.mark.proves("F47")
def test_a_loop_that_stands_still_gives_no_sign_of_life(threads: AlarmThreads, clock: WireClock) -> None:
    threads.turn()
    go_round(threads, clock, 3)
    counter = Heartbeat.objects.get(part="standby").counter

    go_round(threads, clock, 10)
    assert Heartbeat.objects.get(part="standby").counter == counter
    threads.turn()
    go_round(threads, clock, 1)
    assert Heartbeat.objects.get(part="standby").counter == counter + 1


def test_a_duty_that_fails_keeps_the_others_going(clock: WireClock) -> None:
    done: list[str] = []

    def breaks() -> None:
        raise OperationalError("the database is gone")

    rounds = Rounds("test", clock, [Duty(1.0, breaks), Duty(1.0, lambda: done.append("other"))])
    rounds.go_round()

    assert done == ["other"]


def test_a_database_that_is_away_is_told_once_without_it(
    threads: AlarmThreads, server: MailServer, clock: WireClock
) -> None:
    go_round(threads, clock, 10)  # the address book is read
    for _ in range(int(DATABASE_AWAY_AFTER_S) + 20):
        clock.pass_(1)
        direct = next(rounds for rounds in threads.all_rounds if rounds.name == "alarm direct")
        direct.go_round()
        threads.wait_for_sends(60)

    assert ["[CRITICAL] The database is away" in str(mail["Subject"]) for mail in server.kept] == [True]


def test_a_clean_end_says_so(threads: AlarmThreads, clock: WireClock) -> None:
    threads.turn()
    go_round(threads, clock, 1)
    next(rounds for rounds in threads.all_rounds if rounds.name == "alarm life").at_end()

    assert Heartbeat.objects.get(part="standby").is_stopped
