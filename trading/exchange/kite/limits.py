"""Kite's rate limits, per api key, in wire time. Source: protocol notes, section 6."""

from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from trading.exchange.venue import refusals
from trading.exchange.venue.day_counts import DayCounts
from trading.exchange.venue.refusals import Refusal

ORDERS = "orders"
QUOTE = "quote"
HISTORICAL = "historical"
OTHER = "other"
ORDERS_PER_DAY = 5000
GRACE_S = 0.02
"""A client that keeps exactly to the limit is not refused because one packet travelled faster than the last."""


@dataclass(frozen=True, slots=True)
class Window:
    """At most `most` requests in any `seconds`."""

    most: int
    seconds: float


WINDOWS: dict[str, tuple[Window, ...]] = {
    ORDERS: (Window(10, 1), Window(400, 60)),
    QUOTE: (Window(1, 1),),
    HISTORICAL: (Window(3, 1),),
    OTHER: (Window(10, 1),),
}


class RateLimits:
    """Counts what was let through; a refused request is not counted.

    `day_counts` is kept by the venue, so that a restart gives nobody another 5,000.
    """

    def __init__(self, monotonic: Callable[[], float], day_counts: DayCounts) -> None:
        self._monotonic = monotonic
        self._day_counts = day_counts
        self._passed: defaultdict[tuple[str, str], deque[float]] = defaultdict(deque)

    def check(self, bucket: str, api_key: str, day: date) -> None:
        """Count one request of a bucket. Raises Refusal (429, NetworkException) above a limit."""
        now = self._monotonic()
        passed = self._passed[bucket, api_key]
        windows = WINDOWS[bucket]
        longest = max(window.seconds for window in windows)
        while passed and passed[0] <= now - longest + GRACE_S:
            passed.popleft()
        for window in windows:
            if len(passed) >= window.most and passed[-window.most] > now - window.seconds + GRACE_S:
                raise _too_many(refusals.TOO_MANY_REQUESTS)
        if bucket == ORDERS:
            self.count_orders(api_key, day, 1)
        passed.append(now)

    def count_orders(self, api_key: str, day: date, orders: int) -> None:
        """Count orders of the day, all or none: a request's own, or the further legs that it brings along.

        Raises Refusal (429, NetworkException) above the day's limit.
        """
        count = self._day_counts.of(api_key, day) + orders
        if count > ORDERS_PER_DAY:
            raise _too_many(refusals.TOO_MANY_ORDERS)
        self._day_counts.put(api_key, day, count)


def _too_many(message: str) -> Refusal:
    return Refusal(message, error_type="NetworkException", status=429)
