"""Market time of the venue: epoch milliseconds inside, naive IST strings on Kite's wire."""

from datetime import UTC, datetime, time, timedelta
from functools import lru_cache

from trading.domain.timezone import IST, at_ist

TOKENS_DIE_AT = time(6, 0)
"""Access tokens are flushed at 06:00 IST of the day after the login."""


def moment_of(at_ms: int) -> datetime:
    """Give an aware IST moment."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(IST)


@lru_cache(maxsize=4096)
def _stamp_of_second(second: int) -> str:
    return datetime.fromtimestamp(second, IST).strftime("%Y-%m-%d %H:%M:%S")


def stamp(at_ms: int) -> str:
    """Show a moment as Kite does: `YYYY-MM-DD HH:MM:SS`, naive IST, exactly 19 characters."""
    return _stamp_of_second(at_ms // 1000)


def next_token_flush_ms(at_ms: int) -> int:
    """Give the first 06:00 IST after a moment, in epoch milliseconds."""
    moment = moment_of(at_ms)
    flush = at_ist(moment.date(), TOKENS_DIE_AT)
    if flush <= moment:
        flush += timedelta(days=1)
    return int(flush.timestamp() * 1000)
