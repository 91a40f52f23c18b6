"""What an account's two sockets share: whose they are, when one is dead, and how long to wait before the next."""

import random
from dataclasses import dataclass, field

from trading.domain.backoff import Backoff

CONNECT_WITHIN_S = 10.0
SILENT_AFTER_S = 10.0
"""Kite sends a one-byte heartbeat every few seconds; a socket without any frame for so long is dead."""
STABLE_AFTER_S = 15.0
"""A connection that lasted so long counts as good: the next wait is the shortest again."""


@dataclass(frozen=True, slots=True)
class SocketLogin:
    """One account's way in. `account` is the stable key for names and logs, `access_token` a secret."""

    account: str
    api_key: str
    access_token: str = field(repr=False)
    ws_root: str


@dataclass(slots=True)
class Redial:
    """Counts connections that did not last. All times are wire seconds."""

    backoff: Backoff = field(default_factory=Backoff)
    failures: int = 0

    def wait_s(self, lasted_s: float) -> float:
        """Give how long to wait after a connection that lasted so long."""
        self.failures = 1 if lasted_s >= STABLE_AFTER_S else self.failures + 1
        return self.backoff.wait_s(self.failures, random.random())  # noqa: S311 (jitter)
