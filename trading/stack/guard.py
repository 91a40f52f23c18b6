"""Ends the children of a supervisor that died without ending them. Standard library only.

Reads `+PID` and `-PID` lines (a process group led by PID began, ended) from standard input. The input
ends when the supervisor ends, also by kill -9: whatever is still noted then gets SIGTERM, in the order
noted last first, and after a few seconds SIGKILL.
"""

import os
import signal
import sys
import time
from contextlib import suppress

GRACE_S = 4.0
POLL_S = 0.1


def main() -> None:
    """Follow the supervisor until it is gone, then clean up behind it."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # only the end of the input ends it
    groups: list[int] = []
    for line in sys.stdin:
        pid = int(line[1:])
        if line.startswith("+"):
            groups.append(pid)
        elif pid in groups:
            groups.remove(pid)
    end_groups(list(reversed(groups)))


def end_groups(groups: list[int]) -> None:
    """Ask every group to end, and end those by force that have not done so after GRACE_S."""
    for pid in groups:
        _signal(pid, signal.SIGTERM)
    deadline = time.monotonic() + GRACE_S
    while time.monotonic() < deadline and any(_signal(pid, 0) for pid in groups):
        time.sleep(POLL_S)
    for pid in groups:
        _signal(pid, signal.SIGKILL)


def _signal(group: int, number: int) -> bool:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)
        return True
    return False


if __name__ == "__main__":
    main()
