"""Why an order exists and what became of it: tick, rule, levels, gate, intent, sent, answer, fills.

`at` is market time; `wall` is real time. The pauses between steps are measured in real time, where both ends know it.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from trading.domain.money import group_indian, grouped
from trading.domain.orders import IntentState
from trading.domain.sentences import range_words, sentence
from trading.models import Client, EventLog, OrderIntentRow
from trading.services.views.orders import PURPOSE_WORDS, order_row, status_words

GATE_WORDS = {
    "kill_file": "no kill file is in the way",
    "kill_state": "the kill switch is off, or this is an exit",
    "lease": "this engine speaks for the account",
    "session": "the market is open for it",
    "instrument": "the broker's list agrees with what we know of the instrument",
    "cutoff": "before the last entry time",
    "reconciled": "our book and the broker's agree",
    "feed": "the price feed is alive",
    "signal": "it was decided just now",
    "tick": "the price is fresh",
    "day_limits": "within the day's loss and profit limits",
    "repeats": "this ladder does not repeat itself too often",
    "trades_today": "within the trades of a day",
    "open_positions": "within the open positions at once",
    "order_quantity": "within the units of an order",
    "order_value": "within the largest order",
    "price_collar": "the price is near yesterday's close",
    "reduce_only": "only shrinks what is open",
    "order_rules": "tick, lot, tag, protection, algo id and address",
    "second_path": "the broker's own positions say that it shrinks what is open",
    "rate_budget": "a call was left for it",
    "claim": "committed under the lease, with the control rows locked",
}


def find_order(client: Client | None, tag: str) -> OrderIntentRow | None:
    """Find an order by its tag among a client's, or with None (the operator) among everybody's."""
    rows = OrderIntentRow.objects.filter(tag=tag).select_related("account", "client__user")
    return (rows if client is None else rows.filter(client=client)).first()


def order_why(row: OrderIntentRow) -> dict[str, Any]:
    """Give the order and its steps in order of time: name, title, text, at, wall, tone, since_ms and details."""
    events = list(EventLog.objects.filter(tag=row.tag).order_by("pk"))
    steps = [*_decision(row), *_gate(row, events), *_journey(row, events), *_fills(row)]
    return {"order": order_row(row), "client": row.client.label, "steps": _with_pauses(steps)}


def _step(name: str, title: str, text: str = "", tone: str = "", **more: Any) -> dict[str, Any]:
    return {"name": name, "title": title, "text": text, "tone": tone, "at": None, "wall": None, **more}


def _decision(row: OrderIntentRow) -> Iterable[dict[str, Any]]:
    tick = row.reason.get("tick")
    if isinstance(tick, Mapping):
        at = datetime.fromtimestamp(int(tick["exchange_ts"]), UTC)
        yield _step(
            "tick", f"Tick {_price(tick['ltp'])}", f"volume so far {group_indian(str(tick.get('volume', 0)))}", at=at
        )
    yield _step("rule", "Rule", _rule(row), at=row.decided_at)
    told = row.reason.get("range")
    if isinstance(told, Mapping):
        text = f"{range_words(told)}, {_price(told['low'])} to {_price(told['high'])}"
        yield _step("range", "Range", text, at=row.decided_at)
    levels = row.reason.get("levels")
    if isinstance(levels, Mapping) and levels:
        text = f"entry {_price(levels['entry'])}"
        yield _step("levels", "Levels", text, at=row.decided_at, levels=levels)
    what = f"{row.side} {row.quantity} {row.instrument} {row.order_type} {row.product}"
    yield _step(
        "intent",
        "Intent committed",
        f"{what}, tag {row.tag}",
        at=row.decided_at,
        wall=row.created_at,
        key=row.purpose_key,
    )


def _rule(row: OrderIntentRow) -> str:
    kind = row.reason.get("event")
    if kind:
        try:
            return sentence(str(kind), row.instrument, row.reason)
        except (KeyError, ArithmeticError):
            return str(kind).replace("_", " ").lower()
    return str(row.reason.get("rule") or row.reason.get("text") or PURPOSE_WORDS[row.purpose])


def _gate(row: OrderIntentRow, events: Iterable[EventLog]) -> Iterable[dict[str, Any]]:
    seen = next((event for event in events if event.kind == "GATE"), None)
    verdicts = row.gate or (seen.data.get("verdicts", []) if seen else [])
    if not verdicts:
        return
    refused = [verdict for verdict in verdicts if not verdict["ok"]]
    told = [
        {**verdict, "words": GATE_WORDS.get(verdict["check"], verdict["check"].replace("_", " "))}
        for verdict in verdicts
    ]
    text = str(refused[0]["message"]) if refused else f"all {len(verdicts)} checks passed"
    at = seen.at if seen else None
    yield _step("gate", "Gate", text, "bad" if refused else "ok", at=at, wall=row.claimed_at, verdicts=told)


def _journey(row: OrderIntentRow, events: list[EventLog]) -> Iterable[dict[str, Any]]:
    state = IntentState(row.state)
    if row.claimed_at and state is not IntentState.DENIED:
        yield _step(
            "sent", "Sent to the broker", f"under lease epoch {row.epoch}", wall=row.claimed_at, at=_at(events, "GATE")
        )
    if state is IntentState.DENIED:
        yield _step("denied", "Not sent", row.outcome, "warn", wall=row.resolved_at, at=_at(events, "ORDER_DENIED"))
    elif state is IntentState.REFUSED:
        yield _step(
            "refused",
            "Refused by the broker",
            row.outcome,
            "bad",
            wall=row.resolved_at,
            at=_at(events, "ORDER_REFUSED"),
        )
    elif state in (IntentState.IN_DOUBT, IntentState.ABSENT):
        title = "Outcome unknown" if state is IntentState.IN_DOUBT else "Never arrived at the broker"
        yield _step("doubt", title, row.outcome, "bad", wall=row.resolved_at, at=_at(events, "ORDER_IN_DOUBT"))
    elif state in (IntentState.ACKED, IntentState.ADOPTED):
        title = "Taken by the broker" if state is IntentState.ACKED else "Found in the broker's book"
        at = _at(events, "ORDER_ACKED") or _at(events, "ORDER_ADOPTED") or row.broker_placed_at
        yield _step("ack", title, f"order id {row.order_id}", "ok", wall=row.resolved_at, at=at)
    if row.order_status:
        words, tone = status_words(row)
        yield _step(
            "status", f"Broker says: {words}", row.status_message, tone, at=row.broker_updated_at, wall=row.closed_at
        )


def _fills(row: OrderIntentRow) -> Iterable[dict[str, Any]]:
    verb = "Bought" if row.side == "BUY" else "Sold"
    for fill in row.fills.order_by("filled_at", "pk"):
        title = f"{verb} {fill.quantity} at {_price(fill.price)}"
        yield _step("fill", title, f"trade {fill.trade_id}", "ok", at=fill.filled_at, wall=fill.created_at)


def _at(events: Iterable[EventLog], kind: str) -> datetime | None:
    return next((event.at for event in events if event.kind == kind), None)


def _with_pauses(steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Add the real milliseconds since the step before that knows its real time; None where there is none."""
    before: datetime | None = None
    for step in steps:
        wall = step["wall"]
        step["since_ms"] = round((wall - before).total_seconds() * 1000) if wall and before else None
        before = wall or before
    return steps


def _price(amount: Any) -> str:
    return grouped(Decimal(str(amount)))
