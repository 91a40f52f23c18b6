"""Sign-in, sign-out, and a forgotten password by code."""

from collections.abc import Callable

import pytest
from django.test import Client as Browser

from tests.factories import PASSWORD
from tests.web.conftest import last_code, last_mail, text_of
from trading.models import Client, User

pytestmark = pytest.mark.django_db
LOGIN = {"login": "alice@example.com", "password": PASSWORD}
NEW_PASSWORD = "a quite different set of words"
RESET, CODE, COMPLETE = (
    "/accounts/password/reset/",
    "/accounts/password/reset/confirm/",
    "/accounts/password/reset/complete/",
)


def test_signing_in_leads_a_new_client_to_the_checklist(browser: Browser, alice: Client) -> None:
    assert browser.post("/accounts/login/", LOGIN)["Location"] == "/onboarding/"


def test_a_wrong_password_and_an_unknown_address_are_told_apart_by_nobody(browser: Browser, alice: Client) -> None:
    wrong = browser.post("/accounts/login/", {**LOGIN, "password": "no"})
    unknown = browser.post("/accounts/login/", {**LOGIN, "login": "nobody@example.com"})

    sentence = "E-mail address and password do not fit together."
    assert sentence in text_of(wrong)
    assert sentence in text_of(unknown)


def test_after_five_failures_this_address_waits_but_the_owner_elsewhere_does_not(alice: Client) -> None:
    attacker, owner = Browser(REMOTE_ADDR="10.9.8.7"), Browser(REMOTE_ADDR="10.1.1.1")
    for _ in range(5):
        attacker.post("/accounts/login/", {**LOGIN, "password": "no"})

    assert "Too many wrong tries" in text_of(attacker.post("/accounts/login/", LOGIN))
    assert owner.post("/accounts/login/", LOGIN).status_code == 302


def test_signing_out_needs_a_post_and_ends_the_session(alice: Client, signed_in: Callable[..., Browser]) -> None:
    browser = signed_in(alice)
    old = browser.cookies["sessionid"].value

    assert browser.get("/accounts/logout/").status_code == 200
    assert browser.get("/settings/").status_code == 200
    browser.post("/accounts/logout/")

    browser.cookies["sessionid"] = old
    assert browser.get("/settings/").status_code == 302


def test_the_mailed_code_lets_choose_a_new_password(browser: Browser, alice: Client) -> None:
    assert browser.post(RESET, {"email": "alice@example.com"})["Location"] == CODE
    assert browser.post(CODE, {"code": last_code()})["Location"] == COMPLETE
    assert browser.post(COMPLETE, {"password1": NEW_PASSWORD}).status_code == 302

    assert browser.post("/accounts/login/", LOGIN).status_code == 200
    assert browser.post("/accounts/login/", {**LOGIN, "password": NEW_PASSWORD}).status_code == 302


def test_a_new_password_ends_the_sessions_of_other_devices(
    browser: Browser, alice: Client, signed_in: Callable[..., Browser]
) -> None:
    other_device = signed_in(alice)

    browser.post(RESET, {"email": "alice@example.com"})
    browser.post(CODE, {"code": last_code()})
    browser.post(COMPLETE, {"password1": NEW_PASSWORD})

    assert other_device.get("/settings/").status_code == 302


def test_three_wrong_codes_end_the_reset(browser: Browser, alice: Client) -> None:
    browser.post(RESET, {"email": "alice@example.com"})
    code = last_code()

    for _ in range(3):
        browser.post(CODE, {"code": "0000-0000" if code != "0000-0000" else "1111-1111"})
    browser.post(CODE, {"code": code})

    assert browser.get(COMPLETE)["Location"] == RESET


def test_the_new_password_page_is_closed_without_the_code(browser: Browser, alice: Client) -> None:
    browser.post(RESET, {"email": "alice@example.com"})

    assert browser.get(COMPLETE).status_code == 302
    browser.post(COMPLETE, {"password1": NEW_PASSWORD})
    assert User.objects.get(email="alice@example.com").check_password(PASSWORD)


def test_a_reset_for_an_unknown_address_looks_the_same(browser: Browser) -> None:
    reply = browser.post(RESET, {"email": "nobody@example.com"})

    assert reply["Location"] == CODE
    assert "No account has that address" in last_mail().body.reveal()


def test_a_forged_host_is_refused_so_no_mail_can_point_elsewhere(browser: Browser, alice: Client) -> None:
    assert browser.post(RESET, {"email": "alice@example.com"}, HTTP_HOST="evil.example").status_code == 400
