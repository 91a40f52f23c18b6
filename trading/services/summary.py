"""The figures of `manage.py stack status` and `summary`: market, feed, and each client from the fills."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import redis
from django.db.models import Count

from trading.domain.control import TradingState
from trading.domain.money import from_scaled, to_paisa
from trading.domain.orders import BrokerTrade
from trading.domain.positions import PositionBook, fold_trades
from trading.domain.timezone import ist_day, to_ist
from trading.marketdata.codec import decode_tick
from trading.marketdata.keys import LAST_PRICES
from trading.models import Client, Fill, InstrumentRow, OrderIntentRow
from trading.services import glance, wiring


@dataclass(frozen=True, slots=True)
class ClientFigures:
    """One client's day. Money is rupees to the paisa, without charges.

    `unpriced` counts open positions without a price of the feed: they are valued at their last fill.
    """

    email: str
    state: TradingState
    open_positions: int
    orders: int
    realised_pnl: Decimal
    unrealised_pnl: Decimal
    unpriced: int = 0


@dataclass(frozen=True, slots=True)
class HouseFigures:
    """Market time as ISO in +05:30, None (like the phase) while the exchange does not answer; feed age in seconds."""

    market_time: str | None
    phase: str | None
    feed_age_s: float | None
    clients: tuple[ClientFigures, ...]


def house_figures() -> HouseFigures:
    """Gather everything. Works without Redis: then prices are those of the last fills and the feed has no age."""
    try:
        market = glance.market()
    except OSError:
        day = ist_day(wiring.clock().wall())
        return HouseFigures(None, None, None, client_figures(day))
    age_s = glance.feed_age_s(market.now)
    return HouseFigures(to_ist(market.now).isoformat(), market.phase, age_s, client_figures(ist_day(market.now)))


def client_figures(day: date) -> tuple[ClientFigures, ...]:
    """Give every client's figures of a market day, by e-mail. An operator who is no client is not in it."""
    books, last_fills = _books(day)
    prices = last_prices({key for books_ in books.values() for book in books_ for key in _open(book)})
    orders = _orders(day)
    clients = Client.objects.filter(user__is_operator=False).select_related("user").order_by("user__email")
    return tuple(
        _figures(client, day, books.get(client.pk, []), (prices, last_fills), orders.get(client.pk, 0))
        for client in clients
    )


def last_prices(instruments: Iterable[str]) -> dict[str, Decimal]:
    """Give the last traded price of `EXCHANGE:TRADINGSYMBOL`s from Redis; what it does not have is absent."""
    tokens = _tokens(set(instruments))
    if not tokens:
        return {}
    try:
        raws = wiring.redis_client().hmget(LAST_PRICES, [str(token) for token in tokens.values()])
    except redis.RedisError:
        return {}
    assert isinstance(raws, list)  # noqa: S101 (the synchronous client)
    found = zip(tokens, raws, strict=True)
    return {key: from_scaled(decode_tick(raw).ltp) for key, raw in found if raw}


def _figures(
    client: Client,
    day: date,
    books: list[PositionBook],
    prices: tuple[Mapping[str, Decimal], Mapping[str, Decimal]],
    orders: int,
) -> ClientFigures:
    of_feed, of_fills = prices
    open_positions = [position for book in books for position in book.open_positions()]
    known = {**of_fills, **of_feed}
    unrealised = sum(
        (position.unrealised_pnl(known[position.key.instrument]) for position in open_positions), Decimal(0)
    )
    return ClientFigures(
        email=client.user.email,
        state=glance.client_state(client, day).state,
        open_positions=len(open_positions),
        orders=orders,
        realised_pnl=to_paisa(sum((book.realised_pnl() for book in books), Decimal(0))),
        unrealised_pnl=to_paisa(unrealised),
        unpriced=sum(position.key.instrument not in of_feed for position in open_positions),
    )


def _books(day: date) -> tuple[dict[int, list[PositionBook]], dict[str, Decimal]]:
    """Fold the day's fills by client and account; also give each instrument's last fill price."""
    trades: dict[tuple[int, int], list[BrokerTrade]] = defaultdict(list)
    last: dict[str, Decimal] = {}
    for fill in Fill.objects.filter(day=day).order_by("filled_at", "pk"):
        trades[fill.client_id, fill.account_id].append(fill.to_trade())
        last[fill.instrument] = fill.price
    books: dict[int, list[PositionBook]] = defaultdict(list)
    for (client_id, _), rows in trades.items():
        books[client_id].append(fold_trades(rows))
    return books, last


def _orders(day: date) -> dict[int, int]:
    """Count the orders that a broker took, by client."""
    taken = OrderIntentRow.objects.filter(day=day).exclude(order_id="")
    return dict(taken.values_list("client_id").annotate(Count("pk")))


def _open(book: PositionBook) -> list[str]:
    return [position.key.instrument for position in book.open_positions()]


def _tokens(keys: set[str]) -> dict[str, int]:
    symbols = {key.partition(":")[2] for key in keys}
    rows = InstrumentRow.objects.filter(tradingsymbol__in=symbols)
    return {row.key: row.token for row in rows if row.key in keys}
