"""Whose feed serves the house, and what it must bring."""

from datetime import timedelta
from decimal import Decimal

import pytest

from tests.factories import DAY, TEN_O_CLOCK, make_account, make_client, make_instrument, make_operator, make_watch_item
from trading.domain.instruments import InstrumentType
from trading.models import BrokerAccount, FeedAccount, FeedConsent, OrderIntentRow
from trading.services.feed import feed_login, has_consent

pytestmark = pytest.mark.django_db
WS = "wss://ws.example"


def make_feed(*, consents: bool = True) -> FeedAccount:
    """Make bob's account the feed, signed in until tomorrow."""
    bob = make_operator()
    account = BrokerAccount.objects.create(
        owner=bob,
        broker="kite",
        broker_user_id="OP1000",
        key="kite:OP1000",
        api_key="keyofbob",
        api_secret="secretofbob",
        access_token="tokenofbob",
        token_expires_at=TEN_O_CLOCK + timedelta(hours=20),
    )
    feed = FeedAccount.objects.create(account=account)
    if consents:
        FeedConsent.objects.create(feed=feed, given_by=bob, text="others may see my prices")
    return feed


def make_index() -> None:
    """Make the row of NIFTY 50."""
    make_instrument("NIFTY 50", instrument_type=InstrumentType.INDEX, segment="INDICES")


def test_the_feed_brings_what_anybody_watches_and_the_indices() -> None:
    make_feed()
    make_index()
    make_instrument("RELIANCE")
    make_watch_item(make_account(make_client("alice")), "INFY")
    make_watch_item(make_account(make_client("charlie")), "ABBOTINDIA")

    login = feed_login(TEN_O_CLOCK, ws_root=WS)

    assert login is not None
    assert (login.account, login.user_id, login.api_key, login.access_token, login.ws_root) == (
        "kite:OP1000",
        "OP1000",
        "keyofbob",
        "tokenofbob",
        WS,
    )
    assert set(login.instruments.values()) == {"NSE:INFY", "NSE:ABBOTINDIA", "NSE:NIFTY 50"}


def test_an_instrument_ordered_today_stays_on_the_feed_without_its_watchlist_line() -> None:
    make_feed()
    make_instrument("RELIANCE")
    make_instrument("INFY")
    account = make_account(make_client("alice"))
    for symbol, day in (("RELIANCE", DAY), ("INFY", DAY - timedelta(days=1))):
        OrderIntentRow.objects.create(
            purpose_key=symbol,
            tag=symbol,
            client=account.owner.client,
            account=account,
            day=day,
            instrument=f"NSE:{symbol}",
            position=1,
            purpose="ENTRY",
            side="BUY",
            quantity=1,
            order_type="MARKET",
            product="MIS",
            protection_percent=Decimal(-1),
            is_exit=False,
            decided_at=TEN_O_CLOCK,
        )

    login = feed_login(TEN_O_CLOCK, ws_root=WS)

    assert login is not None
    assert set(login.instruments.values()) == {"NSE:RELIANCE"}


def test_without_the_holders_standing_consent_only_the_holders_own_instruments_are_asked_for() -> None:
    feed = make_feed(consents=False)
    make_index()
    make_watch_item(make_account(make_client("alice")), "INFY")

    login = feed_login(TEN_O_CLOCK, ws_root=WS)
    assert login is not None
    assert set(login.instruments.values()) == {"NSE:NIFTY 50"}

    consent = FeedConsent.objects.create(feed=feed, given_by=feed.account.owner, text="yes")
    assert has_consent(feed)
    consent.withdrawn_at = TEN_O_CLOCK
    consent.save()
    assert not has_consent(feed)


def test_nobody_signed_in_means_no_login() -> None:
    assert feed_login(TEN_O_CLOCK, ws_root=WS) is None
    feed = make_feed()

    assert feed_login(TEN_O_CLOCK + timedelta(hours=20), ws_root=WS) is None
    feed.account.access_token = ""
    feed.account.save()
    assert feed_login(TEN_O_CLOCK, ws_root=WS) is None


def test_a_disabled_account_feeds_nobody() -> None:
    feed = make_feed()
    feed.account.is_enabled = False
    feed.account.save()

    assert feed_login(TEN_O_CLOCK, ws_root=WS) is None
