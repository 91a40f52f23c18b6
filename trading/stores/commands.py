"""The command rows: how anything asks the engine, and how it answers."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from trading.domain.control import CommandKind
from trading.models import CommandRow, User
from trading.stores import notices


def ask(
    kind: CommandKind,
    client_id: int | None,
    *,
    day: date,
    at: datetime,
    arguments: Mapping[str, Any],
    requested_by: User | None,
    once_key: str = "",
    path: str = "",
) -> tuple[CommandRow, bool]:
    """Write a command row, or find the one that has the same `once_key`; says whether it is new."""
    columns = {
        "kind": kind,
        "client_id": client_id,
        "day": day,
        "asked_at": at,
        "arguments": dict(arguments),
        "requested_by": requested_by,
        "path": path,
    }
    if once_key:
        return CommandRow.objects.get_or_create(once_key=once_key, defaults=columns)
    return CommandRow.objects.create(**columns), True


def unfinished(kind: CommandKind, client_id: int | None) -> list[CommandRow]:
    """Give the commands of a kind for a client, or for the house, that the engine has not finished, oldest first."""
    rows = CommandRow.objects.filter(kind=kind, finished_at=None).order_by("id")
    return list(rows.filter(client=None) if client_id is None else rows.filter(client_id=client_id))


def finish(command_id: int, result: Mapping[str, Any], *, at: datetime, wall: datetime) -> None:
    """Say what came of a command; the first one to say it counts. Of a kill those whom it concerns are told."""
    row = CommandRow.objects.filter(pk=command_id).first()
    mine = CommandRow.objects.filter(pk=command_id, finished_at=None)
    if mine.update(finished_at=wall, result=dict(result)) and row is not None and row.kind == CommandKind.KILL:
        notices.kill_carried_out(row, result, at=at, wall=wall)
