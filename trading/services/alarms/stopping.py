"""A critical alarm that reached nobody stops entries: a machine that nobody hears must not take new risk."""

import logging
from datetime import timedelta

from django.db import transaction

from trading.domain.control import TradingState
from trading.models import Alarm
from trading.ports import Clock, EngineEvent
from trading.services.alarms.channels import SENDS_WITHIN_S
from trading.services.events import market_now
from trading.stores import alarms
from trading.stores.chain import append_events
from trading.stores.controls import lower_state
from trading.stores.locks import CONTROL, chain_lock, take

logger = logging.getLogger(__name__)

MUST_REACH_SOMEBODY_IN = timedelta(seconds=60)
LONGEST_S = (MUST_REACH_SOMEBODY_IN + alarms.QUIET_FOR).total_seconds()
"""A digest waits for its minute first; nothing waits longer than this, whatever the wall clock says."""
A_TRY_TAKES_S = SENDS_WITHIN_S + 2
"""Wire seconds in which somebody notices what is due, sends it and hears of it, or knows that it cannot be sent."""


class UndeliveredWatch:
    """Looks at critical alarms of which nobody was told, and turns whom they concern to REDUCING.

    How long is judged by the wall times of the row and by how long this watch saw it. A clock that was set back delays
    nothing; one that was set forward, or a machine that was off, leaves time for one try before anybody is stopped.
    It happens once an alarm; a person who lets trading go on meanwhile knows of it.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._seen_at: dict[int, float] = {}
        self._due_at: dict[int, float] = {}

    def look(self) -> list[Alarm]:
        """Stop entries where it is time; gives the alarms that did."""
        now, wall = self._clock.monotonic(), self._clock.wall()
        rows = alarms.undelivered()
        ages = {row.pk: wall - row.undelivered_since for row in rows if row.undelivered_since is not None}
        self._seen_at = {row.pk: self._seen_at.get(row.pk, now) for row in rows}
        self._due_at = {pk: self._due_at.get(pk, now) for pk, age in ages.items() if age >= timedelta()}
        stopped = []
        for row in rows:
            is_old = ages[row.pk] >= MUST_REACH_SOMEBODY_IN and now - self._due_at[row.pk] >= A_TRY_TAKES_S
            saw_it_long = now - self._seen_at[row.pk] >= LONGEST_S
            if (is_old or saw_it_long) and self._stop(row):
                stopped.append(row)
        return stopped

    def _stop(self, alarm: Alarm) -> bool:
        clock, at = self._clock, market_now(self._clock)
        reason = f"the alarm {alarm.code} reached nobody within {MUST_REACH_SOMEBODY_IN.seconds} s"
        with transaction.atomic():
            take([CONTROL, chain_lock(alarm.client_id)])
            still = Alarm.objects.filter(pk=alarm.pk, undelivered_since__isnull=False, entries_stopped_at=None)
            if not still.update(entries_stopped_at=clock.wall()):
                return False
            lower_state(alarm.client_id, TradingState.REDUCING, reason, latch_day=None, wall=clock.wall())
            told = {"text": f"no new entries: {reason}", "alarm": alarm.pk, "code": alarm.code}
            append_events([EngineEvent(alarm.client_id, "ENTRIES_STOPPED", at, told)], wall=clock.wall())
        text = f"{reason}, so entries are off: {alarm.text}"
        alarms.record(alarm.client_id, "ENTRIES_STOPPED", text, at=at, wall=clock.wall())
        logger.critical("client=%s %s", alarm.client_id, text)
        return True
