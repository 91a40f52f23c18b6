"""Time that does not pass: the event loop jumps to its next timer as soon as nothing is left to do."""

import asyncio
import heapq
import selectors
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

T = TypeVar("T")

WIRE_BEGINS_S = 1000.0
WALL_BEGINS = datetime(2026, 1, 1, tzinfo=UTC)


class Stalled(RuntimeError):
    """Every task waits for something that no timer will bring."""


class _Jump(selectors.SelectSelector):
    """Waits for nobody: where the loop would sleep, its time goes on by as much."""

    jump: Callable[[float], None]

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise Stalled("every task waits, and no timer is set")
        if timeout > 0:
            self.jump(timeout)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop for what needs neither threads nor sockets. The same work takes the same way every time."""

    def __init__(self) -> None:
        self._passed_s = 0.0
        selector = _Jump()
        selector.jump = self._jump
        super().__init__(selector)

    def _jump(self, seconds: float) -> None:
        self._passed_s += seconds

    def time(self) -> float:
        """Give virtual seconds since the loop was made."""
        return self._passed_s


def run_virtually(main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine to its end on a loop of its own, and take away whatever it left running."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main())


class SimClock:
    """Implements `ports.Clock`: wire time is the loop's, market time stands until `set` moves it."""

    def __init__(self, now: datetime) -> None:
        self._now = now.astimezone(UTC)
        self.wall_is_off_s = 0.0
        """How far somebody set the wall clock forward."""
        self._count = 0
        self._waiters: list[tuple[datetime, int, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        """Give market time, aware UTC."""
        return self._now

    def wall(self) -> datetime:
        """Give a wall time that goes on with wire time."""
        return WALL_BEGINS + timedelta(seconds=self.monotonic() + self.wall_is_off_s)

    def monotonic(self) -> float:
        """Give wire seconds."""
        return WIRE_BEGINS_S + asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        """Sleep wire seconds."""
        await asyncio.sleep(max(0.0, seconds))

    async def sleep_until(self, moment: datetime) -> None:
        """Return once market time is at or past `moment`."""
        if moment <= self._now:
            return
        self._count += 1
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiters, (moment, self._count, waiter))
        await waiter

    def set(self, now: datetime) -> None:
        """Move market time on, and wake who waited for it."""
        self._now = now.astimezone(UTC)
        while self._waiters and self._waiters[0][0] <= self._now:
            waiter = heapq.heappop(self._waiters)[2]
            if not waiter.done():
                waiter.set_result(None)
