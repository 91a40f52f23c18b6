"""The watchlist page's lines: what the screens show of each, joined with its row, its size and its price's age."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from trading.domain.ladder_config import LadderConfigError
from trading.domain.sizing import quantity_for
from trading.domain.timezone import ist_day
from trading.models import Client, QuantityMode, WatchItem
from trading.services.views.prices import Quote, quotes_for
from trading.services.views.watch import watch_rows
from trading.services.watchlist import whole_config
from trading.stores.instruments import unfit


@dataclass(frozen=True, slots=True)
class WatchLine:
    """One line. `shown` is its row of `watch_rows`; `age_s` the price's age in market seconds, None while unknown.

    `quantity` is what an entry would have now, by capital that follows the price. `why_not` says why the ladder
    does not trade it; `place_percent` is where the price lies in the day's range, 0 to 100.
    """

    item: WatchItem
    shown: Mapping[str, Any]
    levels: Mapping[str, Any] | None
    why_not: str
    age_s: float | None
    quantity: int | None
    place_percent: int | None


def lines(client: Client, now: datetime) -> list[WatchLine]:
    """Give every line in the client's order at a moment of market time. Prices of another day are unknown."""
    found = client.watch_items.select_related("instrument", "account", "mapping__strategy")
    items = {item.pk: item for item in found}
    prices = quotes_for(client, {item.instrument.key for item in items.values()})
    todays = {key: quote for key, quote in prices.items() if ist_day(quote.at) == ist_day(now)}
    rows = watch_rows(client, ist_day(now), todays)
    held = unfit((item.instrument for item in items.values()), ist_day(now))
    return [
        _line(items[row["id"]], row, todays.get(row["instrument"]), now, held) for row in rows if row["id"] in items
    ]


def _line(
    item: WatchItem, row: Mapping[str, Any], quote: Quote | None, now: datetime, held: Mapping[str, str]
) -> WatchLine:
    why_not = _why_not(item) or held.get(item.instrument.key, "") or row["why_not"]
    return WatchLine(
        item=item,
        shown=row,
        levels=None if _why_not(item) else row["levels"],
        why_not=why_not,
        age_s=None if quote is None else max(0.0, (now - quote.at).total_seconds()),
        quantity=_quantity(item, quote),
        place_percent=None if quote is None else _place(quote),
    )


def _why_not(item: WatchItem) -> str:
    """Name what keeps a line from ever having levels."""
    if not item.instrument.to_domain().is_tradable:
        return "an index is watched, not traded"
    try:
        whole_config(item)
    except LadderConfigError as error:
        return f"the ladder's configuration is refused: {error}"
    return ""


def _quantity(item: WatchItem, quote: Quote | None) -> int | None:
    if item.quantity_mode == QuantityMode.FIXED:
        return item.quantity
    if item.capital is None or quote is None or quote.ltp <= 0:
        return None
    return quantity_for(item.capital, quote.ltp, item.instrument.lot_size)


def _place(quote: Quote) -> int | None:
    if quote.high <= quote.low:
        return None
    return int(min(max((quote.ltp - quote.low) / (quote.high - quote.low), Decimal(0)), Decimal(1)) * 100)
