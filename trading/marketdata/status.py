"""What the ticker says about the feed, for badges and the status page."""

from datetime import datetime
from enum import StrEnum

import msgspec


class FeedState(StrEnum):
    """The feed's own state; whether prices are fresh is judged by `FeedStatus.age_s`."""

    WAITING_FOR_LOGIN = "waiting_for_login"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    STOPPED = "stopped"


class FeedStatus(msgspec.Struct, frozen=True):
    """One word of the ticker. `at_ms` is the exchange's time of the newest tick in epoch milliseconds.

    `sentence` says for people what is going on.
    """

    state: FeedState
    account: str = ""
    at_ms: int | None = None
    instruments: int = 0
    connections: int = 0
    sentence: str = ""

    def age_s(self, now: datetime) -> float | None:
        """Give the newest tick's age in market seconds, never negative; None before the first."""
        return None if self.at_ms is None else max(0.0, now.timestamp() - self.at_ms / 1000)


def encode_status(status: FeedStatus) -> bytes:
    """Give the status as JSON."""
    return msgspec.json.encode(status)


def decode_status(text: bytes | str) -> FeedStatus:
    """Read a status. Raises msgspec.DecodeError for text that is none."""
    return msgspec.json.decode(text, type=FeedStatus)
