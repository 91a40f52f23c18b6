"""A Procfile runner as the field's are (Foreman, Honcho): each line through the shell, and nothing else."""

import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from tests.days.stack import ROOT

STOPS_WITHIN_S = 60.0
COMMAND_WITHIN_S = 240.0


def lines_of_the_procfile() -> dict[str, str]:
    """Give each process's command line."""
    pairs = (line.split(":", 1) for line in (ROOT / "Procfile").read_text().splitlines() if line.strip())
    return {name.strip(): command.strip() for name, command in pairs}


def bare_environment() -> dict[str, str]:
    """Give what an activated environment has and nothing of ours."""
    kept = {name: os.environ[name] for name in ("HOME", "LANG", "TMPDIR") if name in os.environ}
    return {**kept, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "PYTHONUNBUFFERED": "1"}


class ProcfileRunner:
    """The processes of the Procfile, each logging into a file of its own. `end` leaves none behind."""

    def __init__(self, settings: Mapping[str, str], logs: Path) -> None:
        self.environment = {**bare_environment(), **settings}
        self._lines = lines_of_the_procfile()
        self._logs = logs
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """Give the names of all processes in the Procfile's order."""
        return tuple(self._lines)

    def start(self, name: str) -> None:
        """Start one line; the same name again follows one that has ended."""
        with (self._logs / f"{name}.log").open("ab") as log:
            self._running[name] = subprocess.Popen(
                ["/bin/sh", "-c", self._lines[name]],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self.environment,
                start_new_session=True,
            )

    def run(self, command: str, **more: str) -> str:
        """Run a command in the same environment, as `heroku run` or `honcho run` do; gives what it printed."""
        done = subprocess.run(
            shlex.split(command),
            cwd=ROOT,
            env={**self.environment, **more},
            capture_output=True,
            text=True,
            timeout=COMMAND_WITHIN_S,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def ended(self) -> dict[str, int]:
        """Give those that run no more, with their exit codes."""
        codes = {name: process.poll() for name, process in self._running.items()}
        return {name: code for name, code in codes.items() if code is not None}

    def stop(self) -> set[str]:
        """Signal every process group at once, as a runner does; gives the names of which nothing is left soon."""
        began = time.monotonic()
        for process in self._running.values():
            os.killpg(process.pid, signal.SIGTERM)
        gone: set[str] = set()
        while len(gone) < len(self._running) and time.monotonic() - began < STOPS_WITHIN_S:
            gone |= {name for name, process in self._running.items() if self._is_gone(process)}
            time.sleep(0.02)
        return gone

    @staticmethod
    def _is_gone(process: "subprocess.Popen[bytes]") -> bool:
        process.poll()  # the shell itself ends at once, and before what it runs
        try:
            os.killpg(process.pid, 0)
        except ProcessLookupError:
            return True
        return False

    def end(self) -> None:
        """Kill whatever is left."""
        for process in self._running.values():
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def log(self, name: str) -> str:
        """Give everything a process said."""
        return (self._logs / f"{name}.log").read_text(errors="replace")
