"""One picture of everything a screen shows: what the live socket sends first, and what pages are drawn from."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from trading.domain.timezone import ist_day, to_ist
from trading.models import BrokerAccount, Client, WatchItem
from trading.services import glance
from trading.services.views import happenings, orders, outlook, positions, prices, rehearsals, watch
from trading.services.views.kills import last_kill
from trading.stores.controls import seen_row

ORDERS_SHOWN = 50


def client_snapshot(client: Client) -> dict[str, Any]:
    """Give all of one client's screen. While the market's clock does not answer, figures are None: unknown."""
    market = market_now()
    if market is None:
        unknown = {"realised": None, "unrealised": None, "total": None, "loss_left": None, "profit_left": None}
        state = {"state": "UNKNOWN", "reason": "the market clock does not answer", "why_no_entries": ""}
        return {
            "market": market_part(None),
            "feed": feed_part(None),
            "pnl": unknown,
            "state": state,
            "positions": None,
            "orders": None,
            "watchlist": None,
            "events": happenings.event_lines(client),
            "coming": [],
            "squared_off": "",
            "rehearsal": None,
            "kill": None,
            "accounts": [],
        }
    day = ist_day(market.now)
    feed = feed_part(market)
    known = prices.quotes_for(client, _instruments(client, day))
    rows = positions.position_rows(client, day, known)
    return {
        "market": market_part(market),
        "feed": feed,
        "pnl": pnl_part(client, rows, day),
        "state": state_part(client, market.now, feed["age_s"]),
        "positions": rows,
        "orders": orders.order_rows(client, day, ORDERS_SHOWN),
        "watchlist": watch.watch_rows(client, day, known),
        "events": happenings.event_lines(client),
        "coming": outlook.coming(client, market.now, outlook.square_offs(client, day)),
        "squared_off": outlook.squared_off(client, day),
        "rehearsal": rehearsals.rehearsal_of(client, day),
        "kill": last_kill(client, day),
        "accounts": account_rows(client, day),
    }


def market_now() -> glance.MarketView | None:
    """Give market time and phase, None while the simulated exchange does not answer."""
    try:
        return glance.market()
    except OSError:
        return None


def market_part(market: glance.MarketView | None) -> dict[str, Any]:
    """Give time (ISO, IST), phase and speed."""
    if market is None:
        return {"time": None, "phase": None, "speed": ""}
    time = to_ist(market.now).isoformat(timespec="milliseconds")
    return {"time": time, "phase": market.phase, "speed": market.speed_words}


def feed_part(market: glance.MarketView | None) -> dict[str, Any]:
    """Give the age of the newest tick in market seconds, how it is judged, and what the ticker says of itself."""
    status = None if market is None else glance.feed_status()
    if market is None or status is None:
        return {"age_s": None, "kind": "off", "state": None, "sentence": ""}
    age_s = status.age_s(market.now)
    kind = glance.feed_kind(age_s, market.phase)
    return {"age_s": age_s, "kind": kind, "state": status.state.value, "sentence": status.sentence}


def pnl_part(client: Client, rows: list[dict[str, Any]], day: date) -> dict[str, Any]:
    """Give the day's P&L and what is left of its limits, as text."""
    sums = positions.totals(rows)
    total = None if sums["total"] is None else Decimal(sums["total"])
    limits = client.limits_on(day)
    loss, profit = limits["daily_loss_limit"], limits["daily_profit_limit"]
    return {
        **sums,
        "loss_limit": None if loss is None else str(loss),
        "profit_limit": None if profit is None else str(profit),
        "loss_left": None if total is None or loss is None else str(loss + total),
        "profit_left": None if total is None or profit is None else str(profit - total),
        "unpriced": [row["instrument"] for row in rows if row["open"] and row["ltp"] is None],
    }


def state_part(client: Client, now: datetime, feed_age_s: float | None) -> dict[str, Any]:
    """Give the state that counts, its reason, and why nothing is entered (empty when entries may pass).

    With `is_feed_old` the reason is the feed's age, which goes on growing after this was said.
    """
    state = glance.shown_state(client, ist_day(now))
    why = outlook.why_no_entries(client, now, feed_age_s)
    return {
        "state": state.state.value,
        "reason": state.reason or why,
        "why_no_entries": why,
        "is_feed_old": bool(why) and why == outlook.too_old(feed_age_s),
    }


def account_rows(client: Client, day: date) -> list[dict[str, Any]]:
    """Give every account of a client that trades, with the state that counts for it and whether it is its own."""
    rows = []
    for account in BrokerAccount.objects.filter(owner=client.user, is_enabled=True).exclude(key="").order_by("id"):
        state = glance.account_state(account, client, day)
        own = seen_row(client.pk, account.key).state_on(day)
        rows.append(
            {
                "id": str(account.seal_id),
                "key": account.key,
                "name": f"{account.get_broker_display()} {account.broker_user_id}",
                "state": state.state.value,
                "reason": state.reason,
                "own_state": own.value,
            }
        )
    return rows


def _instruments(client: Client, day: date) -> set[str]:
    watched = WatchItem.objects.filter(client=client).select_related("instrument")
    held = client.fills.filter(day=day).values_list("instrument", flat=True)
    return {item.instrument.key for item in watched} | set(held)
