"""A limit of requests in a sliding window, kept in this process: it works while Redis is away."""

import math
from collections import OrderedDict, deque
from threading import Lock

MOST_KEYS = 10_000


class Throttle:
    """At most `most` requests a key in `window_s` wire seconds. With n web processes up to n times as many."""

    def __init__(self, most: int, window_s: float) -> None:
        self._most, self._window_s = most, window_s
        self._seen: OrderedDict[str, deque[float]] = OrderedDict()
        self._lock = Lock()

    def wait_s(self, key: str, now: float) -> int:
        """Count one request: 0 when it may pass, else whole seconds until one may."""
        with self._lock:
            times = self._seen.setdefault(key, deque())
            self._seen.move_to_end(key)
            while len(self._seen) > MOST_KEYS:
                self._seen.popitem(last=False)
            while times and times[0] <= now - self._window_s:
                times.popleft()
            if len(times) >= self._most:
                return max(1, math.ceil(times[0] + self._window_s - now))
            times.append(now)
            return 0

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._seen.clear()
