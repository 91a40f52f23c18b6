"""Alarms on the pages: what waits, reading it, the history, the channels, and what the socket tells and hears."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest
from asgiref.sync import sync_to_async
from django.core.management import CommandError, call_command
from django.test import Client as Browser
from pytest_django.fixtures import Settings

from tests.fakes.mail_server import MailServer
from tests.web.conftest import text_of
from tests.web.test_live import Open, tabs
from trading.models import Alarm, AlarmDelivery, Client, DeliveryState, Heartbeat, User
from trading.services import status, wiring
from trading.services.alarms.probes import probe_channels
from trading.stack import checkup
from trading.stores import alarms

__all__ = ["tabs"]
SignedIn = Callable[..., Browser]
pytestmark = pytest.mark.django_db


def raise_alarm(client: Client | None, code: str = "NOT_FLAT", text: str = "25 NSE:INFY are open") -> Alarm:
    clock = wiring.clock()
    return alarms.record(client.pk if client else None, code, text, at=clock.now(), wall=clock.wall())


def test_a_critical_alarm_stands_on_every_page_of_whom_it_concerns(
    alice: Client, bob: User, charlie: Client, signed_in: SignedIn
) -> None:
    raise_alarm(alice)

    for who, page in ((alice, "/watchlist/"), (bob, "/operator/")):
        found = text_of(signed_in(who).get(page))
        assert "Not flat after the square-off" in found
        assert "close what is named in the broker" in found
        assert "Alarms, 1 not read" in found
    assert "25 NSE:INFY" not in text_of(signed_in(charlie).get("/watchlist/"))


def test_a_warning_only_counts_on_the_bell(alice: Client, signed_in: SignedIn) -> None:
    raise_alarm(alice, "EXIT_FAILED", "exit of 25 NSE:INFY failed")

    page = text_of(signed_in(alice).get("/watchlist/"))
    assert "exit of 25" not in page
    assert "Alarms, 1 not read" in page


def test_an_alarm_that_was_read_leaves_the_bar_of_that_person_alone(
    alice: Client, bob: User, signed_in: SignedIn
) -> None:
    raised = raise_alarm(alice)
    hers, his = signed_in(alice), signed_in(bob)

    assert hers.post(f"/alarms/{raised.pk}/read/")["Location"] == "/alarms/"

    assert 'data-testid="alarm-line"' not in text_of(hers.get("/watchlist/"))
    assert 'data-testid="alarm-line"' in text_of(his.get("/operator/"))
    assert 'data-testid="waiting-alarm"' not in text_of(hers.get("/alarms/"))
    assert "25 NSE:INFY are open" in text_of(hers.get("/alarms/"))  # in the history


def test_the_bar_comes_back_alone_for_a_page_that_is_open(alice: Client, signed_in: SignedIn) -> None:
    raised = raise_alarm(alice)

    reply = signed_in(alice).post(f"/alarms/{raised.pk}/read/", headers={"HX-Request": "true"})

    assert text_of(reply).lstrip().startswith('<section class="alarm-bar"')
    assert "hidden" in text_of(reply)


def test_somebody_elses_alarm_is_not_found(alice: Client, charlie: Client, signed_in: SignedIn) -> None:
    raised = raise_alarm(alice)

    assert signed_in(charlie).post(f"/alarms/{raised.pk}/read/").status_code == 404
    assert "25 NSE:INFY" not in text_of(signed_in(charlie).get("/alarms/"))
    assert not AlarmDelivery.objects.exclude(acknowledged_at=None).exists()


def test_all_that_waits_can_be_read_at_once(alice: Client, bob: User, signed_in: SignedIn) -> None:
    for name in ("INFY", "TCS"):
        raise_alarm(alice, "EXIT_FAILED", f"exit of 25 NSE:{name} failed")
    browser = signed_in(alice)

    browser.post("/alarms/read/")

    assert "Nothing waits for you" in text_of(browser.get("/alarms/"))
    assert AlarmDelivery.objects.filter(user=bob, channel="page", acknowledged_at=None).count() == 2


def test_operators_see_how_an_alarm_reached_people_and_clients_do_not(
    alice: Client, bob: User, signed_in: SignedIn
) -> None:
    raised = raise_alarm(alice)
    row = raised.deliveries.get(channel="mail", recipient=bob.email)
    alarms.failed(row.pk, "ConnectionRefusedError: password=hunter2hunter2", wiring.clock().wall())

    page = text_of(signed_in(bob).get("/alarms/"))
    assert "mail bob@example.com" in page
    assert "ConnectionRefusedError" in page
    assert "hunter2" not in page
    assert "bob@example.com" not in text_of(signed_in(alice).get("/alarms/"))


def test_a_day_that_is_none_shows_today(alice: Client, signed_in: SignedIn) -> None:
    raise_alarm(alice)
    browser = signed_in(alice)

    assert "25 NSE:INFY" in text_of(browser.get("/alarms/?day='; --"))
    assert "No alarm on this day" in text_of(browser.get("/alarms/?day=2020-01-01"))


def test_the_settings_say_how_each_channel_is_and_never_show_the_program(
    alice: Client, bob: User, signed_in: SignedIn, settings: Settings
) -> None:
    settings.ALARM_PROGRAM = "curl -H 'Authorization: Bearer canary-token' https://notify.example/"

    page = text_of(signed_in(bob).get("/settings/alarms/"))
    assert "ALARM_PROGRAM, by the environment" in page
    assert "canary-token" not in page
    assert "Program" not in text_of(signed_in(alice).get("/settings/alarms/"))


def test_a_person_chooses_warnings_and_sound(alice: Client, signed_in: SignedIn) -> None:
    signed_in(alice).post("/settings/alarms/", {"alarm_sound": "on", "is_operator": "on"})

    user = User.objects.get(pk=alice.user_id)
    assert (user.mails_warnings, user.alarm_sound, user.is_operator) == (False, True, False)


def test_the_test_button_puts_an_alarm_out_by_every_channel(alice: Client, bob: User, signed_in: SignedIn) -> None:
    signed_in(alice).post("/settings/alarms/test/")

    raised = Alarm.objects.get(code="TEST_ALARM")
    assert (raised.severity, raised.undelivered_since) == ("info", None)
    assert set(raised.deliveries.filter(user=alice.user).values_list("channel", flat=True)) == {"page", "mail"}


def test_the_command_says_which_channel_took_it(
    bob: User, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    with MailServer() as server:
        settings.IS_DEMO = False
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS = "127.0.0.1", server.port, False
        call_command("alarm_test")
        assert "Test alarm" in str(server.kept[0]["Subject"])
    assert "mail     bob@example.com" in capsys.readouterr().out
    AlarmDelivery.objects.all().delete()
    settings.EMAIL_PORT = 1
    with pytest.raises(CommandError, match="1 of 1 messages did not leave"):
        call_command("alarm_test")


def test_a_channel_that_does_not_work_is_an_alarm_and_fails_readiness_and_status(bob: User, settings: Settings) -> None:
    settings.IS_DEMO, settings.EMAIL_HOST, settings.EMAIL_PORT = False, "127.0.0.1", 1
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"

    finding = checkup.alarm_channels()
    assert not finding.is_ok
    assert "refused" in finding.detail
    assert Alarm.objects.get().code == "CHANNEL_FAILED"
    part = next(part for part in status.gather().parts if part.name == "Alarms")
    assert part.kind == "bad"

    settings.IS_DEMO = True
    probe_channels(wiring.clock())
    assert checkup.alarm_channels().is_ok
    part = next(part for part in status.gather().parts if part.name == "Alarms")
    assert part.kind == "ok"


def test_the_status_page_shows_the_age_of_every_part(bob: User, signed_in: SignedIn) -> None:
    wall = wiring.clock().wall()
    Heartbeat.objects.create(part="engine", counter=3, beat_at=wall)
    Heartbeat.objects.create(part="channel:mail", counter=3, beat_at=wall - timedelta(hours=1))
    browser = signed_in(bob)
    browser.get("/status/")
    Heartbeat.objects.filter(part="engine").update(counter=4)

    page = text_of(browser.get("/status/"))

    lives = page.partition('data-testid="lives"')[2].partition("</table>")[0]
    assert "engine" in lives
    assert "lives" in lives
    assert "channel" not in lives


# -- the socket -------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
async def test_the_socket_tells_how_many_alarms_wait_while_redis_is_away(alice: Client, tabs: Open) -> None:
    await sync_to_async(raise_alarm)(alice)
    tab = await tabs(alice)
    await tab.connect()

    told = await tab.message("alarms")

    assert (told["data"]["critical"], told["data"]["count"]) == (1, 1)


@pytest.mark.django_db(transaction=True)
@pytest.mark.proves("I18")
async def test_what_a_page_says_it_has_shown_is_delivered_and_only_what_is_theirs(
    alice: Client, charlie: Client, tabs: Open
) -> None:
    raised = await sync_to_async(raise_alarm)(alice)
    hers, his = await tabs(alice), await tabs(charlie)
    for tab in (hers, his):
        await tab.connect()
        await tab.message("snapshot")

    await his.say(f'{{"type":"shown","alarms":[{raised.pk}]}}')
    await asyncio.sleep(0.3)
    assert await sync_to_async(_is_undelivered)()
    await hers.say(f'{{"type":"shown","alarms":[{raised.pk}]}}')
    for _ in range(50):
        if not await sync_to_async(_is_undelivered)():
            break
        await asyncio.sleep(0.05)

    assert not await sync_to_async(_is_undelivered)()


def _is_undelivered() -> bool:
    is_sent = AlarmDelivery.objects.filter(channel="page", state=DeliveryState.SENT).exists()
    return Alarm.objects.get().undelivered_since is not None and not is_sent


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "said",
    [
        '{"type":"shown"}',
        '{"type":"shown","alarms":"1"}',
        '{"type":"shown","alarms":[true]}',
        '{"type":"shown","alarms":[99999999999999999999]}',
        '{"type":"shown","alarms":[1],"user":2}',
        '{"type":"acknowledge","alarms":[1]}',
        '["shown"]',
    ],
)
async def test_anything_else_closes_the_socket(alice: Client, tabs: Open, said: str) -> None:
    tab = await tabs(alice)
    await tab.connect()
    await tab.message("snapshot")

    await tab.say(said)

    assert await tab.closed_with() == 1003
