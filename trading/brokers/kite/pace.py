"""The broker's rate limits for reads, kept on our side. Orders have their budget in the gate."""

import asyncio

from trading.ports import Clock


class Pace:
    """Lets calls pass one after another, at least `every_s` wire seconds apart."""

    def __init__(self, clock: Clock, *, every_s: float) -> None:
        self._clock = clock
        self._every_s = every_s
        self._next = float("-inf")
        self._turn = asyncio.Lock()

    async def wait(self) -> None:
        """Return when the next call may leave."""
        async with self._turn:
            left = self._next - self._clock.monotonic()
            if left > 0:
                await self._clock.sleep(left)
            self._next = self._clock.monotonic() + self._every_s
