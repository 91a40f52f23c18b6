"""Whose prices everybody sees: the holder agrees and withdraws, on the record."""

from collections.abc import Callable

import pytest
from django.test import Client as Browser

from tests.factories import make_account
from tests.web.conftest import text_of
from trading.models import BrokerAccount, Client, CommandRow, EventLog, FeedAccount, User
from trading.services.consent import CONSENT_TEXT, standing_consent
from trading.services.views.prices import may_see_prices

pytestmark = pytest.mark.django_db
SignedIn = Callable[..., Browser]
GIVE = {"action": "give", "agree": "yes"}


@pytest.fixture
def feed(bob: User) -> FeedAccount:
    account = BrokerAccount.objects.create(owner=bob, broker="kite", broker_user_id="OP1000", key="kite:OP1000")
    return FeedAccount.objects.create(account=account)


def test_the_holder_agrees_and_clients_may_see_prices(
    alice: Client, bob: User, feed: FeedAccount, signed_in: SignedIn
) -> None:
    assert not may_see_prices(alice)

    signed_in(bob).post("/settings/feed/", GIVE)

    standing = standing_consent(feed)
    assert standing is not None
    assert (standing.text, standing.given_by) == (CONSENT_TEXT, bob)
    assert may_see_prices(alice)
    assert EventLog.objects.get(kind="FEED_CONSENT_GIVEN").data["account"] == "kite:OP1000"
    assert CommandRow.objects.filter(client=None, kind="RELOAD").exists()


def test_withdrawn_the_prices_are_gone_and_the_record_stays(
    alice: Client, bob: User, feed: FeedAccount, signed_in: SignedIn
) -> None:
    browser = signed_in(bob)
    browser.post("/settings/feed/", GIVE)

    browser.post("/settings/feed/", {"action": "withdraw"})

    assert not may_see_prices(alice)
    assert feed.consents.count() == 1
    assert "no consent" in text_of(browser.get("/settings/feed/"))


def test_without_the_tick_nothing_is_recorded(bob: User, feed: FeedAccount, signed_in: SignedIn) -> None:
    browser = signed_in(bob)

    browser.post("/settings/feed/", {"action": "give"})

    assert standing_consent(feed) is None
    assert "tick that you agree" in text_of(browser.get("/settings/feed/"))


def test_an_operator_who_is_not_the_holder_can_only_withdraw(
    alice: Client, bob: User, feed: FeedAccount, signed_in: SignedIn
) -> None:
    feed.account = make_account(alice)
    feed.save()
    browser = signed_in(bob)

    assert browser.post("/settings/feed/", GIVE).status_code == 403
    signed_in(alice).post("/settings/feed/", GIVE)
    assert standing_consent(feed) is not None
    browser.post("/settings/feed/", {"action": "withdraw"})
    assert standing_consent(feed) is None


@pytest.mark.usefixtures("feed")
def test_charlie_does_not_find_the_page(charlie: Client, signed_in: SignedIn) -> None:
    browser = signed_in(charlie)

    assert browser.get("/settings/feed/").status_code == 404
    assert browser.post("/settings/feed/", {"action": "withdraw"}).status_code == 404
