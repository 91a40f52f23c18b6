"""Time that does not pass: the event loop jumps to its next timer as soon as nothing is left to do."""

import asyncio
import heapq
from asyncio.base_events import BaseEventLoop
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context, copy_context
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar, TypeVarTuple

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

WIRE_BEGINS_S = 1000.0
WALL_BEGINS = datetime(2026, 1, 1, tzinfo=UTC)
SAME_MOMENT_S = 1e-9
"""Timers that are so near to each other are due together, as on a machine's clock."""
MANY_TIMERS = 100
"""With more than so many, half of them cancelled, the cancelled ones are thrown away."""


class Stalled(RuntimeError):
    """Every task waits for something that no timer will bring."""


class _Handle:
    """What is to be called: `asyncio.Handle` without what debugging needs."""

    __slots__ = ("args", "callback", "context", "is_cancelled")

    def __init__(self, callback: Callable[..., object], args: tuple[Any, ...], context: Context | None) -> None:
        self.callback = callback
        self.args = args
        self.context = copy_context() if context is None else context
        self.is_cancelled = False

    def cancel(self) -> None:
        """Call nothing, and let go of what would have been called."""
        self.is_cancelled = True
        self.callback, self.args = _nothing, ()

    def cancelled(self) -> bool:
        """True once `cancel` was called."""
        return self.is_cancelled


class _Timer(_Handle):
    """`loop` is where it waits, None once it does not. Those of one moment are told apart by nothing, as asyncio's."""

    __slots__ = ("loop",)

    loop: "VirtualLoop | None"

    def __lt__(self, other: object) -> bool:
        return False

    def cancel(self) -> None:
        """Call nothing; it is thrown away later."""
        if self.loop is not None and not self.is_cancelled:
            self.loop.cancelled += 1
        super().cancel()


def _nothing() -> None:
    """Stand for what was cancelled."""


class VirtualLoop(BaseEventLoop):
    """An event loop for what needs neither threads nor sockets. The same work takes the same way every time.

    It takes asyncio's own turns, the same in the same order, and looks for nothing that comes from outside.
    """

    _stopping: bool
    """Set by `stop`, of the base class."""

    def __init__(self) -> None:
        super().__init__()
        self.cancelled = 0
        """Cancelled timers that are not thrown away yet."""
        self._passed_s = 0.0
        self._soon: deque[_Handle] = deque()
        self._timers: list[tuple[float, _Timer]] = []

    def time(self) -> float:
        """Give virtual seconds since the loop was made."""
        return self._passed_s

    def call_soon(self, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None) -> Any:
        """Call in the next turn."""
        handle = _Handle(callback, args, context)
        self._soon.append(handle)
        return handle

    def call_soon_threadsafe(
        self, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> Any:
        """Call in the next turn: there is one thread, and the loop that a signal would wake never sleeps."""
        return self.call_soon(callback, *args, context=context)

    def call_later(
        self, delay: float, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> Any:
        """Call after so many virtual seconds."""
        return self.call_at(self._passed_s + delay, callback, *args, context=context)

    def call_at(
        self, when: float, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> Any:
        """Call at a moment of virtual time."""
        timer = _Timer(callback, args, context)
        timer.loop = self
        heapq.heappush(self._timers, (when, timer))
        return timer

    def _run_once(self) -> None:
        """Take turns until somebody stops the loop. Raises Stalled."""
        soon = self._soon
        while True:
            self._throw_away_cancelled()
            if not soon and not self._stopping:
                if not self._timers:
                    raise Stalled("every task waits, and no timer is set")
                self._passed_s += max(0.0, self._timers[0][0] - self._passed_s)
            due_before_s = self._passed_s + SAME_MOMENT_S
            while self._timers and self._timers[0][0] < due_before_s:
                soon.append(self._taken())
            for _ in range(len(soon)):
                handle = soon.popleft()
                if handle.is_cancelled:
                    continue
                try:
                    handle.context.run(handle.callback, *handle.args)
                except (SystemExit, KeyboardInterrupt):
                    raise
                except BaseException as error:  # asyncio's own loop tells its handler of these, too
                    self.call_exception_handler({"message": f"{handle.callback!r} failed", "exception": error})
            if self._stopping:
                return

    def _throw_away_cancelled(self) -> None:
        timers = self._timers
        if len(timers) > MANY_TIMERS and self.cancelled * 2 > len(timers):
            for _, timer in timers:
                if timer.is_cancelled:
                    timer.loop = None
            self._timers = [each for each in timers if each[1].loop is not None]
            heapq.heapify(self._timers)
            self.cancelled = 0
            return
        while timers and timers[0][1].is_cancelled:
            self._taken()
            self.cancelled -= 1

    def _taken(self) -> _Timer:
        """Take the next timer away."""
        timer = heapq.heappop(self._timers)[1]
        timer.loop = None
        return timer


def run_virtually(main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine to its end on a loop of its own, and take away whatever it left running."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main())


class SimClock:
    """Implements `ports.Clock`: wire time is the loop's, market time stands until `set` moves it."""

    def __init__(self, now: datetime) -> None:
        self._now = now.astimezone(UTC)
        self.now_ms = int(self._now.timestamp() * 1000)
        """Market time as the exchange counts it: milliseconds since 1970."""
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

    def sleep(self, seconds: float) -> Coroutine[Any, Any, None]:
        """Sleep wire seconds."""
        return asyncio.sleep(max(0.0, seconds))

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
        self.now_ms = int(self._now.timestamp() * 1000)
        while self._waiters and self._waiters[0][0] <= self._now:
            waiter = heapq.heappop(self._waiters)[2]
            if not waiter.done():
                waiter.set_result(None)
