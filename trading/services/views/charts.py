"""What charts draw: today's candles with levels and fills of one instrument, and P&L through the day.

Times are epoch seconds, prices and money text.
"""

import asyncio
import logging
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from trading.domain.candles import Candle
from trading.domain.errors import BrokerError
from trading.domain.instruments import InstrumentClass
from trading.domain.square_off import Subject, square_off_plan
from trading.domain.timezone import ist_day, to_ist
from trading.models import BrokerAccount, BrokerName, Client, FeedAccount, Fill, InstrumentRow, PnlPoint, WatchItem
from trading.services import wiring
from trading.services.accounts import brokers_of
from trading.services.brokers import is_signed_in
from trading.services.feed import has_consent
from trading.services.views import ladders, outlook, positions
from trading.stores.calendar import market_calendar

logger = logging.getLogger(__name__)

INTERVAL = "minute"
CANDLES_KEPT = 64


def price_chart(client: Client, instrument: str, now: datetime) -> dict[str, Any] | None:
    """Give candles, levels and fills of one instrument today; None when it is not this client's.

    `why` says what is missing when there are no candles. `entries` are the levels of both sides at which the
    ladder would enter, while nothing is open.
    """
    day = ist_day(now)
    row = _own_instrument(client, instrument, day)
    if row is None:
        return None
    candles, why = _candles(client, row, now)
    held = [one for one in positions.position_rows(client, day) if one["instrument"] == instrument and one["open"]]
    kind = row.to_domain().instrument_class
    subject = Subject.of(row.to_domain(), brokers_of(client))
    plan = square_off_plan(market_calendar(), day, subject, client.square_off_at)
    ends = [(plan.start, plan.reason)] if row.to_domain().is_tradable else []
    return {
        "instrument": instrument,
        "tick_size": str(row.tick_size),
        "candles": [_candle(one) for one in candles],
        "why": why,
        "position": held[0] if held else None,
        "entries": None if held else _entries(client, row, day),
        "fills": [_fill(fill) for fill in Fill.objects.filter(client=client, day=day, instrument=instrument)],
        "day": _frame(day, kind, ends),
    }


def pnl_chart(client: Client, day: date) -> dict[str, Any]:
    """Give the saved P&L of a day, a point a market minute, and the hours around it."""
    hours = market_calendar().find_session(day, InstrumentClass.EQUITY)
    rows = PnlPoint.objects.filter(client=client, at__date=day).order_by("at")
    if hours is not None:
        rows = rows.filter(at__gte=hours.open)
    plans = outlook.square_offs(client, day)
    ends = [(datetime.fromisoformat(plan["at"]), plan["reason"]) for plan in plans]
    return {
        "points": [
            {
                "at": _epoch(row.at),
                "realised": str(row.realised_pnl),
                "unrealised": str(row.unrealised_pnl),
                "total": str(row.realised_pnl + row.unrealised_pnl),
            }
            for row in rows
        ],
        "day": _frame(day, InstrumentClass.EQUITY, ends),
    }


def _frame(day: date, kind: InstrumentClass, ends: list[tuple[datetime, str]]) -> dict[str, Any] | None:
    """Give the hours that a chart spans and the square-offs within; None on a day without a session."""
    hours = market_calendar().find_session(day, kind)
    if hours is None:
        return None
    lines = [{"at": _epoch(at), "time": f"{to_ist(at):%H:%M}", "reason": reason} for at, reason in ends]
    return {"open": _epoch(hours.open), "close": _epoch(hours.close), "square_offs": lines}


def _entries(client: Client, row: InstrumentRow, day: date) -> dict[str, str] | None:
    """Give both entry levels of a watched instrument; None where the ladder has none today."""
    item = WatchItem.objects.filter(client=client, instrument=row).select_related("instrument", "mapping__strategy")
    found = item.first()
    levels = ladders.levels_of(found, day).levels if found is not None and found.trades_enabled else None
    return None if levels is None else {side: str(levels[side]["entry"]) for side in ("long", "short")}


def _own_instrument(client: Client, instrument: str, day: date) -> InstrumentRow | None:
    """Find an instrument among what the client watches or traded today."""
    exchange, _, symbol = instrument.partition(":")
    row = InstrumentRow.objects.filter(exchange=exchange, tradingsymbol=symbol).first()
    if row is None:
        return None
    is_watched = WatchItem.objects.filter(client=client, instrument=row).exists()
    is_traded = Fill.objects.filter(client=client, day=day, instrument=instrument).exists()
    return row if is_watched or is_traded else None


def _candles(client: Client, row: InstrumentRow, now: datetime) -> tuple[tuple[Candle, ...], str]:
    account = _account_for(client, now)
    if account is None:
        return (), "Sign in at your broker to see candles."
    hours = market_calendar().find_session(ist_day(now), row.to_domain().instrument_class)
    if hours is None:
        return (), market_calendar().day_kind(ist_day(now)).reason
    try:
        return _read(account.pk, row.token, hours.open, now.replace(second=0, microsecond=0)), ""
    except BrokerError as error:
        logger.info("candles of %s: %s", row.key, error)
        return (), "The broker gave no candles; they are asked for again when the page is opened again."


def _account_for(client: Client, now: datetime) -> BrokerAccount | None:
    """Choose whose session reads history: the client's own, or the feed's with its holder's consent."""
    own = BrokerAccount.objects.filter(owner=client.user_id, is_enabled=True).exclude(key="")
    for account in own.exclude(broker=BrokerName.PAPER):  # the paper exchange knows no candles before its feed began
        if is_signed_in(account, market_now=now):
            return account
    feed = FeedAccount.objects.select_related("account").filter(is_active=True).first()
    if feed is not None and has_consent(feed) and is_signed_in(feed.account, market_now=now):
        return feed.account
    return None


@lru_cache(maxsize=CANDLES_KEPT)
def _read(account_id: int, token: int, start: datetime, minute: datetime) -> tuple[Candle, ...]:
    """Read the day's candles up to a market minute; asked once a minute however many pages want them."""
    account = BrokerAccount.objects.get(pk=account_id)
    return tuple(asyncio.run(_from_broker(account, token, start, minute)))


async def _from_broker(account: BrokerAccount, token: int, start: datetime, end: datetime) -> list[Candle]:
    broker = wiring.prices_of(account)
    try:
        return await broker.candles(token, start, end, INTERVAL)
    finally:
        await broker.close()


def _candle(one: Candle) -> dict[str, Any]:
    return {
        "time": _epoch(one.start),
        "open": str(one.open),
        "high": str(one.high),
        "low": str(one.low),
        "close": str(one.close),
    }


def _fill(fill: Fill) -> dict[str, Any]:
    return {"time": _epoch(fill.filled_at), "side": fill.side, "quantity": fill.quantity, "price": str(fill.price)}


def _epoch(moment: datetime) -> int:
    return int(moment.timestamp())
