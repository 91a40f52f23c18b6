"""How many order calls an account may make: place, modify and cancel together, in wire time.

Below the broker's own limits of 10 a second, 400 a minute and 5,000 a day (protocol notes, section 6); a part is
kept back for exits, changes and cancels, so that entries can never use it up.
"""

from collections import deque
from dataclasses import dataclass, field

PER_SECOND = 8
PER_MINUTE = 300
KEPT_PER_SECOND = 2
KEPT_PER_MINUTE = 60
SLOW_FOR_S = 30.0
"""Wire seconds of half the speed after the broker called it too many; its accounts were suspended for storms."""
ENTRIES_PER_DAY = 4000
"""Calls of one day after which no entry leaves; the rest of the broker's 5,000 belongs to exits and cancels."""


@dataclass(slots=True)
class RateBudget:
    """Counts the calls of one account over the last second, the last minute and the day."""

    today: int = 0
    """Calls of this day, with what another life of the engine made."""
    _sent: deque[float] = field(default_factory=deque)
    _slow_until: float = float("-inf")

    def wait_s(self, now: float, *, is_entry: bool) -> float:
        """Give the wire seconds until the next call may leave; 0 means now. Entries wait for the end of a slow time."""
        while self._sent and now - self._sent[0] >= 60.0:
            self._sent.popleft()
        is_slow = now < self._slow_until
        if is_slow and is_entry:
            return self._slow_until - now
        share = 2 if is_slow else 1
        per_second = PER_SECOND // share - (KEPT_PER_SECOND if is_entry else 0)
        per_minute = PER_MINUTE // share - (KEPT_PER_MINUTE if is_entry else 0)
        return max(0.0, self._free_at(per_second, 1.0) - now, self._free_at(per_minute, 60.0) - now)

    @property
    def is_spent(self) -> bool:
        """True once the day has no call left for an entry. Exits and cancels are never held by it."""
        return self.today >= ENTRIES_PER_DAY

    def spend(self, now: float) -> None:
        """Count one call."""
        self._sent.append(now)
        self.today += 1

    def slow_down(self, now: float) -> None:
        """The broker said that there were too many: half the speed for a while, from now."""
        self._slow_until = now + SLOW_FOR_S

    def _free_at(self, most: int, window_s: float) -> float:
        return self._sent[-most] + window_s if len(self._sent) >= most else 0.0
