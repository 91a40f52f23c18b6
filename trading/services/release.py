"""No release in market hours: another build does not come in beside one that trades, unless a person says so."""

from datetime import datetime, time, timedelta

from django.conf import settings
from django.db import connection

from trading.domain.calendar import MarketCalendar
from trading.domain.timezone import ist_day, to_ist
from trading.models import Heartbeat
from trading.services.build import build_words

LOCKED_FROM, LOCKED_UNTIL = time(9, 0), time(15, 45)
LIVES_WITHIN = timedelta(seconds=10)
"""Wall time since the last sign of life of a part that is taken to live."""
MONEY_PARTS = ("engine", "standby")


def release_problem(wall: datetime) -> str:
    """Say why this build may not come in now and what to do; empty when it may.

    It keeps a new engine, or new tables, from what still works. Where nobody of the other build lives there is nobody
    to disturb, and positions to look after: then whatever build there is may start. A simulated market has no such
    hours.
    """
    if settings.ALGO_CONTROL_URL or settings.ALGO_RELEASE_NOW or not _is_locked(wall):
        return ""
    if Heartbeat._meta.db_table not in connection.introspection.table_names():
        return ""
    beats = Heartbeat.objects.filter(part__in=MONEY_PARTS, is_stopped=False, beat_at__gt=wall - LIVES_WITHIN)
    others = [beat.part for beat in beats if beat.detail and beat.detail != build_words()]
    if not others:
        return ""
    return (
        f"{' and '.join(sorted(others))} of another build trades, and there is no release on a trading day from "
        f"{LOCKED_FROM:%H:%M} to {LOCKED_UNTIL:%H:%M}. Wait, or stop every engine first, or "
        "set ALGO_RELEASE_NOW=1 if this release cannot wait"
    )


def _is_locked(wall: datetime) -> bool:
    if not LOCKED_FROM <= to_ist(wall).time() < LOCKED_UNTIL:
        return False
    day = ist_day(wall)
    calendar = MarketCalendar.load()
    return not calendar.is_known_closed(day)
