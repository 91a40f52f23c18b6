"""What happened, as sentences: the newest lines of an event log."""

import logging
from typing import Any

from trading.domain.sentences import SILENT_KINDS, sentence
from trading.domain.timezone import to_ist
from trading.models import Client, EventLog
from trading.stores.locks import chain_name

logger = logging.getLogger(__name__)

NEWEST = 50
TONES = {
    "ENTRY": "info",
    "FILL": "info",
    "TARGET": "ok",
    "TRAIL": "ok",
    "STOP": "warn",
    "SKIPPED": "warn",
    "ALARM": "bad",
    "ORDER_REFUSED": "bad",
    "ORDER_DENIED": "warn",
    "KILL_PRESSED": "bad",
    "FEED_STALE": "warn",
}


def event_lines(client: Client | None, limit: int = NEWEST) -> list[dict[str, Any]]:
    """Give the newest lines of a client's log, or with None of the house's, newest first."""
    rows = EventLog.objects.filter(chain__name=chain_name(client.pk if client else None))
    return [line_of(row) for row in rows.exclude(kind__in=SILENT_KINDS).order_by("-seq")[:limit]]


def tone_of(kind: str) -> str:
    """Give how a kind of event is coloured: ok, info, warn, bad, or nothing."""
    return TONES.get(kind, "")


def line_of(row: EventLog) -> dict[str, Any]:
    """Give one line in the keys of the engine's `event` messages, with its time of day and a tone."""
    at = to_ist(row.at)
    return {
        "kind": row.kind,
        "tone": tone_of(row.kind),
        "sentence": _sentence(row),
        "at": at.isoformat(),
        "time": f"{at:%H:%M:%S}",
        "account": row.account_key,
        "instrument": row.instrument,
        "tag": row.tag,
    }


def _sentence(row: EventLog) -> str:
    try:
        return sentence(row.kind, row.instrument, row.data)
    except (KeyError, ArithmeticError):
        logger.warning("event %s of chain %s lacks what its sentence needs", row.seq, row.chain_id)
        return row.kind.replace("_", " ").lower()
