"""Naming the account that feeds prices: a live installation has no other way to get a feed."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from tests.factories import make_account, make_client
from trading.models import EventLog, FeedAccount, FeedConsent

pytestmark = pytest.mark.django_db


def name(code: str) -> str:
    out = StringIO()
    call_command("feed_account", code, stdout=out)
    return out.getvalue()


def test_the_named_account_feeds_and_its_holder_is_told_to_agree() -> None:
    account = make_account(make_client("alice"))

    said = name(account.broker_user_id.lower())

    assert FeedAccount.objects.get(is_active=True).account == account
    assert EventLog.objects.get(kind="FEED_ACCOUNT_NAMED").data["account"] == account.key
    assert "until alice" in said


def test_another_account_takes_the_place_of_the_first_and_back_again() -> None:
    first, second = make_account(make_client("alice")), make_account(make_client("charlie"))
    name(first.broker_user_id)
    FeedConsent.objects.create(feed=FeedAccount.objects.get(), given_by=first.owner, text="yes")

    name(second.broker_user_id)
    assert FeedAccount.objects.get(is_active=True).account == second
    said = name(first.broker_user_id)

    assert FeedAccount.objects.get(is_active=True).account == first
    assert "until" not in said


def test_an_account_that_nobody_connected_is_refused_and_the_feed_stays() -> None:
    account = make_account(make_client("alice"))
    name(account.broker_user_id)

    with pytest.raises(CommandError, match="No broker account ZZ9999 is connected"):
        name("zz9999")

    assert FeedAccount.objects.get(is_active=True).account == account
