"""Named moments at which a test kills this process as `kill -9` would."""

import os
from collections.abc import Callable
from pathlib import Path

CRASH_EXIT_CODE = 137
POINTS = frozenset(
    {
        *("lease_taken", "before_lock", "lock_taken"),
        *("before_intent_commit", "after_intent_commit", "before_claim", "after_claim"),
        *("after_send", "before_ack_commit", "after_fill_commit", "cancel_sent", "change_sent", "kill_half_way"),
        *("before_journal", "journal_synced", "journal_answered", "journal_imported"),
    }
)
end_process: Callable[[int], object] = os._exit


def crash_at(point: str) -> None:
    """End the process on the spot when ALGO_CRASH_AT, or the file of ALGO_CRASH_FILE, names `point`.

    The file is taken away first, so that the process that is started in its place lives on.
    """
    if point not in POINTS:
        raise ValueError(f"crash point was {point!r}")
    if os.environ.get("ALGO_CRASH_AT") == point or _is_in_the_file(point):
        end_process(CRASH_EXIT_CODE)


def _is_in_the_file(point: str) -> bool:
    name = os.environ.get("ALGO_CRASH_FILE")
    if not name:
        return False
    file = Path(name)
    try:
        if file.read_text().strip() != point:
            return False
        file.unlink()
    except FileNotFoundError:
        return False
    return True
