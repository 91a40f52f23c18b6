"""The broker's rate limits for reads, kept on our side. Orders have their budget in the gate."""

import asyncio
from collections import deque

from trading.ports import Clock


class Pace:
    """Lets calls pass one after another, at most `most` within any `every_s` wire seconds."""

    def __init__(self, clock: Clock, *, every_s: float, most: int = 1) -> None:
        self._clock = clock
        self._every_s = every_s
        self._passed: deque[float] = deque(maxlen=most)
        self._turn = asyncio.Lock()

    async def wait(self) -> None:
        """Return when the next call may leave."""
        async with self._turn:
            if len(self._passed) == self._passed.maxlen:
                left = self._passed[0] + self._every_s - self._clock.monotonic()
                if left > 0:
                    await self._clock.sleep(left)
            self._passed.append(self._clock.monotonic())
