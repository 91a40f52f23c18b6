"""What comes next: when each group of instruments is squared off, and why nothing is entered now."""

from collections import defaultdict
from datetime import date, datetime
from typing import Any

from trading.domain.control import TradingState
from trading.domain.instruments import InstrumentClass
from trading.domain.square_off import square_off_plan
from trading.domain.timezone import at_ist, ist_day, to_ist
from trading.models import Client, WatchItem
from trading.services import glance
from trading.stores.calendar import market_calendar

FEED_STALE_AFTER_S = 10.0
"""A feed this old lets no entry pass; the engine's own measure stands in its gate."""
GROUP_WORDS = {
    InstrumentClass.EQUITY_CAS: "stocks with a closing auction",
    InstrumentClass.EQUITY: "other stocks",
    InstrumentClass.DERIVATIVE: "futures and options",
}


def square_offs(client: Client, day: date) -> list[dict[str, Any]]:
    """Give the planned square-offs of what the client watches, earliest first, one row a group of instruments."""
    calendar = market_calendar()
    groups: dict[InstrumentClass, list[str]] = defaultdict(list)
    for item in WatchItem.objects.filter(client=client, trades_enabled=True).select_related("instrument"):
        instrument = item.instrument.to_domain()
        if instrument.is_tradable:
            groups[instrument.instrument_class].append(instrument.tradingsymbol)
    plans = [
        (square_off_plan(calendar, day, kind, client.square_off_at), kind, names) for kind, names in groups.items()
    ]
    return [
        {
            "at": to_ist(plan.start).isoformat(),
            "time": f"{to_ist(plan.start):%H:%M}",
            "flat_by": f"{to_ist(plan.flat_by):%H:%M:%S}",
            "group": GROUP_WORDS[kind],
            "instruments": sorted(names),
            "is_early": plan.is_early,
            "reason": plan.reason,
        }
        for plan, kind, names in sorted(plans, key=lambda found: (found[0].start, found[1].value))
    ]


def why_no_entries(client: Client, now: datetime, feed_age_s: float | None) -> str:
    """Say the first thing that keeps this client from entering at a market moment; empty when nothing does."""
    day = ist_day(now)
    state = glance.client_state(client, day)
    if state.state is not TradingState.ACTIVE:
        return state.reason or f"the state is {state.state}"
    closed = _market_words(now)
    if closed:
        return closed
    if now >= at_ist(day, client.no_new_entry_after):
        return f"no new entries after {client.no_new_entry_after:%H:%M}"
    if feed_age_s is None:
        return "the price feed has not brought a price yet"
    if feed_age_s > FEED_STALE_AFTER_S:
        return f"the price feed is {feed_age_s:.0f} s old"
    return ""


def _market_words(now: datetime) -> str:
    """Say why the market takes no entries: a holiday, an unknown day, or the hour. Empty in continuous trading."""
    calendar = market_calendar()
    return calendar.why_no_entries(now, InstrumentClass.EQUITY) or ""
