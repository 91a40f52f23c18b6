"""What every page has: headers, theme, the bar; and who is let in at all."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from django.test import Client as Browser
from django.urls import reverse

from tests.factories import make_account
from tests.web.conftest import text_of
from trading.models import Client, PnlPoint, User
from trading.services import mail, wiring

pytestmark = pytest.mark.django_db
SignedIn = Callable[..., Browser]
PRIVATE = ("onboarding", "settings", "settings-brokers", "settings-limits", "broker-connect", "kite-login")
POST_ONLY = ("onboarding-start", "theme")


@pytest.mark.parametrize("name", PRIVATE)
def test_a_private_page_sends_a_stranger_to_sign_in(browser: Browser, name: str) -> None:
    reply = browser.get(reverse(name))

    assert reply.status_code == 302
    assert reply["Location"].startswith("/accounts/login/?next=")


@pytest.mark.parametrize("name", PRIVATE)
def test_a_private_page_is_kept_by_no_cache(alice: Client, signed_in: SignedIn, name: str) -> None:
    make_account(alice)

    reply = signed_in(alice).get(reverse(name))

    assert reply.status_code == 200
    assert reply["Cache-Control"] == "no-store, private"


@pytest.mark.parametrize("name", POST_ONLY)
def test_what_changes_something_is_not_done_by_a_get(alice: Client, signed_in: SignedIn, name: str) -> None:
    assert signed_in(alice).get(reverse(name)).status_code == 405


@pytest.mark.parametrize("name", ["onboarding-start", "settings-limits", "broker-connect", "kite-login", "theme"])
def test_a_post_without_the_token_is_refused(alice: Client, name: str) -> None:
    browser = Browser(enforce_csrf_checks=True)
    browser.force_login(alice.user, backend="django.contrib.auth.backends.ModelBackend")

    reply = browser.post(reverse(name))

    assert reply.status_code == 403
    assert "The form was too old" in text_of(reply)


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


def test_the_bar_shows_state_and_todays_pnl_with_a_sign(alice: Client, signed_in: SignedIn) -> None:
    PnlPoint.objects.create(
        client=alice, at=wiring.clock().now(), realised_pnl=Decimal("-1234.50"), unrealised_pnl=Decimal("-100000")
    )

    page = text_of(signed_in(alice).get("/settings/"))

    assert "−₹1,01,234.50" in page
    assert 'data-state="ACTIVE"' in page


def test_an_unknown_pnl_is_a_dash_and_never_zero(alice: Client, charlie: Client, signed_in: SignedIn) -> None:
    PnlPoint.objects.create(client=alice, at=wiring.clock().now(), realised_pnl=5, unrealised_pnl=5)

    page = text_of(signed_in(charlie).get("/settings/"))

    assert 'data-testid="bar-pnl">—<' in page


def test_the_landing_page_says_what_it_is_and_where_to_start(browser: Browser) -> None:
    page = text_of(browser.get("/"))

    assert "no promise of profit" in page
    assert reverse("account_signup") in page


def test_the_demo_mailbox_shows_the_mail_and_the_log_has_it_too(
    browser: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    queued = mail.queue_mail(recipient="dora@example.com", subject="Your code", body="1234-5678")

    assert mail.deliver(queued.pk)
    assert not mail.deliver(queued.pk)

    assert "1234-5678" in text_of(browser.get("/demo/mail/"))
    assert [record.name for record in caplog.records if "1234-5678" in record.getMessage()] == ["trading.demo_mail"]


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
