"""Alarms: recorded once a cause and day, counted after that."""

from datetime import datetime

from django.db.models import F

from trading.domain.timezone import ist_day
from trading.models import Alarm

TEXT_LENGTH = 400


def record(client_id: int | None, code: str, text: str, *, at: datetime, wall: datetime) -> None:
    """Record an alarm at market time `at`. An unseen one of the same words and day is counted up instead."""
    words = {"client_id": client_id, "code": code, "text": text[:TEXT_LENGTH], "day": ist_day(at)}
    if not Alarm.objects.filter(**words, seen_at=None).update(count=F("count") + 1, last_at=at):
        Alarm.objects.create(**words, raised_at=at, last_at=at, created_at=wall)
