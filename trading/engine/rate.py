"""How many order calls an account may make: place and cancel together, in wire time.

Below the broker's own limits of 10 a second and 400 a minute (docs: protocol/kite, section 6); a part is kept
back for exits and cancels, so that entries can never use it up.
"""

from collections import deque
from dataclasses import dataclass, field

PER_SECOND = 8
PER_MINUTE = 300
KEPT_PER_SECOND = 2
KEPT_PER_MINUTE = 60


@dataclass(slots=True)
class RateBudget:
    """Counts the calls of one account over the last second and minute."""

    _sent: deque[float] = field(default_factory=deque)

    def wait_s(self, now: float, *, is_entry: bool) -> float:
        """Give the wire seconds until the next call may leave; 0 means now."""
        while self._sent and now - self._sent[0] >= 60.0:
            self._sent.popleft()
        per_second = PER_SECOND - (KEPT_PER_SECOND if is_entry else 0)
        per_minute = PER_MINUTE - (KEPT_PER_MINUTE if is_entry else 0)
        return max(0.0, self._free_at(per_second, 1.0) - now, self._free_at(per_minute, 60.0) - now)

    def spend(self, now: float) -> None:
        """Count one call."""
        self._sent.append(now)

    def _free_at(self, most: int, window_s: float) -> float:
        return self._sent[-most] + window_s if len(self._sent) >= most else 0.0
