"""What is going on right now: so that the market, where it waits, waits for all of it and for nothing else."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from trading.domain.errors import StoreUnavailable
from trading.ports import Clock

logger = logging.getLogger(__name__)

T = TypeVar("T")

LOOKS = 6
"""Turns of the event loop that must stay idle before work counts as settled: a woken task needs a turn to begin."""


async def first_of(*waits: Coroutine[Any, Any, None]) -> None:
    """Return when the first of several waits is over; the others are cancelled."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()


async def within(clock: Clock, seconds: float, asked: Awaitable[T]) -> T:
    """Give an answer of the database, or raise StoreUnavailable when it takes more wire seconds than that.

    What was asked may still be committed later.
    """
    task = asyncio.ensure_future(asked)
    pause = asyncio.ensure_future(clock.sleep(seconds))
    try:
        await asyncio.wait([task, pause], return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise StoreUnavailable(f"the database has not answered for {seconds:g} s")
        return task.result()
    finally:
        task.cancel()
        pause.cancel()


async def happened(event: asyncio.Event) -> None:
    """Return once an event is set."""
    await event.wait()


class Signal:
    """Wakes everybody who waits, each time it is fired."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def fire(self) -> None:
        """Wake those who wait now."""
        event, self._event = self._event, asyncio.Event()
        event.set()

    async def wait(self) -> None:
        """Return at the next firing."""
        await self._event.wait()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Return once `condition` holds; it is looked at after each firing."""
        while not condition():
            await self._event.wait()


class Work:
    """Counts pieces of work under way, and owns the tasks that do them."""

    def __init__(self) -> None:
        self._count = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self.began = Signal()
        self.on_failure: Callable[[str], None] = lambda name: None
        """Told the name of a task that an unexpected error ended."""
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def is_idle(self) -> bool:
        """True while nothing is under way."""
        return self._count == 0

    def begin(self) -> None:
        """Count one more piece of work."""
        self._count += 1
        if self._count == 1:
            self._idle.clear()
            self.began.fire()

    def end(self) -> None:
        """Count one piece less."""
        self._count -= 1
        if self._count == 0:
            self._idle.set()

    @contextmanager
    def doing(self) -> Iterator[None]:
        """Count what happens inside."""
        self.begin()
        try:
            yield
        finally:
            self.end()

    def spawn(self, work: Coroutine[Any, Any, None], name: str, *, counts: bool = True) -> asyncio.Task[None]:
        """Do `work` in a task of its own. An error ends that task alone; it is logged and told."""
        if counts:
            self.begin()
        task = asyncio.create_task(self._guarded(work, name), name=name)
        self._tasks.add(task)

        def done(finished: asyncio.Task[None]) -> None:
            self._tasks.discard(finished)
            if counts:
                self.end()

        task.add_done_callback(done)
        return task

    async def settled(self) -> None:
        """Return once nothing is under way and nothing was about to begin."""
        quiet = 0
        while quiet < LOOKS:
            if not self.is_idle:
                quiet = 0
                await self._idle.wait()
            await asyncio.sleep(0)
            quiet += 1

    async def stop(self, *, but: str | None = None) -> None:
        """Cancel every task, or all but those whose name begins so, and wait for their ends."""
        tasks = [task for task in self._tasks if but is None or not task.get_name().startswith(but)]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def ended(self, name: str) -> None:
        """Return once no task whose name begins so is under way."""
        while tasks := [task for task in self._tasks if task.get_name().startswith(name)]:
            await asyncio.wait(tasks)

    async def _guarded(self, work: Coroutine[Any, Any, None], name: str) -> None:
        try:
            await work
        except Exception:
            logger.exception("the task %s failed", name)
            self.on_failure(name)
