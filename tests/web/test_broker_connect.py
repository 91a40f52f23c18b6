"""Connecting a broker: keys that nobody sees again, the broker's page, and a way back that cannot be forged."""

import logging
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import responses
from django.conf import settings
from django.test import Client as Browser

from tests.factories import DAY, TEN_O_CLOCK, make_account
from tests.web.conftest import text_of
from trading.domain.errors import RiskDenied
from trading.domain.timezone import to_ist
from trading.models import Alarm, BrokerAccount, Client, EventLog, Fill
from trading.services import brokers

pytestmark = pytest.mark.django_db
SignedIn = Callable[..., Browser]
API_KEY, API_SECRET, TOKEN = "apikey-canary-1", "apisecret-canary-2", "accesstoken-canary-3"
KEYS = {"broker_user_id": "xy2001", "api_key": API_KEY, "api_secret": API_SECRET}
CONNECT, CALLBACK = "/settings/brokers/connect/", "/broker/kite/callback/"


def begin(browser: Browser) -> str:
    """Type the keys and give the state that the broker's page was called with."""
    reply = browser.post(CONNECT, KEYS)
    assert reply.status_code == 302, text_of(reply)
    query = parse_qs(urlsplit(reply["Location"]).query)
    assert query["api_key"] == [API_KEY]
    return parse_qs(query["redirect_params"][0])["state"][0]


def come_back(browser: Browser, state: str, **changes: str) -> Any:
    answer = {"action": "login", "type": "login", "status": "success", "request_token": "rt-1", "state": state}
    return browser.get(CALLBACK, {**answer, **changes})


def kite_grants(user_id: str = "XY2001") -> None:
    data = {"user_id": user_id, "access_token": TOKEN, "login_time": "2026-11-23 08:30:00"}
    responses.post(f"{settings.KITE_ROOT}/session/token", json={"status": "success", "data": data})


def connected(alice: Client) -> BrokerAccount:
    return BrokerAccount.objects.get(owner=alice.user)


def test_the_keys_lead_to_the_brokers_own_page(alice: Client, signed_in: SignedIn) -> None:
    reply = signed_in(alice).post(CONNECT, KEYS)

    assert reply["Location"].startswith(f"{settings.KITE_LOGIN_ROOT}?")
    account = connected(alice)
    assert account.broker_user_id == "XY2001"
    assert account.key == ""
    assert account.api_secret.reveal() == API_SECRET


@responses.activate
def test_coming_back_with_the_right_state_connects_until_six_next_morning(alice: Client, signed_in: SignedIn) -> None:
    kite_grants()
    browser = signed_in(alice)

    reply = come_back(browser, begin(browser))

    assert reply.status_code == 302
    account = connected(alice)
    assert account.key == "kite:XY2001"
    assert account.access_token.reveal() == TOKEN
    assert account.token_expires_at is not None
    assert to_ist(account.token_expires_at).time() == time(6)
    assert EventLog.objects.filter(kind="BROKER_CONNECTED", chain__client=alice).exists()


@responses.activate
@pytest.mark.parametrize("state", ["", "somebody-elses", "ÿ"])
def test_a_foreign_or_missing_state_is_refused_before_the_broker_is_asked(
    alice: Client, signed_in: SignedIn, state: str
) -> None:
    browser = signed_in(alice)
    begin(browser)

    assert come_back(browser, state).status_code == 403
    assert not responses.calls
    assert connected(alice).key == ""


@responses.activate
def test_a_state_is_good_for_one_answer_only(alice: Client, signed_in: SignedIn) -> None:
    kite_grants()
    browser = signed_in(alice)
    state = begin(browser)

    come_back(browser, state)

    assert come_back(browser, state).status_code == 403
    assert len(responses.calls) == 1


@responses.activate
def test_a_wrong_answer_uses_the_state_up(alice: Client, signed_in: SignedIn) -> None:
    browser = signed_in(alice)
    state = begin(browser)

    come_back(browser, "guess")

    assert come_back(browser, state).status_code == 403


@responses.activate
def test_a_state_dies_after_five_minutes(alice: Client, signed_in: SignedIn) -> None:
    browser = signed_in(alice)
    state = begin(browser)
    session = browser.session
    session["kite_login"] = {**session["kite_login"], "at": session["kite_login"]["at"] - 301}
    session.save()

    assert come_back(browser, state).status_code == 403


@responses.activate
def test_another_persons_browser_cannot_finish_the_sign_in(alice: Client, charlie: Client, signed_in: SignedIn) -> None:
    state = begin(signed_in(alice))

    assert come_back(signed_in(charlie), state).status_code == 403
    assert come_back(Browser(), state).status_code == 403
    assert not responses.calls


@responses.activate
def test_another_broker_user_is_refused_and_that_session_is_ended(alice: Client, signed_in: SignedIn) -> None:
    kite_grants("AB9999")
    ended = responses.delete(f"{settings.KITE_ROOT}/session/token", json={"status": "success", "data": True})
    browser = signed_in(alice)

    reply = come_back(browser, begin(browser))

    assert reply.status_code == 403
    assert "AB9999" in text_of(reply)
    account = connected(alice)
    assert account.key == ""
    assert not account.access_token
    assert ended.call_count == 1


@responses.activate
def test_what_the_broker_refuses_is_said_and_changes_nothing(alice: Client, signed_in: SignedIn) -> None:
    refusal = {"status": "error", "error_type": "TokenException", "message": "Token is invalid or has expired."}
    responses.post(f"{settings.KITE_ROOT}/session/token", json=refusal, status=403)
    browser = signed_in(alice)

    reply = come_back(browser, begin(browser))

    assert "Not connected" in text_of(browser.get(reply["Location"]))
    assert connected(alice).key == ""


