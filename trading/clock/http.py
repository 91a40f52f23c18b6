"""Market time for synchronous processes (pages, Celery tasks, commands): asked for, not followed."""

import json
import urllib.request
from datetime import UTC, datetime
from http.client import HTTPException
from typing import Any

from trading.clock.live import LiveClock
from trading.clock.stepping import step

FRESH_FOR_S = 0.05
TIMEOUT_S = 2.0


class ControlClock(LiveClock):
    """A clock that asks the exchange's control port. Never ask it inside a hot loop.

    An answer is kept for 50 ms of wire time. Raises OSError when the exchange cannot be reached
    and no answer was ever had; otherwise market time stands at the last answer.
    """

    def __init__(self, control_url: str) -> None:
        if not control_url.startswith("http://"):
            raise ValueError(f"control_url must start with http://, was {control_url!r}")
        self._url = f"{control_url.rstrip('/')}/clock"
        self._known: dict[str, Any] | None = None
        self._asked_at = float("-inf")

    def status(self) -> dict[str, Any]:
        """Give the control port's whole answer: now, speed, pace, phase, day, step, participants."""
        if self._known is None or self.monotonic() - self._asked_at > FRESH_FOR_S:
            try:
                with urllib.request.urlopen(self._url, timeout=TIMEOUT_S) as reply:  # noqa: S310 (scheme checked above)
                    self._known = json.load(reply)
            except (OSError, HTTPException, ValueError) as error:  # an exchange that is killed may answer half
                if self._known is None:
                    raise OSError(f"no market time from {self._url}: {error}") from error
            self._asked_at = self.monotonic()
        return self._known

    def now(self) -> datetime:
        """Give market time, aware UTC."""
        return datetime.fromtimestamp(self.status()["epoch_ms"] / 1000, UTC) + step()
