"""Every address of the site, asked as a stranger, as charlie with alice's ids, without a token, and by GET."""

from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal

import pytest
from django.test import Client as Browser
from django.urls import URLPattern, reverse

from tests.factories import DAY, PASSWORD, TEN_O_CLOCK
from tests.web.conftest import text_of
from tests.web.seed import seed_day
from trading.domain.control import TradingState
from trading.models import (
    BrokerAccount,
    Client,
    CommandRow,
    DayReport,
    House,
    InstrumentRow,
    OrderIntentRow,
    User,
    WatchItem,
)
from trading.services import people, wiring
from trading.services.tokens import Scope, make_token
from trading.stores import alarms, ladder_stops
from trading.web.urls import urlpatterns

pytestmark = pytest.mark.django_db
SignedIn = Callable[..., Browser]

PUBLIC = {"home", "start", "theme", "demo-mail", "demo-brokers", "account_email", "kite-callback"}
"""What a stranger may open; the callback refuses every browser that asked for nothing (test_broker_connect)."""
POST_ONLY = {
    "theme", "onboarding-start", "broker-disconnect", "kill", "kill-account", "operator-kill", "token-revoke",
    "watchlist-trading", "watchlist-move", "watchlist-remove",
    "alarm-acknowledge", "alarm-acknowledge-all", "alarm-test",
}  # fmt: skip
OPERATORS = {
    "operator",
    "operator-caps",
    "operator-instrument",
    "operator-raise",
    "operator-raise-house",
    "operator-kill",
}
OF_AN_ACCOUNT = ("broker-disconnect", "kill-account", "raise-account")
OF_A_LINE = ("watchlist-line", "watchlist-trading", "watchlist-move", "watchlist-remove")
WITH_FORM = {"broker-connect", "kite-login", "settings-limits", "settings-feed", "watchlist-add", "watchlist-line"} | {
    "settings-alarms",
    "raise-state",
    "settings-tokens",
    "raise-account",
    "ladder-again",
    "operator-caps",
    "operator-instrument",
    "operator-raise",
    "operator-raise-house",
}


def names() -> Iterator[str]:
    return (pattern.name for pattern in urlpatterns if isinstance(pattern, URLPattern) and pattern.name)


@pytest.fixture
def places(alice: Client) -> dict[str, str]:
    """Give every address by its name, those with an id with alice's."""
    account = seed_day(alice).account
    DayReport.objects.create(client=alice, day=DAY, data={"client": "alice", "instruments": [], "realised_pnl": "1"})
    line = WatchItem.objects.values_list("pk", flat=True)[0]
    changed = InstrumentRow.objects.get(tradingsymbol="INFY")
    changed.listed_otherwise = {"lot_size": ["1", "10"]}
    changed.save()
    stop = ladder_stops.stop(account.pk, "NSE:INFY", "a test", at=TEN_O_CLOCK, wall=TEN_O_CLOCK)
    alarm = alarms.record(alice.pk, "NOT_FLAT", "alice has 25 NSE:INFY", at=TEN_O_CLOCK, wall=TEN_O_CLOCK)
    ids: dict[str, dict[str, object]] = {
        "alarm-acknowledge": {"alarm": alarm.pk},
        **{name: {"account": account.seal_id} for name in OF_AN_ACCOUNT},
        "order-why": {"tag": OrderIntentRow.objects.values_list("tag", flat=True)[0]},
        "operator-raise": {"client": alice.pk},
        "operator-instrument": {"instrument": changed.pk},
        "token-revoke": {"token": make_token(alice.user, "a test", [Scope.KILL], clock=wiring.clock())[0].pk},
        "ladder-again": {"stop": stop.pk},
        "report-day": {"day": DAY.isoformat()},
        "report-csv": {"day": DAY.isoformat()},
        "report-log": {"day": DAY.isoformat()},
        **{name: {"item": line} for name in OF_A_LINE},
    }
    return {name: reverse(name, kwargs=ids.get(name)) for name in names()}


def test_every_page_that_is_not_named_public_sends_a_stranger_to_sign_in(
    browser: Browser, places: dict[str, str]
) -> None:
    for name in places.keys() - PUBLIC:
        for reply in (browser.get(places[name]), browser.post(places[name])):
            assert reply.status_code == 302, name
            assert reply["Location"].startswith("/accounts/login/"), name

    assert not CommandRow.objects.exists()


