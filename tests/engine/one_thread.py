"""The store as one thread of a database has it: one call after the other, and one of them goes wrong.

A call that nobody waits for any more is not begun; one that was begun is carried out, and the thread is busy for as
long as the database leaves it without an answer, whoever has stopped waiting.
"""

import asyncio
from collections import Counter
from typing import Any

from trading.domain.errors import StoreUnavailable
from trading.ports import Clock

FAILS, STALLS, HANGS = "fails", "stalls", "hangs"
DONE_FAILS, DONE_LATE, DONE_HANGS = "done fails", "done late", "done hangs"
HANGS_S, LATE_S = 20.0, 5.0
"""Wire seconds without an answer: of what hangs, and of what stalls or is late."""
BUSY_S = {STALLS: LATE_S, DONE_LATE: LATE_S, HANGS: HANGS_S, DONE_HANGS: HANGS_S}


class OneThread:
    """Wraps a store. The `nth` call of `name` does as `how` says; with `also` the lease's own thread hangs as long."""

    def __init__(self, clock: Clock, name: str = "", nth: int = 0, how: str = "") -> None:
        self.calls: Counter[str] = Counter()
        self._clock = clock
        self._at = (name, nth)
        self._how = how
        self._busy_until = float("-inf")

    def around(self, inner: Any, *, counts: bool = True) -> Any:
        """Give a port on a thread of its own; `counts` says whether its calls are among those that may go wrong."""
        return _Port(self, inner, asyncio.Lock(), counts=counts)

    @property
    def is_busy(self) -> bool:
        """True while an answer is missing."""
        return self._clock.monotonic() < self._busy_until

    async def ready(self) -> None:
        """Wait for the answer before."""
        if self.is_busy:
            await self._clock.sleep(self._busy_until - self._clock.monotonic())

    async def call(self, name: str, work: Any) -> Any:
        """Carry a call out, or not, and answer, or not."""
        self.calls[name] += 1
        if (name, self.calls[name]) != self._at:
            return await work()
        answer = await work() if self._how.startswith("done") else None
        self._busy_until = self._clock.monotonic() + BUSY_S.get(self._how, 0.0)
        await self.ready()
        if self._how == DONE_LATE:
            return answer
        raise StoreUnavailable(f"{name} was not answered")


class _Port:
    def __init__(self, thread: OneThread, inner: Any, turn: asyncio.Lock, *, counts: bool) -> None:
        self._thread, self._inner, self._turn, self._counts = thread, inner, turn, counts

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._inner, name)
        if not asyncio.iscoroutinefunction(real):
            return real

        async def called(*args: Any, **kwargs: Any) -> Any:
            async with self._turn:
                if not self._counts:
                    return await real(*args, **kwargs)
                await self._thread.ready()
                return await self._thread.call(name, lambda: real(*args, **kwargs))

        return called
