"""Timers in market time. With a market that waits they are run by its rounds, otherwise by `drive`."""

import asyncio
import heapq
import logging
from collections.abc import Callable, Hashable
from datetime import datetime

from trading.engine.work import first_of, happened
from trading.ports import Clock

logger = logging.getLogger(__name__)

Action = Callable[[], None]


class Timers:
    """At most one timer a key; setting it again replaces it. Timers of one moment run in the order set."""

    def __init__(self) -> None:
        self._heap: list[tuple[datetime, int]] = []
        self._by_number: dict[int, tuple[Hashable, Action]] = {}
        self._by_key: dict[Hashable, int] = {}
        self._next_number = 0
        self._changed = asyncio.Event()
        self.on_failure: Callable[[str], None] = lambda name: None
        """Told the key of a timer whose action failed."""

    def set(self, key: Hashable, at: datetime, action: Action) -> None:
        """Run `action` once market time is at or past `at` (aware)."""
        self.cancel(key)
        self._next_number += 1
        self._by_number[self._next_number] = (key, action)
        self._by_key[key] = self._next_number
        heapq.heappush(self._heap, (at, self._next_number))
        self._changed.set()

    def cancel(self, key: Hashable) -> None:
        """Forget a timer; nothing happens when there is none."""
        number = self._by_key.pop(key, None)
        if number is not None:
            del self._by_number[number]

    def next_due(self) -> datetime | None:
        """Give the moment of the next timer."""
        while self._heap and self._heap[0][1] not in self._by_number:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def run_due(self, now: datetime) -> bool:
        """Run what is due, also what is set meanwhile and due already; says whether anything ran."""
        ran = False
        while (due := self.next_due()) is not None and due <= now:
            _, number = heapq.heappop(self._heap)
            key, action = self._by_number.pop(number)
            del self._by_key[key]
            try:
                action()
            except Exception:
                logger.exception("the timer %s failed", key)
                self.on_failure(f"timer {key}")
            ran = True
        return ran

    async def drive(self, clock: Clock) -> None:
        """Run timers as market time passes, for ever."""
        while True:
            self._changed.clear()  # before looking: what is set from here on ends the wait
            self.run_due(clock.now())
            due = self.next_due()
            if due is None:
                await self._changed.wait()
            else:
                await first_of(happened(self._changed), clock.sleep_until(due))
