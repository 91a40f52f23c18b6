"""The wall clock, for live trading and for wire time everywhere."""

import asyncio
import time
from datetime import UTC, datetime

from trading.clock.stepping import step

LOOKS_AGAIN_S = 1.0
"""The wall may be set while somebody waits for a moment of it: 15:10 must not come a minute late."""


class LiveClock:
    """Market time is real time."""

    def now(self) -> datetime:
        """Give market time, aware UTC."""
        return self.wall()

    def wall(self) -> datetime:
        """Give real time, aware UTC."""
        return datetime.now(UTC) + step()

    def monotonic(self) -> float:
        """Give wire time in seconds; only differences mean anything."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Sleep wire seconds."""
        await asyncio.sleep(seconds)

    async def sleep_until(self, moment: datetime) -> None:
        """Return once the wall is at or past `moment`."""
        while (left := (moment - self.now()).total_seconds()) > 0:  # noqa: ASYNC110 (nobody sets an event for the wall)
            await asyncio.sleep(min(left, LOOKS_AGAIN_S))
