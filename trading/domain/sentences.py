"""The event log in words a client reads: one short sentence an event."""

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from trading.domain.ladder_config import RangeSource
from trading.domain.money import grouped, signed

SILENT_KINDS = frozenset(
    {
        "GATE",
        "INTENT_SENT",
        "ORDER_ACKED",
        "ORDER_UPDATED",
        "LADDER_PLANNED",
        "LADDER_RESTORED",
        "ENTRY_SETTLED",
        "LADDER_RESET",
    }
)
"""Kept in the log, but not told on the page as sentences."""


def rupees(amount: object) -> str:
    """Write a price or an amount with separators and two decimals, as text."""
    return grouped(Decimal(str(amount)))


def sentence(kind: str, instrument: str, data: Mapping[str, Any]) -> str:
    """Say what happened. A kind without words of its own is spelt out plainly."""
    symbol = instrument.partition(":")[2] or instrument
    write = _WORDS.get(kind)
    words = write(data) if write else _plain(kind, data)
    return f"{symbol}: {words}" if symbol else words


def range_words(data: Mapping[str, Any]) -> str:
    """Say of a `ReferenceRange.as_dict` where it comes from: `previous session, 20 Nov 2026`."""
    by = f", from {data['told_by']}" if data["told_by"] else ""
    if data["source"] == RangeSource.OPENING_RANGE:
        return f"opening range {str(data['from'])[:5]} to {str(data['to'])[:5]}{by}"
    if data["source"] == RangeSource.MANUAL:
        return "range set by hand"
    return f"previous session, {date.fromisoformat(data['from']):%d %b %Y}"


def _plain(kind: str, data: Mapping[str, Any]) -> str:
    words = kind.replace("_", " ").lower()
    reason = data.get("text") or data.get("reason") or data.get("message")
    return f"{words}: {reason}" if isinstance(reason, str) and reason else words


def _not_traded(data: Mapping[str, Any]) -> str:
    more = f": {data['text']}" if data.get("text") else ""
    return f"not traded today, {str(data['reason']).replace('_', ' ')}{more}"


def _opening_range(data: Mapping[str, Any]) -> str:
    return f"{range_words(data)}: {rupees(data['low'])} to {rupees(data['high'])}"


def _skipped(data: Mapping[str, Any]) -> str:
    return f"{data['side']} entry skipped at {rupees(data['ltp'])}, {str(data['reason']).replace('_', ' ')}"


def _entry(data: Mapping[str, Any]) -> str:
    return (
        f"{data['side']} entry of {data['quantity']} decided at {rupees(data['ltp'])} "
        f"(level {rupees(data['level'])}), stop Y1 at {rupees(data['stop'])}"
    )


def _target(data: Mapping[str, Any]) -> str:
    booked = f"booking {data['quantity']}" if data["quantity"] else "nothing to book"
    return f"T{data['k']} at {rupees(data['level'])} reached at {rupees(data['ltp'])}, {booked}"


def _trail(data: Mapping[str, Any]) -> str:
    return f"stop moved from {rupees(data['from'])} to Y{data['y']} at {rupees(data['to'])}, {data['open']} open"


def _stop(data: Mapping[str, Any]) -> str:
    return f"stop Y{data['y']} at {rupees(data['level'])} hit at {rupees(data['ltp'])}, exiting {data['quantity']}"


def _square_off(data: Mapping[str, Any]) -> str:
    at = f" at {rupees(data['ltp'])}" if data.get("ltp") else ""
    return f"square-off of {data['quantity']}{at}"


def _flattened(data: Mapping[str, Any]) -> str:
    at = f" at {rupees(data['ltp'])}" if data.get("ltp") else ""
    return f"{_FLATTENED[data['event']]}: {data['side']} position of {data['quantity']} is closed{at}"


def _fill(data: Mapping[str, Any]) -> str:
    verb = "bought" if data["side"] == "BUY" else "sold"
    return f"{verb} {data['quantity']} at {rupees(data['price'])} ({str(data['purpose']).replace('_', ' ').lower()})"


def _external(data: Mapping[str, Any]) -> str:
    return f"{str(data['side']).lower()} {data['quantity']} at {rupees(data['price'])} made outside of this system"


