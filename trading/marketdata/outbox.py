"""Ticks on their way from the broker's socket to Redis: gathered for a moment, never lost to a short outage."""

import asyncio
import logging
import random
from collections.abc import Callable, Sequence

from redis.exceptions import RedisError

from trading.domain.ticks import Tick
from trading.marketdata.bus import RETRY, TickWriter
from trading.marketdata.status import FeedStatus
from trading.ports import Clock, TickBatch

logger = logging.getLogger(__name__)

GATHER_S = 0.002
GATHER_IN_STEPS_S = 0.02
"""A simulated step's end publishes by itself; the timer is only for what comes between."""
MOST_WAITING = 50_000
"""Ticks kept while Redis is away; beyond it only each instrument's newest."""


class TickOutbox:
    """Holds what was not published yet. `status` is asked for at each write."""

    def __init__(
        self, writer: TickWriter, clock: Clock, status: Callable[[], FeedStatus], *, gather_s: float = GATHER_S
    ) -> None:
        self._writer = writer
        self._clock = clock
        self._status = status
        self._gather_s = gather_s
        self._waiting: list[Tick] = []
        self._more = asyncio.Event()
        self._turn = asyncio.Lock()

    def put(self, ticks: Sequence[Tick]) -> None:
        """Take ticks over. Never waits."""
        self._waiting.extend(ticks)
        if len(self._waiting) > MOST_WAITING:
            self._waiting = list({tick.token: tick for tick in self._waiting}.values())
            logger.warning("ticks were joined: %d instruments wait for Redis", len(self._waiting))
        self._more.set()

    async def run(self) -> None:
        """Publish until cancelled: what gathers within `gather_s` wire seconds goes as one batch."""
        while True:
            await self._more.wait()
            await self._clock.sleep(self._gather_s)
            await self.flush()

    async def flush(self, step: int | None = None) -> None:
        """Publish everything that waits, in order; with a step also when that is nothing. Returns when Redis has it."""
        async with self._turn:
            self._more.clear()
            ticks, self._waiting = tuple(self._waiting), []
            if ticks or step is not None:
                await self._write(TickBatch(ticks=ticks, step=step))

    async def _write(self, batch: TickBatch) -> None:
        failures = 0
        while True:
            try:
                await self._writer.write(batch, self._status())
            except (RedisError, OSError) as error:
                failures += 1
                if failures == 1:
                    logger.warning("ticks wait: Redis is away (%s)", type(error).__name__)
                await self._clock.sleep(RETRY.wait_s(failures, random.random()))  # noqa: S311 (jitter)
            else:
                return
