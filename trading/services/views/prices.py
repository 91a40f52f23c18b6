"""Last prices from Redis, and who may see them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import redis

from trading.domain.money import from_scaled
from trading.domain.ticks import Tick
from trading.marketdata import keys as redis_keys
from trading.marketdata.bus import unpack_ticks
from trading.marketdata.quotes import quote_message
from trading.models import Client, FeedAccount, InstrumentRow
from trading.services import wiring
from trading.services.feed import has_consent


@dataclass(frozen=True, slots=True)
class Quote:
    """The newest tick of an instrument, rupees. `close` is yesterday's, None where there is none."""

    instrument: str
    ltp: Decimal
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal | None
    at: datetime
    message: Mapping[str, Any]
    """The same as a `quote` message for pages."""

    @property
    def change_percent(self) -> str | None:
        """The move since yesterday's close in percent with two decimals."""
        change: str | None = self.message["change_percent"]
        return change


def quotes(instruments: Iterable[str]) -> dict[str, Quote]:
    """Give the newest price of each `EXCHANGE:TRADINGSYMBOL`; what Redis does not have (or all, while it is away)
    is absent."""
    wanted = set(instruments)
    symbols = {key.partition(":")[2] for key in wanted}
    rows = InstrumentRow.objects.filter(tradingsymbol__in=symbols)
    tokens = {row.token: row.key for row in rows if row.key in wanted}
    if not tokens:
        return {}
    try:
        packed = wiring.redis_client().hmget(redis_keys.LAST_PRICES, [str(token) for token in tokens])
    except redis.RedisError:
        return {}
    assert isinstance(packed, list)  # noqa: S101 (the synchronous client)
    ticks = unpack_ticks(tokens, packed)
    return {tokens[token]: _quote(tokens[token], tick) for token, tick in ticks.items()}


def may_see_prices(client: Client) -> bool:
    """Say whether a client may see the feed account's prices: its own feed, or the holder's recorded consent."""
    feed = FeedAccount.objects.select_related("account").filter(is_active=True).first()
    return feed is not None and (feed.account.owner_id == client.user_id or has_consent(feed))


def quotes_for(client: Client, instruments: Iterable[str]) -> dict[str, Quote]:
    """Give the newest prices that a client may see; none without the feed holder's consent."""
    return quotes(instruments) if may_see_prices(client) else {}


def _quote(instrument: str, tick: Tick) -> Quote:
    return Quote(
        instrument=instrument,
        ltp=from_scaled(tick.ltp),
        open=from_scaled(tick.open),
        high=from_scaled(tick.high),
        low=from_scaled(tick.low),
        close=from_scaled(tick.close) if tick.close > 0 else None,
        at=datetime.fromtimestamp(tick.exchange_ts, UTC),
        message=quote_message(instrument, tick),
    )
