"""Ladders that repeated themselves too often: stopped by the engine, let go on by a person."""

from datetime import date, datetime

from django.db.models import Q

from trading.models import LadderStop
from trading.ports import Place

REASON_LENGTH = 200


def standing(account_id: int, instrument: str) -> LadderStop | None:
    """Give the stop that holds a ladder now; None when nothing does."""
    return LadderStop.objects.filter(account_id=account_id, instrument=instrument, allowed_at=None).first()


def stop(account_id: int, instrument: str, reason: str, *, at: datetime, wall: datetime) -> LadderStop:
    """Stop a ladder at market time `at`; one that is stopped already keeps its first reason."""
    row, _ = LadderStop.objects.get_or_create(
        account_id=account_id,
        instrument=instrument,
        allowed_at=None,
        defaults={"reason": reason[:REASON_LENGTH], "stopped_at": at, "created_at": wall},
    )
    return row


def stops_of(day: date) -> tuple[dict[Place, str], dict[Place, datetime]]:
    """Give every ladder that is stopped, and why; and the last time at which others were let go on that market day."""
    counts = LadderStop.objects.filter(Q(allowed_at=None) | Q(allowed_day=day)).order_by("allowed_at")
    stopped: dict[Place, str] = {}
    allowed: dict[Place, datetime] = {}
    for key, name, reason, at in counts.values_list("account__key", "instrument", "reason", "allowed_at"):
        if at is None:
            stopped[key, name] = reason
        else:
            allowed[key, name] = at
    return stopped, allowed