def _refused(data: Mapping[str, Any]) -> str:
    return f"the broker refused the {str(data['purpose']).replace('_', ' ').lower()} order: {data['reason']}"


def _denied(data: Mapping[str, Any]) -> str:
    return f"{str(data['purpose']).replace('_', ' ').lower()} order not sent: {data['message']}"


def _kill_pressed(data: Mapping[str, Any]) -> str:
    then = {True: "positions are left", False: "squaring off", None: "positions as each chose"}[
        data.get("leave_positions")
    ]
    of = f" of {data['account_key']}" if data.get("account_key") else ""
    return f"kill switch{of} pressed by {data['by']}: no new entries, {then}"


def _state_raised(data: Mapping[str, Any]) -> str:
    reason = f": {data['reason']}" if data.get("reason") else ""
    return f"trading again, raised from {data['was']} by {data['by']}{reason}"


def _command_given(data: Mapping[str, Any]) -> str:
    if data.get("scheduled"):
        return "scheduled square-off began"
    if data["kind"] == "ADOPT":
        return f"{data['by']} asked to adopt {signed(data['shown'])} {data['instrument']} as the broker shows it"
    if data["kind"] == "RELOAD":
        return "settings and ranges are read again"
    return f"{str(data['kind']).replace('_', ' ').lower()} asked for by {data['by']}"


def _limits_changed(data: Mapping[str, Any]) -> str:
    days = sorted(set(data.get("wider_from", {}).values()))
    later = f"; what is wider counts from {date.fromisoformat(days[0]):%d %b} on" if days else ""
    return f"limits changed by {data['by']}{later}"


def _by(what: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda data: f"{what} by {data['by']}"


def _text(data: Mapping[str, Any]) -> str:
    return str(data["text"])


_FLATTENED = {"KILL": "kill switch", "LIMIT_REACHED": "daily limit", "MANUAL_EXIT": "exit by hand"}

_WORDS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "NOT_TRADED": _not_traded,
    "OPENING_RANGE": _opening_range,
    "SKIPPED": _skipped,
    "ENTRY": _entry,
    "TARGET": _target,
    "TRAIL": _trail,
    "STOP": _stop,
    "SQUARE_OFF": _square_off,
    "KILL": _flattened,
    "LIMIT_REACHED": _flattened,
    "MANUAL_EXIT": _flattened,
    "FILL": _fill,
    "EXTERNAL_FILL": _external,
    "ORDER_REFUSED": _refused,
    "ORDER_DENIED": _denied,
    "ALARM": _text,
    "KILL_PRESSED": _kill_pressed,
    "KILL_DONE": _text,
    "STATE_RAISED": _state_raised,
    "COMMAND_GIVEN": _command_given,
    "BROKER_CONNECTED": _by("broker account connected"),
    "BROKER_DISCONNECTED": _by("broker account disconnected"),
    "LIMITS_CHANGED": _limits_changed,
    "HOUSE_CAPS_CHANGED": _by("the house's caps changed"),
    "LADDER_STOPPED": _text,
    "LADDER_ALLOWED": lambda data: f"{data['instrument']} may enter again, allowed by {data['by']}: {data['reason']}",
    "STARTED_ON_PAPER": _by("started on paper"),
    "STARTED_LIVE": _by("started live trading"),
    "TOKEN_MADE": lambda data: f"API token {data['name']} ({data['scopes']}) made by {data['by']}",
    "TOKEN_REVOKED": lambda data: f"API token {data['name']} revoked by {data['by']}",
    "WATCHLIST_CHANGED": _by("watchlist changed"),
    "FEED_STALE": lambda data: f"no new entries: {data['text']}",
    "FEED_FRESH": lambda _: "the price feed is fresh, entries may pass",
    "ADOPTED": lambda data: f"the broker's word is adopted: {signed(data['is'])} {data['product']}, by {data['by']}",
    "CLOSING_CHECK": _text,
    "RECONCILED": lambda _: "our book and the broker's agree",
    "SQUARE_OFF_REHEARSED": lambda data: f"square-off rehearsed: {data['text']}",
    "SQUARE_OFF_MOVED": _text,
    "SQUARED_OFF": lambda data: f"squared off: {data['text']}",
}