def test_a_sign_in_given_up_at_the_broker_changes_nothing(alice: Client, signed_in: SignedIn) -> None:
    browser = signed_in(alice)

    reply = come_back(browser, begin(browser), status="cancelled")

    assert reply["Location"] == "/settings/brokers/"
    assert connected(alice).key == ""


@responses.activate
def test_no_page_and_no_log_line_ever_shows_a_secret(
    alice: Client, signed_in: SignedIn, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    kite_grants()
    browser = signed_in(alice)
    pages = [text_of(browser.post(CONNECT, {**KEYS, "broker_user_id": "!"}))]

    come_back(browser, begin(browser))
    pages += [text_of(browser.get(path)) for path in (CONNECT, "/settings/brokers/", "/settings/", "/onboarding/")]
    pages.append(text_of(browser.get("/broker/kite/login/")))

    for secret in (API_KEY, API_SECRET, TOKEN):
        assert not [page for page in pages if secret in page]
        assert secret not in caplog.text


def test_the_key_fields_are_masked_and_have_a_toggle(alice: Client, signed_in: SignedIn) -> None:
    page = text_of(signed_in(alice).get(CONNECT))

    assert page.count('type="password"') == 2
    assert page.count("data-secret=") == 2


def test_an_account_that_somebody_else_connected_is_refused(
    alice: Client, charlie: Client, signed_in: SignedIn
) -> None:
    make_account(charlie, "XY2001")

    reply = signed_in(alice).post(CONNECT, KEYS)

    assert reply.status_code == 200
    assert "somebody else" in text_of(reply)
    assert not alice.user.broker_accounts.exists()


def test_somebody_elses_account_does_not_exist_for_this_client(
    alice: Client, charlie: Client, signed_in: SignedIn
) -> None:
    account = make_account(alice)
    browser = signed_in(charlie)

    assert browser.post("/broker/kite/login/", {"account": str(account.seal_id)}).status_code == 404
    assert browser.get(f"/broker/kite/login/?account={account.seal_id}").status_code == 404
    assert browser.post(f"/settings/brokers/{account.seal_id}/disconnect/").status_code == 404
    assert "AB1001" not in text_of(browser.get("/settings/brokers/"))
    account.refresh_from_db()
    assert account.is_enabled


@responses.activate
def test_disconnecting_ends_the_session_and_deletes_the_keys(alice: Client, signed_in: SignedIn) -> None:
    ended = responses.delete(f"{settings.KITE_ROOT}/session/token", json={"status": "success", "data": True})
    account = make_account(alice)

    signed_in(alice).post(f"/settings/brokers/{account.seal_id}/disconnect/")

    account.refresh_from_db()
    assert ended.call_count == 1
    assert not account.is_enabled
    assert not any((account.api_key, account.api_secret, account.access_token))


def fill(account: BrokerAccount, side: str, day: date, trade_id: str) -> Fill:
    return Fill.objects.create(
        account=account, client=account.owner.client, day=day, exchange="NSE", trade_id=trade_id, order_id=trade_id,
        instrument="NSE:INFY", side=side, product="MIS", quantity=10, price="1500", filled_at=TEN_O_CLOCK,
    )  # fmt: skip


@pytest.mark.proves("F68")
@responses.activate
@pytest.mark.usefixtures("market")
def test_with_something_open_only_an_explicit_word_disconnects_and_an_alarm_says_so(
    alice: Client, signed_in: SignedIn
) -> None:
    responses.delete(f"{settings.KITE_ROOT}/session/token", json={"status": "success", "data": True})
    account, browser = make_account(alice), signed_in(alice)
    fill(account, "BUY", DAY, "1")
    where = f"/settings/brokers/{account.seal_id}/disconnect/"

    browser.post(where)
    account.refresh_from_db()
    assert account.is_enabled
    assert "leave them open" in text_of(browser.get("/settings/brokers/"))

    browser.post(where, {"leave_open": "1"})
    account.refresh_from_db()
    assert not account.is_enabled
    alarm = Alarm.objects.get(code="LEFT_OPEN")
    assert "NSE:INFY" in alarm.text
    assert EventLog.objects.get(kind="BROKER_DISCONNECTED").data["left_open"] == ["NSE:INFY"]


@pytest.mark.proves("F68")
def test_keys_stay_while_a_position_is_open(alice: Client) -> None:
    account = make_account(alice)
    fill(account, "BUY", DAY, "1")

    with pytest.raises(RiskDenied, match="NSE:INFY"):
        brokers.refuse_while_open(account, DAY)
    with pytest.raises(RiskDenied, match="still open"):
        brokers.register(owner=alice.user, broker_user_id="AB1001", api_key="new", api_secret="new", day=DAY)

    account.refresh_from_db()
    assert account.api_key.reveal() == "keyAB1001"
    fill(account, "SELL", DAY, "2")
    brokers.refuse_while_open(account, DAY)


def test_a_session_ends_at_the_next_six_in_the_morning() -> None:
    before, after = datetime(2026, 11, 23, 0, 29, tzinfo=UTC), datetime(2026, 11, 23, 0, 30, tzinfo=UTC)

    assert brokers.token_end(before) == datetime(2026, 11, 23, 0, 30, tzinfo=UTC)
    assert brokers.token_end(after) == datetime(2026, 11, 24, 0, 30, tzinfo=UTC)
