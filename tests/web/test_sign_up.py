"""Sign-up: e-mail, password, an optional phone number, and the mailed code."""

import pytest
from allauth.account.internal.flows.email_verification_by_code import EMAIL_VERIFICATION_CODE_SESSION_KEY
from allauth.account.models import EmailAddress
from django.contrib.sessions.models import Session
from django.test import Client as Browser

from tests.factories import PASSWORD
from tests.web.conftest import last_code, last_mail, text_of
from trading.models import Client, OutgoingMail, User

pytestmark = pytest.mark.django_db
NEW = {"email": "Dora@Example.com", "password1": PASSWORD, "phone": "+91 98765-43210"}
CONFIRM = "/accounts/confirm-email/"


def sign_up(browser: Browser, **changes: str) -> None:
    reply = browser.post("/accounts/signup/", {**NEW, **changes})
    assert reply.status_code == 302, text_of(reply)
    assert reply["Location"] == CONFIRM


def test_the_mailed_code_confirms_the_address_and_leads_to_the_checklist(browser: Browser) -> None:
    sign_up(browser)

    reply = browser.post(CONFIRM, {"code": last_code()})

    assert reply.status_code == 302
    assert browser.get(reply["Location"], follow=True).redirect_chain[-1:] in ([], [("/onboarding/", 302)])
    client = Client.objects.get(user__email="dora@example.com")
    assert client.user.phone == "+919876543210"
    assert client.onboarded_at is None
    assert "Connect your broker" in text_of(browser.get("/onboarding/"))
    assert browser.get("/settings/brokers/connect/").status_code == 200, "the code was proof enough for now"


def test_the_phone_number_may_be_left_out(browser: Browser) -> None:
    sign_up(browser, phone="")

    assert User.objects.get(email="dora@example.com").phone == ""


def test_a_phone_number_of_five_digits_is_refused_in_words(browser: Browser) -> None:
    reply = browser.post("/accounts/signup/", {**NEW, "phone": "12345"})

    assert reply.status_code == 200
    assert "10 to 15 digits" in text_of(reply)
    assert not User.objects.exists()


@pytest.mark.parametrize("password", ["password1", "short", "dora@example.com"])
def test_a_weak_password_is_refused(browser: Browser, password: str) -> None:
    reply = browser.post("/accounts/signup/", {**NEW, "password1": password})

    assert reply.status_code == 200
    assert not User.objects.exists()


def test_nobody_is_signed_in_before_the_code(browser: Browser) -> None:
    sign_up(browser)

    assert browser.get("/onboarding/").status_code == 302
    assert browser.get("/onboarding/")["Location"].startswith("/accounts/login/")


def test_a_code_with_or_without_its_hyphen_is_the_same(browser: Browser) -> None:
    sign_up(browser)

    assert browser.post(CONFIRM, {"code": last_code().replace("-", "")}).status_code == 302
    assert browser.get("/onboarding/").status_code == 200


def test_after_three_wrong_codes_the_right_one_is_worth_nothing(browser: Browser) -> None:
    sign_up(browser)
    code = last_code()
    wrong = "0000-0000" if code != "0000-0000" else "1111-1111"

    first = browser.post(CONFIRM, {"code": wrong})
    browser.post(CONFIRM, {"code": wrong})
    third = browser.post(CONFIRM, {"code": wrong})

    assert "That is not the code of the last mail." in text_of(first)
    assert third.status_code == 302
    browser.post(CONFIRM, {"code": code})
    assert browser.get("/onboarding/").status_code == 302


def test_the_code_works_only_in_the_browser_that_asked_for_it(browser: Browser) -> None:
    sign_up(browser)

    stranger = Browser()
    stranger.post(CONFIRM, {"code": last_code()})

    assert stranger.get("/onboarding/").status_code == 302


def test_a_new_code_replaces_the_old_one(browser: Browser, settings: object) -> None:
    settings.ACCOUNT_RATE_LIMITS = {"confirm_email": "9/s/key"}  # type: ignore[attr-defined]
    sign_up(browser)
    old = last_code()

    browser.post(CONFIRM, {"action": "resend"})

    assert OutgoingMail.objects.count() == 2
    assert browser.post(CONFIRM, {"code": old}).status_code == 200
    assert browser.post(CONFIRM, {"code": last_code()}).status_code == 302


def test_no_stored_session_and_no_mail_row_holds_the_code_in_clear(browser: Browser) -> None:
    sign_up(browser)
    code = last_code()

    stored = [str(session.get_decoded()) for session in Session.objects.all()]

    assert stored
    for text in [*stored, last_mail().sealed_body]:
        assert code not in text
        assert code.replace("-", "") not in text


def test_signing_up_with_a_known_address_looks_the_same_and_changes_nothing(browser: Browser, alice: Client) -> None:
    before = alice.user.password

    sign_up(browser, email="alice@example.com")

    assert User.objects.get(email="alice@example.com").password == before
    assert "has an account already" in last_mail().body.reveal()


def test_asking_for_codes_too_often_says_kindly_to_wait(browser: Browser) -> None:
    for _ in range(25):
        reply = browser.post("/accounts/signup/", {**NEW, "email": "x"})

    assert reply.status_code == 429
    assert reply["Retry-After"] == "60"
    assert "A moment, please" in text_of(reply)


def test_a_code_is_good_once(browser: Browser) -> None:
    sign_up(browser)
    code = last_code()
    browser.post(CONFIRM, {"code": code})
    browser.post("/accounts/logout/")

    browser.post(CONFIRM, {"code": code})

    assert browser.get("/onboarding/").status_code == 302


def test_a_code_dies_after_ten_minutes(browser: Browser) -> None:
    sign_up(browser)
    session = browser.session
    pending = session[EMAIL_VERIFICATION_CODE_SESSION_KEY]
    session[EMAIL_VERIFICATION_CODE_SESSION_KEY] = {**pending, "at": pending["at"] - 601}
    session.save()

    browser.post(CONFIRM, {"code": last_code()})

    assert browser.get("/onboarding/").status_code == 302
    assert not EmailAddress.objects.filter(verified=True).exists()
