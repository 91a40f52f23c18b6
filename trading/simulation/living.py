"""One engine process of a simulated day, and what it has of its machine: ticks, lock files, the sign of life."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

from trading.domain.ticks import Tick
from trading.engine import EngineDeps
from trading.engine.runtime import Engine
from trading.ports import Clock, PulseView, TickBatch
from trading.simulation.memory_files import MemoryLocks, MemoryMachine, MemoryPulse
from trading.simulation.process import Life

LETS_GO_WITHIN_S, LOOKS_EVERY_S = 2.0, 0.1
"""Wire seconds that a holder of an account's lock gets to notice that it lost the lease."""


class LivingFeed:
    """The ticks as one process reads them. `newest` holds what it was given, by token."""

    def __init__(self, life: Life, open_line: Callable[[], AsyncIterator[list[Tick]]]) -> None:
        self._life = life
        self._open_line = open_line
        self.newest: dict[int, Tick] = {}
        self.seen: set[tuple[int, int, int]] = set()
        """(token, price, time stamp) of every tick given."""

    async def batches(self) -> AsyncIterator[TickBatch]:
        """Yield batches for ever."""
        async for ticks in self._open_line():
            await self._life.hears()
            for tick in ticks:
                self.newest[tick.token] = tick
                self.seen.add((tick.token, tick.ltp, tick.exchange_ts))
            yield TickBatch(tuple(ticks))


class LivingLocks(MemoryLocks):
    """One process's account locks: whoever lost the lease gets a moment to let go, and is killed after it."""

    def __init__(self, machine: MemoryMachine, life: Life, clock: Clock) -> None:
        super().__init__(machine)
        self._life = life
        self._clock = clock

    async def take(self, account_key: str, *, ousts: bool) -> str:
        """Take the lock, with `ousts` from whoever lost the lease."""
        until = self._clock.monotonic() + LETS_GO_WITHIN_S
        while ousts and self._is_taken(account_key) and self._clock.monotonic() < until:
            await self._clock.sleep(LOOKS_EVERY_S)
        return await super().take(account_key, ousts=ousts)

    @property
    def name(self) -> str:
        """Name the process."""
        return self._life.name

    def _is_taken(self, account_key: str) -> bool:
        owner = self._machine.owners.get(account_key)
        return owner is not None and owner is not self and not owner.is_dead

    def die(self) -> None:
        """End, with the process: the kernel frees the locks."""
        super().die()
        self._life.die()


class LivingPulse(MemoryPulse):
    """The sign of life as one process leaves and sees it: who stands still leaves none."""

    def __init__(self, machine: MemoryMachine, life: Life) -> None:
        super().__init__(machine)
        self._life = life

    async def beat(self, shard: str, holder: str, epoch: int) -> None:
        """Leave a sign of life."""
        await self._life.hears()
        await super().beat(shard, holder, epoch)

    async def look(self, shard: str) -> PulseView | None:
        """Give the newest one."""
        await self._life.hears()
        return await super().look(shard)


class EngineProcess:
    """A running engine and its life."""

    def __init__(self, deps: EngineDeps, life: Life, feed: LivingFeed, *, standby: bool) -> None:
        self.life = life
        self.feed = feed
        self.is_standby = standby
        self.awake_since = deps.clock.monotonic()
        """When it was started, or last went on after a standstill, wire seconds."""
        self.stays_away = 0
        """Steps of the day for which nobody starts it anew once it is dead."""
        self.holds_store = False
        """True while it stands still in the middle of a transaction, and keeps the database from everybody."""
        self.engine = Engine(deps, standby=standby)
        self._task = asyncio.create_task(self.engine.run())

    def bury(self) -> None:
        """Take a dead process's tasks away without letting it do anything more."""
        self.life.die()
        doomed: list[asyncio.Task[Any]] = [self._task, *self.engine._tasks]
        for session in (self.engine.session, self.engine._starting):
            if session is not None:
                doomed += list(session.tools.work._tasks)
        for task in doomed:
            task.cancel()

    async def stop(self) -> None:
        """Stop cleanly."""
        self.life.go_on()
        await self.engine.stop()
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
