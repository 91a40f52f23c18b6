"""Celery Beat on market time: one scheduler for live and for the simulated market.

django-celery-beat asks the wall in five places; here each of them asks the market's clock instead
(Celery's own `now` stays the wall's: eta and expiry are judged by workers on wire time). With a
simulated market Beat is a participant: the market stands at a due moment until every task that
was due has been sent and has ended.
"""

import logging
import math
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Protocol

from celery import signals
from django.conf import settings
from django.db import DatabaseError
from django_celery_beat.schedulers import DatabaseScheduler, ModelEntry
from django_celery_beat.tzcrontab import TzAwareCrontab
from redis import Redis
from redis.exceptions import RedisError

from trading.clock.live import LiveClock
from trading.clock.threaded import ThreadedParticipant
from trading.ports import MarketRound
from trading.services import wiring
from trading.services.build import build_words
from trading.services.schedule import sync_schedule
from trading.stores import heartbeats

logger = logging.getLogger(__name__)

POLL_S = 0.1
"""How often Beat looks at the schedule while the simulated market may wait for it, wire seconds."""
BUSY_EVERY_S = 1.0
BEATS_EVERY_S = 5.0
TASK_FORGOTTEN_AFTER_S = 60.0
"""A market task that never ended (its worker was killed) is not waited for longer, wire seconds."""
RUNNING_KEY = "market:tasks"


class MarketTime(Protocol):
    """The part of a clock that Beat needs."""

    def now(self) -> datetime: ...
    def monotonic(self) -> float: ...


class RunningTasks:
    """The tasks Beat sent and that have not ended, in Redis. Losing them only lets the market go on."""

    def __init__(self, redis: "Redis[bytes]", clock: LiveClock) -> None:
        self._redis = redis
        self._clock = clock

    def sent(self, task_id: str) -> None:
        """Note a task before it is queued."""
        self._redis.zadd(RUNNING_KEY, {task_id: self._clock.wall().timestamp()})

    def ended(self, task_id: str) -> None:
        """Note that a task ended, well or badly."""
        self._redis.zrem(RUNNING_KEY, task_id)

    def any(self) -> bool:
        """Say whether a market task is still under way."""
        try:
            self._redis.zremrangebyscore(RUNNING_KEY, 0, self._clock.wall().timestamp() - TASK_FORGOTTEN_AFTER_S)
            return bool(self._redis.zcard(RUNNING_KEY))
        except RedisError:
            return False


def redis_tasks() -> RunningTasks:
    """Give the registry of this installation's Redis."""
    return RunningTasks(wiring.redis_client(), LiveClock())


@signals.task_postrun.connect
def _note_end(task_id: str = "", **_: Any) -> None:
    """Tell Beat that a task ended. Runs in the worker."""
    try:
        redis_tasks().ended(task_id)
    except RedisError:
        return  # the note runs out by itself


class MarketEntry(ModelEntry):
    """A schedule row whose last run is told in market time."""

    market: MarketTime = LiveClock()

    def _default_now(self) -> datetime:
        return self.market.now().astimezone(self.app.timezone)

    def default_now(self) -> datetime:
        """Give market time in the schedule's zone."""
        return self._default_now()


class MarketScheduler(DatabaseScheduler):
    """Give it to Beat by `--scheduler trading.beat:MarketScheduler`."""

    Entry = MarketEntry

    def __init__(self, *args: Any, lazy: bool = False, **kwargs: Any) -> None:
        self._participant: ThreadedParticipant | None = None
        self._answered: tuple[datetime, MarketRound] | None = None
        self._busy_said_at = self._beaten_at = float("-inf")
        self._tasks = redis_tasks()
        if settings.ALGO_CONTROL_URL and not lazy:
            self._participant = ThreadedParticipant(settings.ALGO_CONTROL_URL, name="beat", role="beat")
            self._participant.start()
        self._clock: MarketTime = self._participant or LiveClock()
        read_the_market(self._clock)
        super().__init__(*args, lazy=lazy, **kwargs)

    def setup_schedule(self) -> None:
        """Bring the rows up to date before they are read: a live installation has nobody else to make them."""
        sync_schedule(self._clock.now())
        super().setup_schedule()

    def enabled_models_qs(self) -> Any:
        """Give every enabled row: the package's own query drops those far from the wall's hour."""
        return self.Model.objects.enabled()

    def apply_async(self, entry: Any, producer: Any = None, advance: bool = True, **kwargs: Any) -> Any:  # noqa: FBT001, FBT002
        """Send a task and, on a simulated market, note it as running."""
        if self._participant is None:
            return super().apply_async(entry, producer=producer, advance=advance, **kwargs)
        task_id = f"{entry.name}-{entry.total_run_count}-{self._participant.now():%Y%m%d%H%M%S}"
        entry.options["task_id"] = task_id
        self._tasks.sent(task_id)
        return super().apply_async(entry, producer=producer, advance=advance, **kwargs)

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Send at most one due task; give the wire seconds until Beat should look again."""
        self._beat()
        round_ = self._participant.latest_round if self._participant else None
        delay: float = super().tick(*args, **kwargs)
        if self._participant is None or delay <= 0:
            return delay
        if round_ is not None:
            self._answer(self._participant, round_)
        return POLL_S

    def _beat(self) -> None:
        """Give a sign of life; a database that is away only keeps it away."""
        now = self._clock.monotonic()
        if now - self._beaten_at >= BEATS_EVERY_S:
            self._beaten_at = now
            try:
                heartbeats.beat("beat", wall=LiveClock().wall(), detail=build_words())
            except DatabaseError:
                logger.warning("the sign of life was not stored: the database is away")

    def _answer(self, participant: ThreadedParticipant, round_: MarketRound) -> None:
        """Answer the round that was known before the schedule was looked at, never a later one."""
        if self._tasks.any():
            if participant.monotonic() - self._busy_said_at >= BUSY_EVERY_S:
                participant.busy(round_)
                self._busy_said_at = participant.monotonic()
            return
        until = self._next_due()
        if self._answered != (until, round_):
            participant.answer(round_, until=until)
            self._answered = (until, round_)

    def _next_due(self) -> datetime:
        """Give the next due moment, a whole second: the heap's times are a hundredth early."""
        return datetime.fromtimestamp(math.ceil(self._heap[0][0]), UTC)

    def close(self) -> None:
        """Leave the market and end as the package does, which asks twice: at SIGTERM, and when its loop has ended."""
        super().close()
        with suppress(DatabaseError):
            heartbeats.stopped("beat", wall=LiveClock().wall())
        participant, self._participant = self._participant, None
        if participant is not None:
            participant.close()


def read_the_market(clock: MarketTime) -> None:
    """Let schedule rows and crontabs of this process read `clock`. The package offers no other way in."""
    MarketEntry.market = clock
    nowfunc: Callable[[TzAwareCrontab], datetime] = lambda crontab: clock.now().astimezone(crontab.tz)  # noqa: E731
    TzAwareCrontab.nowfunc = nowfunc
