"""Runs a command that dies with its supervisor: `python bound.py PID COMMAND ...`. Standard library only.

On Linux the kernel sends SIGTERM when the supervisor is gone, however it ended. Elsewhere, and for what
such a child leaves behind, the guard does the same (guard.py).
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # linux/prctl.h


def main() -> None:
    """Tie this process to its parent and become the command."""
    supervisor, command = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != supervisor:
        sys.exit(f"the supervisor {supervisor} was gone before {command[0]} started")
    os.execvp(command[0], command)  # noqa: S606 (no shell is wanted)


if __name__ == "__main__":
    main()
