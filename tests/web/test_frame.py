"""What every page has: headers, theme, pictures that exist; and the demo's own pages."""

import re
from collections.abc import Callable

import pytest
from django.contrib.staticfiles import finders
from django.test import Client as Browser
from django.test import RequestFactory
from django.urls import get_resolver, reverse

from tests.factories import make_account
from tests.web.conftest import text_of
from trading.models import Client, User
from trading.services import mail
from trading.web.views.errors import server_error

pytestmark = pytest.mark.django_db
SignedIn = Callable[..., Browser]
PRIVATE = ("onboarding", "settings", "settings-brokers", "settings-limits", "broker-connect", "kite-login")


@pytest.mark.parametrize("name", PRIVATE)
def test_a_private_page_is_kept_by_no_cache(alice: Client, signed_in: SignedIn, name: str) -> None:
    make_account(alice)

    reply = signed_in(alice).get(reverse(name))

    assert reply.status_code == 200
    assert reply["Cache-Control"] == "no-store, private"


def test_every_page_carries_a_policy_without_inline_script_or_style(browser: Browser) -> None:
    for path in ("/", "/accounts/signup/", "/nothing-here/"):
        reply = browser.get(path)
        policy = reply["Content-Security-Policy"]
        assert "'nonce-" in policy
        assert "unsafe-inline" not in policy
        assert "object-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert " style=" not in text_of(reply)
        assert "onclick" not in text_of(reply)
        assert text_of(reply).count("<script") == text_of(reply).count("<script defer src=")


def test_the_theme_is_dark_until_somebody_chooses_light(browser: Browser) -> None:
    assert 'data-theme="dark"' in text_of(browser.get("/"))

    reply = browser.post("/theme/", {"theme": "light", "next": "/accounts/login/"})

    assert reply["Location"] == "/accounts/login/"
    assert 'data-theme="light"' in text_of(browser.get("/"))


def test_the_theme_switch_goes_back_to_this_site_only(browser: Browser) -> None:
    assert browser.post("/theme/", {"theme": "light", "next": "https://evil.example/"})["Location"] == "/"


def test_the_landing_page_says_what_it_is_and_where_to_start(browser: Browser) -> None:
    page = text_of(browser.get("/"))

    assert "no promise of profit" in page
    assert reverse("account_signup") in page
    for picture in re.findall(r"/static/(theme/desk-[a-z-]+\.webp)", page):
        assert finders.find(picture), picture


def test_the_demo_mailbox_shows_the_mail_and_the_log_has_it_too(
    browser: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    queued = mail.queue_mail(recipient="dora@example.com", subject="Your code", body="1234-5678")

    assert mail.deliver(queued.pk)
    assert not mail.deliver(queued.pk)

    assert "1234-5678" in text_of(browser.get("/demo/mail/"))
    assert [record.name for record in caplog.records if "1234-5678" in record.getMessage()] == ["trading.demo_mail"]


def test_a_fault_of_ours_gives_a_reference_that_stands_in_the_log_too(
    rf: RequestFactory, caplog: pytest.LogCaptureFixture
) -> None:
    reply = server_error(rf.get("/dashboard/"))

    reference = re.search(r"support: <code>([0-9a-f]{8})</code>", text_of(reply))
    assert reply.status_code == 500
    assert "Orders, stops and the square-off" in text_of(reply)
    assert reference is not None
    assert f"reference={reference.group(1)} path=/dashboard/" in caplog.text
    assert get_resolver().resolve_error_handler(500) is server_error


@pytest.mark.parametrize("name", ["demo-mail", "demo-brokers"])
def test_the_demo_pages_do_not_exist_live(browser: Browser, settings: object, name: str) -> None:
    settings.IS_DEMO = False  # type: ignore[attr-defined]

    assert browser.get(reverse(name)).status_code == 404


def test_live_mail_is_sent_and_its_text_forgotten(settings: object, mailoutbox: list[object]) -> None:
    settings.IS_DEMO = False  # type: ignore[attr-defined]
    queued = mail.queue_mail(recipient="dora@example.com", subject="Your code", body="1234-5678")

    mail.deliver(queued.pk)

    queued.refresh_from_db()
    assert len(mailoutbox) == 1
    assert queued.sealed_body == ""


def test_an_exchange_that_is_away_is_said_on_the_demo_page(browser: Browser) -> None:
    assert "does not answer" in text_of(browser.get("/demo/brokers/"))


def test_an_operator_sees_the_house_in_the_bar(bob: User, signed_in: SignedIn) -> None:
    assert "Today, all clients" in text_of(signed_in(bob).get("/settings/"))
