"""What the status page says of the engines: who holds the lease, who waits and why, who runs other code."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from trading.models import Heartbeat, Lease
from trading.ports import build_of
from trading.services.build import BUILD_WORD, build_words

WAITS = "waits "
SAYS_SO_WITHIN = timedelta(seconds=20)
"""Wall time: a waiting engine says so every five seconds; an older word is of one that has ended."""


def engine_words(leases: Sequence[Lease], beats: Sequence[Heartbeat], wall: datetime) -> tuple[str, str]:
    """Give kind (ok, warn, bad) and a sentence. `beats` are all parts' signs of life; this process counts as web."""
    held = [lease for lease in leases if lease.holder]
    waiting = [beat.detail for beat in beats if beat.part.startswith(WAITS) and wall - beat.beat_at < SAYS_SO_WITHIN]
    if not held:
        return "bad", ". ".join(["Nobody holds the lease: no orders are sent", *waiting]) + "."
    words = ", ".join(f"{lease.shard} by {lease.holder}, epoch {lease.epoch}" for lease in held)
    others = _of_another_build({build_of(lease.holder) for lease in held} - {""}, beats, wall)
    told = [f"lease {words}", *waiting]
    if others:
        told.append(f"other code than the engine's runs in {', '.join(others)}: start these anew")
    is_odd = others or any("another build" in text or "refuses" in text for text in waiting)
    return ("warn" if is_odd else "ok"), ". ".join(told)


def _of_another_build(builds: set[str], beats: Sequence[Heartbeat], wall: datetime) -> list[str]:
    """Name the parts whose code is not the holder's."""
    said = {beat.part: beat.detail for beat in beats if wall - beat.beat_at < 6 * SAYS_SO_WITHIN}
    said["this page"] = build_words()
    return sorted(
        part
        for part, detail in said.items()
        if builds and detail.startswith(BUILD_WORD) and detail.removeprefix(BUILD_WORD) not in builds
    )
