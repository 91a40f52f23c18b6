"""Named moments at which a test kills this process as `kill -9` would."""

import os

CRASH_EXIT_CODE = 137
POINTS = frozenset(
    {
        *("before_lock", "lock_taken"),
        *("after_intent_commit", "after_claim", "after_send", "before_ack_commit", "after_fill_commit"),
    }
)


def crash_at(point: str) -> None:
    """End the process on the spot when ALGO_CRASH_AT names `point`; otherwise do nothing."""
    if point not in POINTS:
        raise ValueError(f"crash point was {point!r}")
    if os.environ.get("ALGO_CRASH_AT") == point:
        os._exit(CRASH_EXIT_CODE)
