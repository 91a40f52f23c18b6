"""How long an order takes today, from its decision to its last fill: a running measure for the square-off's plan."""

from collections import deque
from datetime import datetime, timedelta

from trading.domain.orders import OrderStatus
from trading.engine.orders import Working

KEPT = 50
LEAST, MOST = timedelta(seconds=2), timedelta(seconds=30)
"""What is assumed without a measure, and the most that one slow morning may bring the square-off forward."""


class RoundTrips:
    """The last completed orders of this engine, in market time. Restored orders were not seen and do not count."""

    def __init__(self) -> None:
        self._taken: deque[timedelta] = deque(maxlen=KEPT)
        self._counted: set[str] = set()

    def note(self, working: Working, now: datetime) -> None:
        """Take in an order that changed; only its completion counts, once."""
        order = working.order
        if order is None or order.status is not OrderStatus.COMPLETE or working.tag in self._counted:
            return
        self._counted.add(working.tag)
        self.add(now - working.decided_at)

    def add(self, took: timedelta) -> None:
        """Count one measure."""
        self._taken.append(took)

    @property
    def slow(self) -> timedelta:
        """Give what nine of ten orders stay within, between LEAST and MOST."""
        if not self._taken:
            return LEAST
        ordered = sorted(self._taken)
        return min(max(ordered[len(ordered) * 9 // 10], LEAST), MOST)
