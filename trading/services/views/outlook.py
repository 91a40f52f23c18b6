"""What comes next: when each group of instruments is squared off, and why nothing is entered now."""

from collections import defaultdict
from datetime import date, datetime
from typing import Any

from trading.domain.calendar import CalendarError, DayKind
from trading.domain.control import TradingState
from trading.domain.instruments import InstrumentClass
from trading.domain.square_off import Subject, square_off_plan
from trading.domain.timezone import at_ist, ist_day, to_ist
from trading.models import Client, EventLog, WatchItem
from trading.services import glance
from trading.services.accounts import brokers_of
from trading.stores.calendar import market_calendar

GROUP_WORDS = {
    InstrumentClass.EQUITY_CAS: "stocks with a closing auction",
    InstrumentClass.EQUITY: "other stocks",
    InstrumentClass.DERIVATIVE: "futures and options",
}


def square_offs(client: Client, day: date) -> list[dict[str, Any]]:
    """Give the planned square-offs of what the client watches, earliest first, one row a group of instruments."""
    calendar, brokers = market_calendar(), brokers_of(client)
    groups: dict[Subject, list[str]] = defaultdict(list)
    for item in WatchItem.objects.filter(client=client, trades_enabled=True).select_related("instrument"):
        instrument = item.instrument.to_domain()
        if instrument.is_tradable:
            expiry = instrument.expiry if instrument.expiry == day else None
            groups[Subject(instrument.instrument_class, brokers, expiry)].append(instrument.tradingsymbol)
    plans = [
        (square_off_plan(calendar, day, subject, client.square_off_at), _group_words(subject), names)
        for subject, names in groups.items()
    ]
    return [
        {
            "at": to_ist(plan.start).isoformat(),
            "time": f"{to_ist(plan.start):%H:%M}",
            "flat_at": to_ist(plan.flat_by).isoformat(),
            "flat_by": f"{to_ist(plan.flat_by):%H:%M:%S}",
            "group": group,
            "instruments": sorted(names),
            "is_early": plan.is_early,
            "reason": plan.reason,
        }
        for plan, group, names in sorted(plans, key=lambda found: (found[0].start, found[1]))
    ]


def _group_words(subject: Subject) -> str:
    words = GROUP_WORDS[subject.instrument_class]
    return f"{words} that expire today" if subject.expiry else words


def coming(client: Client, now: datetime, planned: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give what is still to come at a market moment, earliest first: `at` (ISO; what changes then), time and text.

    `planned` is what `square_offs` gives. On a finished or closed day it is the next session.
    """
    day, calendar = ist_day(now), market_calendar()
    hours = calendar.find_session(day, InstrumentClass.EQUITY)
    if hours is None:
        return [_next_session(day)]
    last_entry = at_ist(day, client.no_new_entry_after)
    rows = [_row(hours.open, "the market opens"), _row(last_entry, "no new entries from then on")]
    rows = [row for row in rows if datetime.fromisoformat(row["at"]) > now]
    for plan in planned:
        begins, flat_at = datetime.fromisoformat(plan["at"]), datetime.fromisoformat(plan["flat_at"])
        if now < begins:
            words = f"square-off of {plan['group']}, flat by {plan['flat_by']}"
            rows.append(_row(begins, words, plan["reason"]))
        elif now < flat_at:
            rows.append(_row(flat_at, f"{plan['group']} are flat by then", plan["reason"]))
    return sorted(rows, key=lambda row: str(row["at"])) or [_next_session(day)]


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
        return f"the last entry time, {client.no_new_entry_after:%H:%M}, has passed"
    return "the price feed has not brought a price yet" if feed_age_s is None else too_old(feed_age_s)


def too_old(feed_age_s: float | None) -> str:
    """Say how old a feed is that lets no entry pass; empty for a fresh or an unknown one."""
    if feed_age_s is None or feed_age_s <= glance.stale_after_s():
        return ""
    return f"the price feed is {glance.age_words(feed_age_s)} old"


def squared_off(client: Client, day: date) -> str:
    """Give the time of day at which the broker's positions last confirmed the day's square-off; empty before."""
    whole = EventLog.objects.filter(chain__client=client, kind="SQUARED_OFF", body__contains='"instruments":"all"')
    done = whole.order_by("-seq").first()
    return f"{to_ist(done.at):%H:%M:%S}" if done is not None and ist_day(done.at) == day else ""


def _market_words(now: datetime) -> str:
    """Say why the market takes no entries: a holiday, an unknown day, or the hour. Empty in continuous trading."""
    calendar, day = market_calendar(), ist_day(now)
    verdict = calendar.day_kind(day)
    if verdict.kind is not DayKind.TRADING:
        return verdict.reason
    hours = calendar.find_session(day, InstrumentClass.EQUITY)
    if hours is None:
        return f"no trading hours of {day} are known"
    if now < hours.open:
        return f"the market opens at {hours.open:%H:%M}"
    if now >= hours.continuous_end:
        return f"the market closed at {hours.continuous_end:%H:%M}"
    return calendar.why_no_entries(now, InstrumentClass.EQUITY) or ""


def _row(at: datetime, text: str, reason: str = "") -> dict[str, Any]:
    local = to_ist(at)
    return {"at": local.isoformat(), "time": f"{local:%H:%M:%S}".removesuffix(":00"), "text": text, "reason": reason}


def _next_session(day: date) -> dict[str, Any]:
    calendar = market_calendar()
    try:
        session = calendar.session(calendar.next_trading_day(day), InstrumentClass.EQUITY)
    except CalendarError as error:
        return {"at": None, "time": "", "text": "the next session is not known", "reason": str(error)}
    return _row(session.open, f"next session, {session.day:%a} {session.day.day} {session.day:%b}")
