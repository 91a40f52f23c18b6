"""Whose feed serves this installation, and which instruments it must bring."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Q, QuerySet

from trading.domain.instruments import Instrument, InstrumentType
from trading.domain.timezone import ist_day
from trading.marketdata.ticker_service import FeedLogin
from trading.models import BrokerName, FeedAccount, InstrumentRow, OrderIntentRow, WatchItem
from trading.services.brokers import is_signed_in


def feed_login(market_now: datetime, *, ws_root: str) -> FeedLogin | None:
    """Give the feed account's session and what to subscribe; None while nobody is signed in.

    Without the holder's recorded consent (or after it was withdrawn) only the holder's own instruments
    are asked for: other clients' prices may not come from this account.
    """
    feed = FeedAccount.objects.select_related("account").filter(is_active=True, account__is_enabled=True).first()
    if feed is None or not is_signed_in(feed.account, market_now=market_now):
        return None
    return FeedLogin(
        account=feed.account.key,
        user_id=feed.account.broker_user_id,
        api_key=feed.account.api_key.reveal(),
        access_token=feed.account.access_token.reveal(),
        ws_root=ws_root,
        instruments={row.token: row.key for row in _wanted(feed, market_now)},
    )


def instruments_of(tokens: Iterable[int]) -> list[Instrument]:
    """Give what is known of these instruments of the feed, in the order of their names."""
    rows = InstrumentRow.objects.filter(broker=BrokerName.KITE, token__in=list(tokens))
    return [row.to_domain() for row in rows.order_by("exchange", "tradingsymbol")]


def has_consent(feed: FeedAccount) -> bool:
    """Say whether the holder's word that others may see these prices is on record and stands."""
    return feed.consents.filter(withdrawn_at=None).exists()


def _wanted(feed: FeedAccount, market_now: datetime) -> Iterable[InstrumentRow]:
    """Everything watched, the indices, and what was ordered today: a position outlives its watchlist line."""
    watched: QuerySet[WatchItem] = WatchItem.objects.all()
    ordered = OrderIntentRow.objects.filter(day=ist_day(market_now))
    if not has_consent(feed):
        watched = watched.filter(client__user=feed.account.owner)
        ordered = ordered.filter(account__owner=feed.account.owner)
    symbols = {tuple(key.split(":", 1)) for key in ordered.values_list("instrument", flat=True).distinct()}
    traded = Q(pk__in=())
    for exchange, tradingsymbol in sorted(symbols):
        traded |= Q(exchange=exchange, tradingsymbol=tradingsymbol)
    is_wanted = Q(pk__in=watched.values("instrument")) | Q(instrument_type=InstrumentType.INDEX) | traded
    return InstrumentRow.objects.filter(is_wanted, broker=feed.account.broker)
