"""Signs of life, one row a part. Whoever looks judges by what it sees move, not by the times."""

from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import F

from trading.models import Heartbeat

DETAIL_LENGTH = 200


def beat(part: str, *, wall: datetime, detail: str = "") -> None:
    """Move a part's counter."""
    said = {"beat_at": wall, "is_stopped": False, "detail": detail[:DETAIL_LENGTH]}
    if Heartbeat.objects.filter(part=part).update(counter=F("counter") + 1, **said):
        return
    try:
        with transaction.atomic():
            Heartbeat.objects.create(part=part, counter=1, **said)
    except IntegrityError:
        Heartbeat.objects.filter(part=part).update(counter=F("counter") + 1, **said)


def stopped(part: str, *, wall: datetime) -> None:
    """Note that a part ended as it was asked to: its silence is no alarm."""
    Heartbeat.objects.filter(part=part).update(is_stopped=True, beat_at=wall)


def all_beats() -> list[Heartbeat]:
    """Give every part's row."""
    return list(Heartbeat.objects.order_by("part"))
