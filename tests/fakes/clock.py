"""A clock that stands until a test moves it."""

import asyncio
from datetime import datetime, time, timedelta

from trading.clock.live import LiveClock
from trading.domain.timezone import at_ist, ist_day


class FakeClock(LiveClock):
    """Market time is what the test says; wall and wire time stay the machine's."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._moved = asyncio.Event()

    def now(self) -> datetime:
        return self._now

    def set(self, now: datetime) -> None:
        """Move market time to a moment."""
        self._now = now
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()

    def set_ist(self, hhmmss: str) -> None:
        """Move market time to a time of the present day in India."""
        self.set(at_ist(ist_day(self._now), time.fromisoformat(hhmmss)))

    def advance(self, **duration: float) -> None:
        """Move market time on by a timedelta's arguments."""
        self.set(self._now + timedelta(**duration))

    async def sleep_until(self, moment: datetime) -> None:
        while self._now < moment:
            await self._moved.wait()
