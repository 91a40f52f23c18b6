"""`run/stack.json` in the state directory: what runs there, for the status page and the `stack` command.

The supervisor holds `run/stack.lock` as long as it lives, so a file that a killed stack left behind is
never taken for a running one. Standard library only: manage.py reads it before the settings load.
"""

import fcntl
import json
import os
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trading.stores.durable import write_private

LOCK_TRIES = 10
LOCK_PAUSE_S = 0.05


class StackRunning(Exception):
    """Another supervisor holds this state directory."""


@dataclass(frozen=True, slots=True)
class ProcessView:
    """One supervised process; `state` is starting, running, backing_off or stopped."""

    name: str
    state: str
    restarts: int
    pid: int | None = None


@dataclass(frozen=True, slots=True)
class StackView:
    """A running stack. `environment` is what its processes were given to find database, Redis and broker."""

    pid: int
    url: str
    started_at: str
    venue: str
    processes: tuple[ProcessView, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    sign_in: Sequence[Mapping[str, str]] = ()


class StackFile:
    """The two files of one state directory."""

    def __init__(self, state_dir: Path) -> None:
        self._folder = state_dir / "run"
        self.path = self._folder / "stack.json"
        self.lock_path = self._folder / "stack.lock"
        self._lock: int | None = None

    def lock(self) -> None:
        """Claim the state directory for the life of this process. Raises StackRunning."""
        self._folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.lock_path, os.O_RDWR | os.O_CREAT, 0o600)
        for _ in range(LOCK_TRIES):  # somebody who only looks holds it for a moment
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(LOCK_PAUSE_S)
            else:
                self._lock = descriptor
                return
        os.close(descriptor)
        raise StackRunning

    def is_running(self) -> bool:
        """Say whether a living supervisor holds the lock."""
        return is_locked(self.lock_path)

    def write(self, view: StackView, **more: Any) -> None:
        """Replace the file in one move; only its owner can read it, for it holds passwords."""
        content = {
            "pid": view.pid,
            "url": view.url,
            "started_at": view.started_at,
            "venue": view.venue,
            "control_url": view.environment.get("ALGO_CONTROL_URL", ""),
            "redis_url": view.environment.get("REDIS_URL", ""),
            "database": view.environment.get("DATABASE_URL", ""),
            "processes": [_as_dict(process) for process in view.processes],
            "environment": dict(view.environment),
            "sign_in": [dict(person) for person in view.sign_in],
            **more,
        }
        write_private(self.path, json.dumps(content, indent=1))

    def read(self) -> StackView | None:
        """Give the stack that runs here now, None when none does."""
        if not self.is_running():
            return None
        try:
            content = json.loads(self.path.read_text())
            return StackView(
                pid=content["pid"],
                url=content["url"],
                started_at=content["started_at"],
                venue=content["venue"],
                processes=tuple(ProcessView(**process) for process in content["processes"]),
                environment=content["environment"],
                sign_in=content["sign_in"],
            )
        except (OSError, ValueError, KeyError, TypeError):
            return None  # it has only just begun

    def clear(self) -> None:
        """Remove the file; the lock goes with the process."""
        with suppress(FileNotFoundError):
            self.path.unlink()


def is_locked(path: Path) -> bool:
    """Say whether a living process holds the lock file. The lock goes with its process, however that ended."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _as_dict(process: ProcessView) -> dict[str, Any]:
    return {"name": process.name, "state": process.state, "restarts": process.restarts, "pid": process.pid}
