"""Both kinds of time under a test's hand: nothing waits for real."""

import asyncio
import heapq
from datetime import UTC, datetime, time, timedelta
from typing import Any

from trading.domain.timezone import at_ist, ist_day

SPINS = 40
"""Turns of the event loop after which everything that can go on without time has gone on."""


async def let_run(spins: int = SPINS) -> None:
    """Let every task go on as far as it can without time passing, for so many turns of the loop at most.

    The loop says by its queue that nobody is left who could: turning on would change nothing, and cost most of a test.
    """
    loop: Any = asyncio.get_running_loop()
    for _ in range(spins):
        await asyncio.sleep(0)
        if not loop._ready:
            return


class VirtualClock:
    """Market time is set; wire time moves by `pass_wire`, waking sleepers one after the other."""

    def __init__(self, now: datetime) -> None:
        self._now = now.astimezone(UTC)
        self._wire = 1000.0
        self._count = 0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._waiters: list[tuple[datetime, int, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        return self._now

    def wall(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self._wire)

    def monotonic(self) -> float:
        return self._wire

    async def sleep(self, seconds: float) -> None:
        await self._wait(self._sleepers, self._wire + max(0.0, seconds))

    async def sleep_until(self, moment: datetime) -> None:
        if moment > self._now:
            await self._wait(self._waiters, moment)

    async def pass_wire(self, seconds: float) -> None:
        """Let wire time pass; everything that wakes meanwhile goes on as far as it can."""
        until = self._wire + seconds
        await let_run()
        while self._sleepers and self._sleepers[0][0] <= until:
            self._wire = max(self._wire, self._sleepers[0][0])
            while self._sleepers and self._sleepers[0][0] <= self._wire:
                _wake(heapq.heappop(self._sleepers)[2])
            await let_run()
        self._wire = until

    def set(self, now: datetime) -> None:
        """Move market time to a moment."""
        self._now = now.astimezone(UTC)
        while self._waiters and self._waiters[0][0] <= self._now:
            _wake(heapq.heappop(self._waiters)[2])

    def set_ist(self, hhmmss: str) -> None:
        """Move market time to a time of the present day in India."""
        self.set(at_ist(ist_day(self._now), time.fromisoformat(hhmmss)))

    async def _wait(self, heap: list[Any], due: float | datetime) -> None:
        self._count += 1
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(heap, (due, self._count, future))
        await future


def _wake(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)
