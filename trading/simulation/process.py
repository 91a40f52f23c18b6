"""One engine process of a simulated day: it may die at any of its calls as by kill -9, or stand still and go on.

Everything a process hears of the world comes back through its `Life`: a dead one hears nothing any more, one that was
stopped (SIGSTOP) hears it when it goes on. Nothing else makes its code run.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from datetime import datetime
from functools import partial
from typing import Any

from trading.domain.ticks import Tick
from trading.engine import EngineDeps
from trading.engine.runtime import Engine
from trading.ports import Clock, TickBatch
from trading.simulation.memory_files import MemoryLocks, MemoryMachine

LETS_GO_WITHIN_S, LOOKS_EVERY_S = 2.0, 0.1
"""Wire seconds that a holder of an account's lock gets to notice that it lost the lease."""

Before = Callable[[str], Awaitable[None]]


class Crash:
    """A death that waits for its moment: the `nth` call named `call` (any when empty), before it or after it."""

    def __init__(self, call: str, nth: int, *, after: bool) -> None:
        self.call = call
        self.after = after
        self._left = nth

    def is_due(self, name: str) -> bool:
        """Count one call."""
        if self.call not in ("", name):
            return False
        self._left -= 1
        return self._left <= 0


class Life:
    """Of one process. `on_death` is told once."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.is_dead = False
        self.is_awake = True
        """Neither dead nor stopped."""
        self.crash: Crash | None = None
        self.on_death: Callable[[], None] = lambda: None
        self._runs = asyncio.Event()
        self._runs.set()

    @property
    def is_stopped(self) -> bool:
        """True between `stop` and `go_on`."""
        return not self._runs.is_set()

    def stop(self) -> None:
        """Stand still, as by SIGSTOP."""
        self._runs.clear()
        self.is_awake = False

    def go_on(self) -> None:
        """Go on, as by SIGCONT."""
        self._runs.set()
        self.is_awake = not self.is_dead

    def die(self) -> None:
        """End, as by SIGKILL."""
        if not self.is_dead:
            self.is_dead, self.is_awake = True, False
            self.on_death()

    async def hears(self) -> None:
        """Wait until this process may learn something: for ever once it is dead."""
        while not self.is_awake:
            if self.is_dead:
                await asyncio.Event().wait()
            await self._runs.wait()

    async def call(self, name: str, before: Before | None, work: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        """Carry out one call of this process, or die at it."""
        crash = self.crash if self.crash is not None and self.crash.is_due(name) else None
        if crash is not None and not crash.after:
            self.die()
        if not self.is_awake:
            await self.hears()
        try:
            if before is not None:
                await before(name)
            return await work()
        finally:
            if crash is not None:
                self.die()
            if not self.is_awake:
                await self.hears()


class LivingPort:
    """A port as one process sees it. `asked` is told of each call at the moment at which it is made.

    With `turns` its calls go one after the other, as on a thread of their own.
    """

    def __init__(
        self,
        life: Life,
        inner: Any,
        *,
        before: Before | None = None,
        asked: Callable[..., None] = lambda name, *args, **kwargs: None,
        turns: asyncio.Lock | None = None,
    ) -> None:
        self._life = life
        self._inner = inner
        self._before = before
        self._asked = asked
        self._turns = turns

    def __getattr__(self, name: str) -> Any:
        """Give a method that lives and dies with the process, made once."""
        made = self.__dict__[name] = self._living(name)
        return made

    def _living(self, name: str) -> Any:
        function = getattr(self._inner, name)
        if name == "order_updates":
            return self._updates
        if not asyncio.iscoroutinefunction(function) or name == "close":
            return function

        async def called(*args: Any, **kwargs: Any) -> Any:
            if not self._life.is_dead:
                self._asked(name, *args, **kwargs)
            work = partial(function, *args, **kwargs) if args or kwargs else function
            if self._turns is None:
                return await self._life.call(name, self._before, work)
            async with self._turns:
                return await self._life.call(name, self._before, work)

        return called

    async def _updates(self) -> AsyncIterator[Any]:
        async for update in self._inner.order_updates():
            await self._life.hears()
            yield update


class LivingClock:
    """The clock as one process sees it: it wakes nobody in a process that stands still."""

    def __init__(self, life: Life, clock: Clock) -> None:
        self._life = life
        self._clock = clock
        self.now, self.wall, self.monotonic = clock.now, clock.wall, clock.monotonic

    async def sleep(self, seconds: float) -> None:
        """Sleep wire seconds."""
        await self._clock.sleep(seconds)
        if not self._life.is_awake:
            await self._life.hears()

    async def sleep_until(self, moment: datetime) -> None:
        """Return once market time is at or past `moment`."""
        await self._clock.sleep_until(moment)
        await self._life.hears()


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


class EngineProcess:
    """A running engine and its life."""

    def __init__(self, deps: EngineDeps, life: Life, feed: LivingFeed, *, standby: bool) -> None:
        self.life = life
        self.feed = feed
        self.is_standby = standby
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
