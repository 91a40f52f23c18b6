"""Mail on its way: what no worker took, or what failed, is tried again, and nothing leaves twice."""

import logging
from collections.abc import Iterator

import pytest
from pytest_django.fixtures import Settings

from tests.factories import TEN_O_CLOCK
from tests.fakes.mail_server import MailServer
from tests.fakes.wire import WireClock
from trading.models import OutgoingMail
from trading.services import mail, wiring

pytestmark = pytest.mark.django_db


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> WireClock:
    made = WireClock(TEN_O_CLOCK)
    monkeypatch.setattr(wiring, "clock", lambda: made)
    return made


@pytest.fixture
def server(settings: Settings) -> Iterator[MailServer]:
    with MailServer() as made:
        settings.IS_DEMO = False
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS = "127.0.0.1", made.port, False
        yield made


def queue() -> OutgoingMail:
    """Queue a mail as a view does; the test's transaction never commits, so no worker is asked."""
    return mail.queue_mail(recipient="dora@example.com", subject="Your code", body="1234-5678")


def test_a_mail_that_no_worker_took_is_sent_later_and_once(clock: WireClock, server: MailServer) -> None:
    queue()
    assert mail.send_waiting(clock) == 0  # a worker goes first

    clock.pass_(20)
    assert mail.send_waiting(clock) == 1
    clock.pass_(3600)
    assert mail.send_waiting(clock) == 0
    assert len(server.kept) == 1


def test_a_mail_that_failed_is_tried_again_after_a_while(
    clock: WireClock, server: MailServer, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    queued = queue()
    settings.EMAIL_PORT, port = 1, settings.EMAIL_PORT
    with caplog.at_level(logging.WARNING):
        assert not mail.deliver(queued.pk)
    settings.EMAIL_PORT = port
    queued.refresh_from_db()
    assert queued.tries == 1
    assert "refused" in queued.last_error
    assert not mail.deliver(queued.pk)

    clock.pass_(61)
    assert mail.send_waiting(clock) == 1
    queued.refresh_from_db()
    assert (queued.last_error, queued.sealed_body) == ("", "")


def test_a_worker_and_a_sweep_at_one_moment_send_it_once(clock: WireClock, server: MailServer) -> None:
    queued = queue()
    clock.pass_(20)

    assert mail.deliver(queued.pk)
    assert mail.send_waiting(clock) == 0
    assert len(server.kept) == 1


def test_a_mail_of_yesterday_is_of_no_use_to_anybody(clock: WireClock, server: MailServer) -> None:
    queue()
    clock.pass_(25 * 3600)

    assert mail.send_waiting(clock) == 0