def test_what_changes_something_is_never_done_by_a_get(alice: Client, bob: User, places: dict[str, str]) -> None:
    client, operator = Browser(), Browser()
    client.force_login(alice.user)
    operator.force_login(bob)

    for name in POST_ONLY:
        asker = operator if name in OPERATORS else client
        assert asker.get(places[name]).status_code in (302, 405), name
    for name in places.keys() - POST_ONLY:
        client.get(places[name])
        operator.get(places[name])

    assert not CommandRow.objects.exists()
    assert BrokerAccount.objects.get(owner=alice.user).is_enabled


def test_every_post_without_the_token_is_refused(alice: Client, places: dict[str, str]) -> None:
    browser = Browser(enforce_csrf_checks=True)
    browser.force_login(alice.user)

    for name in POST_ONLY | WITH_FORM:
        assert browser.post(places[name]).status_code == 403, name


def test_charlie_gets_nothing_by_alices_ids(charlie: Client, places: dict[str, str], signed_in: SignedIn) -> None:
    browser = signed_in(charlie)
    with_ids = {name for name, place in places.items() if place != "/" and any(sign.isdigit() for sign in place)}

    for name in {*with_ids, *OF_AN_ACCOUNT, "order-why"} | OPERATORS:
        for reply in (browser.get(places[name]), browser.post(places[name], {"on": "1", "to": "up", "client": "1"})):
            assert reply.status_code in (404, 405), name
            assert "alice" not in text_of(reply), name

    assert not CommandRow.objects.exists()
    assert House.objects.first() is None or House.objects.get().state == TradingState.ACTIVE


@pytest.mark.parametrize("huge", ["9" * 30, "-1", "٣", "1e3", "'; --"])
def test_an_id_that_no_row_can_have_is_not_found_and_breaks_nothing(bob: User, signed_in: SignedIn, huge: str) -> None:
    browser = signed_in(bob)

    assert browser.post("/operator/kill/", {"client": huge}).status_code == 404
    assert browser.get(f"/reports/{DAY}/", {"client": huge}).status_code == 404
    assert browser.get("/operator/", {"sort": huge}).status_code == 200
    assert browser.get(f"/watchlist/{huge}/").status_code == 404
    assert not CommandRow.objects.exists()


def test_markup_in_an_address_is_shown_as_text(bob: User, signed_in: SignedIn) -> None:
    """A quoted local part may hold any sign; the operator's page asks to type it."""
    mallory = people.enrol('"<img/src=x>"@example.com', PASSWORD).client
    Client.objects.filter(pk=mallory.pk).update(state=TradingState.HALTED)
    browser = signed_in(bob)

    for place in ("/operator/", f"/operator/raise/{mallory.pk}/"):
        page = text_of(browser.get(place))
        assert "<img/src" not in page, place
        assert "&lt;img/src" in page, place


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)"]
)
def test_no_sign_in_leads_to_another_site(alice: Client, browser: Browser, target: str) -> None:
    reply = browser.post("/accounts/login/", {"login": "alice@example.com", "password": PASSWORD, "next": target})

    assert reply.status_code == 302
    assert reply["Location"] == "/onboarding/"
    assert browser.post("/theme/", {"theme": "light", "next": target})["Location"] == "/"
    again = browser.post(f"/accounts/reauthenticate/?next={target}", {"password": PASSWORD, "next": target})
    assert "evil" not in again["Location"]
    assert "javascript" not in again["Location"]


def test_a_report_of_a_day_is_nobodys_but_its_clients(alice: Client, charlie: Client, signed_in: SignedIn) -> None:
    for client in (alice, charlie):
        data = {"client": client.label, "instruments": [], "realised_pnl": str(Decimal(client.pk)), "is_flat": True}
        DayReport.objects.create(client=client, day=date(2026, 11, 23), data={**data, "orders": 0, "refused": 0})

    page = text_of(signed_in(charlie).get("/reports/2026-11-23/", {"client": str(alice.pk)}))

    assert "alice" not in page
