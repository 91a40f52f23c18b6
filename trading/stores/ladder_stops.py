"""Ladders that repeated themselves too often: stopped by the engine, let go on by a person."""

from datetime import date, datetime

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


def stopped() -> dict[Place, str]:
    """Give every ladder that is stopped, and why."""
    rows = LadderStop.objects.filter(allowed_at=None).values_list("account__key", "instrument", "reason")
    return {(key, instrument): reason for key, instrument, reason in rows}


def allowed_again(day: date) -> dict[Place, datetime]:
    """Give when ladders were let go on, on a market day: the latest time of each."""
    rows = LadderStop.objects.filter(allowed_day=day).order_by("allowed_at")
    found = rows.values_list("account__key", "instrument", "allowed_at")
    return {(key, name): at for key, name, at in found if at is not None}
