"""The watchlist with live price, day range and the ladder's levels."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from trading.domain.money import group_indian
from trading.models import Client, QuantityMode, WatchItem
from trading.services.views.ladders import LadderPlace, levels_of, places
from trading.services.views.prices import Quote, quotes_for
from trading.stores.ranges import line_ranges


def watch_rows(client: Client, day: date, prices: Mapping[str, Quote] | None = None) -> list[dict[str, Any]]:
    """Give the client's watchlist in its order. Prices are None where unknown or not allowed."""
    chosen = WatchItem.objects.filter(client=client).select_related("account", "instrument", "mapping__strategy")
    items = list(chosen.order_by("position", "id"))
    known = quotes_for(client, {item.instrument.key for item in items}) if prices is None else prices
    ranges, standing = line_ranges(items, day), places(client, day)
    rows = []
    for item in items:
        place = standing.get((item.account.key, item.instrument.key))
        ladder = levels_of(item, day, ranges)
        facts = {"levels": ladder.levels, "why_not": ladder.why_not, "range_words": ladder.range_words}
        rows.append({**_row(item, known.get(item.instrument.key), place), **facts})
    return rows


def _row(item: WatchItem, quote: Quote | None, place: LadderPlace | None) -> dict[str, Any]:
    told = quote.message if quote else {}
    return {
        "id": item.pk,
        "instrument": item.instrument.key,
        "symbol": item.instrument.tradingsymbol,
        "name": item.instrument.name,
        "account": item.account.key,
        "trades_enabled": item.trades_enabled,
        "size_words": size_words(item),
        **{name: told.get(name) for name in ("ltp", "open", "high", "low", "close", "change_percent")},
        "side": place.side if place else "",
        "k": place.k if place else 0,
        "y": place.y if place else None,
        "stop": place.stop if place else None,
    }


def size_words(item: WatchItem) -> str:
    """Say how much an entry buys or sells."""
    if item.quantity_mode == QuantityMode.FIXED:
        return f"{item.quantity} units" if item.quantity else "no quantity"
    return f"₹{group_indian(f'{item.capital:.0f}')}" if item.capital else "no capital"
