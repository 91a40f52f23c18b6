"""The order book of a day as its client reads it."""

from datetime import date
from typing import Any

from trading.domain.orders import IntentState, OrderStatus
from trading.domain.timezone import to_ist
from trading.models import Client, OrderIntentRow

STATE_WORDS = {
    IntentState.NEW: ("waiting to be sent", "info"),
    IntentState.DENIED: ("not sent", "warn"),
    IntentState.SENDING: ("being sent", "info"),
    IntentState.ACKED: ("taken by the broker", "info"),
    IntentState.REFUSED: ("refused", "bad"),
    IntentState.IN_DOUBT: ("unknown, being looked up", "bad"),
    IntentState.ADOPTED: ("found at the broker", "info"),
    IntentState.ABSENT: ("never arrived", "warn"),
}
STATUS_WORDS = {
    OrderStatus.PENDING: ("on its way", "info"),
    OrderStatus.OPEN: ("open", "info"),
    OrderStatus.TRIGGER_PENDING: ("waits for its trigger", "info"),
    OrderStatus.COMPLETE: ("filled", "ok"),
    OrderStatus.CANCELLED: ("cancelled", "warn"),
    OrderStatus.REJECTED: ("rejected", "bad"),
    OrderStatus.UNKNOWN: ("unknown", "bad"),
}
PURPOSE_WORDS = {
    "ENTRY": "entry",
    "TARGET": "target",
    "STOP": "stop",
    "SQUARE_OFF": "square-off",
    "KILL": "kill switch",
    "LIMIT_REACHED": "daily limit",
    "MANUAL_EXIT": "exit by hand",
}


def order_rows(client: Client, day: date, limit: int | None = None) -> list[dict[str, Any]]:
    """Give the orders of a day, newest first, in the keys of the engine's `order` messages and some words."""
    rows = (
        OrderIntentRow.objects.filter(client=client, day=day).select_related("account").order_by("-decided_at", "-pk")
    )
    return [order_row(row) for row in (rows if limit is None else rows[:limit])]


def order_row(row: OrderIntentRow) -> dict[str, Any]:
    """Shape one order. Needs `account` loaded."""
    at = to_ist(row.decided_at)
    words, kind = status_words(row)
    return {
        "tag": row.tag,
        "order_id": row.order_id,
        "account": row.account.key,
        "instrument": row.instrument,
        "symbol": row.instrument.partition(":")[2],
        "purpose": row.purpose,
        "purpose_words": purpose_words(row),
        "side": row.side,
        "quantity": row.quantity,
        "filled": row.filled_quantity,
        "average_price": str(row.average_price) if row.filled_quantity else None,
        "state": row.state,
        "status": row.order_status,
        "status_words": words,
        "status_kind": kind,
        "message": row.status_message or row.outcome,
        "decided_at": at.isoformat(),
        "time": f"{at:%H:%M:%S}",
    }


def status_words(row: OrderIntentRow) -> tuple[str, str]:
    """Say how an order stands, and the tone of it (ok, info, warn, bad)."""
    if not row.order_status:
        return STATE_WORDS[IntentState(row.state)]
    words, kind = STATUS_WORDS[OrderStatus(row.order_status)]
    if 0 < row.filled_quantity < row.quantity:
        return f"{words}, {row.filled_quantity} of {row.quantity} filled", kind
    return words, kind


def purpose_words(row: OrderIntentRow) -> str:
    """Say why an order exists: "target T3", "entry"."""
    words = PURPOSE_WORDS[row.purpose]
    return f"{words} T{row.reason['k']}" if row.purpose == "TARGET" and row.reason.get("k") else words
