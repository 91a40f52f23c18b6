"""A clock whose wall and wire time stand until a test lets them pass, for synchronous code."""

from datetime import datetime, timedelta

from tests.fakes.clock import FakeClock


class WireClock(FakeClock):
    """Market, wall and wire time move together by `pass_`, the wall alone by `set_wall_back`."""

    def __init__(self, now: datetime) -> None:
        super().__init__(now)
        self._wall = now
        self._wire = 5000.0

    def wall(self) -> datetime:
        return self._wall

    def monotonic(self) -> float:
        return self._wire

    def pass_(self, seconds: float) -> None:
        """Let time pass."""
        self._wire += seconds
        self._wall += timedelta(seconds=seconds)
        self.advance(seconds=seconds)

    def step_wall(self, seconds: float) -> None:
        """Set the wall clock forward, or back."""
        self._wall += timedelta(seconds=seconds)
