"""What the engine left out of the feed today, for the status page. See engine/feed_health.py."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
import redis

from trading.domain.timezone import ist_day
from trading.marketdata import keys
from trading.services import wiring

REASONS = {
    "NO_PRICE": "without a price",
    "OLD": "older than the one before",
    "FUTURE": "from the future",
    "DUPLICATE": "the same packet again",
    "JUMP": "jumped and were not confirmed",
}


@dataclass(frozen=True, slots=True)
class LeftOutRow:
    """One instrument: packets taken and left out; `words` say why, `waits` that a jump waits for a second word,
    `is_sick` that lately more was odd than a healthy feed brings."""

    instrument: str
    taken: int
    count: int
    words: str
    waits: bool
    is_sick: bool


@dataclass(frozen=True, slots=True)
class LeftOut:
    """The house: counts since a time of today (text, IST), how many instruments wait for a second word and how many are
    sick, reasons in words, the worst instruments."""

    since: str
    taken: int
    count: int
    waiting: int
    sick: int
    words: str
    worst: tuple[LeftOutRow, ...]


def feed_health(market_now: datetime | None) -> LeftOut | None:
    """Read what the engine said last; None when it said nothing today or Redis is away."""
    try:
        raw = wiring.redis_client().get(keys.FEED_HEALTH)
        told = msgspec.json.decode(raw) if isinstance(raw, bytes | str) else None
    except (redis.RedisError, OSError, msgspec.DecodeError):
        return None
    if told is None or market_now is None or told["day"] != ist_day(market_now).isoformat():
        return None
    rows = tuple(_row(one) for one in told["worst"])
    count = sum(told["reasons"].values())
    words = reason_words(told["reasons"])
    return LeftOut(told["since"], told["taken"], count, told["waiting"], told["sick"], words, rows)


def packet_words(found: LeftOut | None) -> tuple[str, str]:
    """Give kind (ok or warn) and a sentence."""
    if found is None:
        return "ok", "nothing was counted yet today"
    if not found.count:
        return "ok", f"{found.taken:,} taken since {found.since}, none left out"
    told = [f"{found.count:,} left out beside {found.taken:,} taken since {found.since}: {found.words}"]
    if found.waiting:
        told.append(f"{found.waiting} wait for a second word now")
    if found.sick:
        told.append(f"{found.sick} instrument{'s' if found.sick > 1 else ''} with more than a healthy feed brings")
    return ("warn" if found.sick or found.waiting else "ok"), "; ".join(told)


def reason_words(reasons: Mapping[str, int]) -> str:
    """Say counts by reason, the most first."""
    ordered = sorted(reasons.items(), key=lambda entry: -entry[1])
    return ", ".join(f"{count:,} {REASONS.get(name, name.lower())}" for name, count in ordered)


def _row(told: Mapping[str, Any]) -> LeftOutRow:
    words = reason_words(told["reasons"])
    return LeftOutRow(told["instrument"], told["taken"], told["count"], words, told["waits"], told["sick"])
