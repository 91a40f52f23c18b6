"""Which process holds a file, written so exactly that nobody is ever mistaken for it; and its end.

A process is its pid, the tick at which it was started, the boot, the machine and the pid namespace. A pid that was
given to another process meanwhile has another start (Linux: proc(5), /proc/PID/stat field 22).
"""

import json
import os
import select
import signal
import socket
from dataclasses import asdict, dataclass
from pathlib import Path

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
KILL_TAKES_MS = 2000


@dataclass(frozen=True, slots=True)
class ProcessMark:
    """One process of one boot of one machine. `name` is for people. `started` is clock ticks since the boot."""

    name: str
    pid: int
    started: int
    boot: str
    host: str
    namespace: str

    @classmethod
    def of_this_process(cls, name: str) -> "ProcessMark":
        """Describe the process that asks. What the system does not tell stays empty."""
        pid = os.getpid()
        return cls(name, pid, start_of(pid) or 0, _boot_id(), socket.gethostname(), _namespace())

    @classmethod
    def from_text(cls, text: str) -> "ProcessMark | None":
        """Read a mark; None for what is none, as a file that somebody is just writing."""
        try:
            return cls(**json.loads(text))
        except (ValueError, TypeError):
            return None

    def text(self) -> str:
        """Give the mark as one line."""
        return json.dumps(asdict(self))

    def __str__(self) -> str:
        return f"{self.name} (pid {self.pid} on {self.host})"


def why_not_killable(mark: ProcessMark | None, me: ProcessMark) -> str:
    """Say why a process may not be killed by this one; empty when it may."""
    if mark is None:
        return "its lock file names nobody"
    if not (mark.boot and mark.started and hasattr(os, "pidfd_open")):
        return "this system does not tell processes apart surely enough"
    if (mark.boot, mark.host, mark.namespace) != (me.boot, me.host, me.namespace):
        return f"{mark} runs on another machine or in another container"
    return f"{mark} is this very process" if mark.pid == me.pid else ""


def kill_exactly(mark: ProcessMark) -> str:
    """Kill this process and wait for its end; a process that got its pid later is left alone.

    Gives "" when it is gone, else why not. Call it only where `why_not_killable` says nothing. The pidfd pins whoever
    has the pid now; only then its start is compared, so that nobody can come in between.
    """
    try:
        handle = os.pidfd_open(mark.pid)
    except ProcessLookupError:
        return ""
    except OSError as error:
        return f"{mark} cannot be reached: {error}"
    try:
        if start_of(mark.pid) != mark.started:
            return ""
        signal.pidfd_send_signal(handle, signal.SIGKILL)
        ended = select.poll()
        ended.register(handle, select.POLLIN)
        return "" if ended.poll(KILL_TAKES_MS) else f"{mark} was killed and has not ended"
    except ProcessLookupError:
        return ""
    except PermissionError:
        return f"{mark} belongs to another user"
    finally:
        os.close(handle)


def start_of(pid: int) -> int | None:
    """Give the clock ticks since the boot at which a process was started; None when there is none, or nobody tells."""
    try:
        words = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    return int(words.rpartition(")")[2].split()[19])  # the name may hold anything, also spaces and brackets


def _boot_id() -> str:
    try:
        return BOOT_ID.read_text().strip()
    except OSError:
        return ""


def _namespace() -> str:
    try:
        return str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return ""
