"""Whose account feeds prices, and whether its holder has said, on the record, that other clients may see them."""

from django.core.exceptions import PermissionDenied
from django.db import transaction

from trading.domain.errors import RiskDenied
from trading.models import BrokerAccount, FeedAccount, FeedConsent, User
from trading.ports import Clock
from trading.services import morning
from trading.services.control import request_reload
from trading.services.events import actor, market_now, record
from trading.stores.locks import CONTROL, chain_lock, take

CONSENT_TEXT = (
    "I am the holder of this broker account. I agree that the clients of this installation see its live prices and "
    "that their ladders follow them. I have read the terms of my broker and of the exchange about passing on market "
    "data, and I answer for keeping to them. I can withdraw this at any time."
)
"""What is agreed to; stored word for word with each consent."""


def active_feed() -> FeedAccount | None:
    """Give the account whose feed serves this installation; None while nobody's does."""
    return FeedAccount.objects.select_related("account__owner").filter(is_active=True).first()


def appoint(account: BrokerAccount, *, clock: Clock) -> FeedAccount:
    """Let this account feed everybody; the one before it stops. The holder's consent is another step."""
    with transaction.atomic():
        take([CONTROL, chain_lock(None)])
        FeedAccount.objects.exclude(account=account).update(is_active=False)
        feed, _ = FeedAccount.objects.update_or_create(account=account, defaults={"is_active": True})
        _tell("FEED_ACCOUNT_NAMED", feed, by=None, clock=clock)
        morning.catch_up(account, market_now(clock))
    return feed


def standing_consent(feed: FeedAccount) -> FeedConsent | None:
    """Give the consent that holds now; None when there is none or it was withdrawn."""
    found = feed.consents.filter(withdrawn_at=None).select_related("given_by")
    return found.order_by("-given_at").first()


def give(feed: FeedAccount, *, by: User, clock: Clock) -> FeedConsent:
    """Record the holder's consent. Given twice it is one. Raises PermissionDenied for anybody but the holder."""
    if feed.account.owner_id != by.pk:
        raise PermissionDenied("only the holder of the account can agree")
    with transaction.atomic():
        take([CONTROL, chain_lock(None)])
        standing = standing_consent(feed)
        if standing is None:
            standing = FeedConsent.objects.create(feed=feed, given_by=by, text=CONSENT_TEXT, given_at=clock.wall())
            _tell("FEED_CONSENT_GIVEN", feed, by=by, clock=clock)
    return standing


def withdraw(feed: FeedAccount, *, by: User, clock: Clock) -> None:
    """End the consent; from then on only the holder's own instruments are asked for.

    The holder can, and an operator. Raises RiskDenied (NO_CONSENT) when none stands.
    """
    if feed.account.owner_id != by.pk and not by.is_operator:
        raise PermissionDenied("only the holder of the account or an operator can withdraw")
    with transaction.atomic():
        take([CONTROL, chain_lock(None)])
        ended = feed.consents.filter(withdrawn_at=None).update(withdrawn_at=clock.wall())
        if not ended:
            raise RiskDenied("NO_CONSENT", "there is no consent to withdraw")
        _tell("FEED_CONSENT_WITHDRAWN", feed, by=by, clock=clock)


def _tell(kind: str, feed: FeedAccount, *, by: User | None, clock: Clock) -> None:
    record(None, kind, {"account": feed.account.key, "by": actor(by)}, clock=clock)
    request_reload(None, by=by, clock=clock)
