"""Kills as screens and the API show them: when, whom, by whom, and the measured milliseconds."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.db.models import Q, QuerySet

from trading.domain.control import CommandKind
from trading.domain.timezone import to_ist
from trading.models import Client, CommandRow

MEASURED = ("gate_ms", "last_entry_ms", "cancels_ms", "flat_ms", "left_open")
SHOWN = 20


def kill_row(row: CommandRow) -> dict[str, Any]:
    """Shape one kill command; wants `client__user` and `requested_by` loaded.

    `flat_ms` None and `is_done` True: positions were left by choice, unless accounts are `unconfirmed`: then nobody
    knows whether they are flat.
    """
    result: Mapping[str, Any] = row.result
    account = row.arguments.get("account_key", "")
    return {
        "id": row.pk,
        "day": row.day.isoformat(),
        "time": f"{to_ist(row.asked_at):%H:%M:%S}",
        "level": "account" if account else "client" if row.client else "house",
        "whom": account or (row.client.label if row.client else "everybody"),
        "account": account,
        "by": _by(row),
        "path": row.path,
        "is_done": row.finished_at is not None,
        **{name: result.get(name) for name in MEASURED},
        "unconfirmed": result.get("unconfirmed") or [],
    }


def last_kill(client: Client, day: date) -> dict[str, Any] | None:
    """Give the day's last kill that concerns a client, of whichever level."""
    row = kills_of(client).filter(day=day).first()
    return None if row is None else kill_row(row)


def kills_of(client: Client | None) -> "QuerySet[CommandRow]":
    """Give the kills that concern a client, or with None all of them, newest first."""
    rows = CommandRow.objects.filter(kind=CommandKind.KILL).select_related("client__user", "requested_by")
    return (rows if client is None else rows.filter(Q(client=client) | Q(client=None))).order_by("-pk")


def kill_rows(client: Client | None = None, most: int = SHOWN) -> list[dict[str, Any]]:
    """Give the newest kills, shaped."""
    return [kill_row(row) for row in kills_of(client)[:most]]


def _by(row: CommandRow) -> str:
    return row.requested_by.email if row.requested_by else row.path or "command line"
