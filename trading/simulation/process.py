"""The life of one process of a simulated day: it may die at any of its calls as by kill -9, or stand still and go on.

Everything a process hears of the world comes back through its `Life`: a dead one hears nothing any more, one that was
stopped (SIGSTOP) hears it when it goes on. Nothing else makes its code run.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from datetime import datetime
from functools import partial
from typing import Any

from trading.ports import Clock

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
