"""A real `run_stack` in a state directory of its own, driven through what a user has: commands and the control port."""

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

ROOT = Path(__file__).resolve().parents[2]
START_WITHIN_S = 300.0
DAY_WITHIN_S = 1800.0
"""As all limits of tests that wait for processes: far more than it takes, for machines of a third of the speed. A wait
ends when its thing happens."""
ANSWERS_WITHIN_S = 60.0
COMMAND_WITHIN_S = 240.0
STOPS_WITHIN_S = 60.0
COMPLAINTS = (" ERROR ", " CRITICAL ", "Traceback (most recent call last)")


def free_port() -> int:
    """Give a loopback port that nobody has just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class RunningStack:
    """Use as a context manager. What it logged is in `log` whatever happens.

    `servers` are DATABASE_URL and REDIS_URL of servers of the test's own; without them the stack brings both.
    """

    def __init__(self, state_dir: Path, *options: str, servers: Mapping[str, str] | None = None) -> None:
        self.state_dir = state_dir
        self.log = state_dir.parent / f"{state_dir.name}.log"
        self._servers = dict(servers or {})
        self._options = ("--port", str(free_port()), *options)
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "RunningStack":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start it and return when pages and clock can be asked."""
        command = [sys.executable, "manage.py", "run_stack", "--state-dir", str(self.state_dir), *self._options]
        environment = {name: value for name, value in os.environ.items() if name not in ("REDIS_URL", "DATABASE_URL")}
        environment.pop("DJANGO_SETTINGS_MODULE", None)
        environment.update(self._servers)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
                start_new_session=True,
            )
        self.until(lambda: bool(self.view().get("sign_in")), START_WITHIN_S, "the stack to start")

    def stop(self) -> int:
        """Ask it to end, as Ctrl-C does, and give its exit code."""
        if self._process is None:
            return 0
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(timeout=STOPS_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise AssertionError(f"the stack did not stop in {STOPS_WITHIN_S:g} s\n{self.tail()}") from None

    def view(self) -> dict[str, Any]:
        """Give run/stack.json, empty while there is none."""
        try:
            view: dict[str, Any] = json.loads((self.state_dir / "run" / "stack.json").read_text())
        except (FileNotFoundError, ValueError):
            return {}
        return view

    def pid_of(self, name: str) -> int:
        """Give the process id of one of its processes."""
        return int(next(one["pid"] for one in self.view()["processes"] if one["name"] == name))

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a management command against this stack."""
        command = [sys.executable, "manage.py", *words, "--state-dir", str(self.state_dir)]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=COMMAND_WITHIN_S, check=False)

    def manage(self, *words: str) -> str:
        """Run a management command in this stack's environment and give what it printed."""
        command = [sys.executable, "manage.py", *words]
        environment = {**os.environ, **self.view()["environment"], "DJANGO_SETTINGS_MODULE": "algosystem.settings"}
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=COMMAND_WITHIN_S, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def summary(self) -> dict[str, Any]:
        """Give `stack summary --json`."""
        done = self.command("stack", "summary", "--json")
        assert done.returncode == 0, done.stderr + self.tail()
        summary: dict[str, Any] = json.loads(done.stdout)
        return summary

    def control(self, path: str, body: object | None = None, method: str | None = None) -> Any:
        """Ask the exchange's control port."""
        url = self.view()["environment"]["ALGO_CONTROL_URL"] + path
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(  # noqa: S310 (the stack's own address)
            url,
            data=data,
            method=method or ("GET" if body is None else "POST"),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=ANSWERS_WITHIN_S) as reply:  # noqa: S310
            return json.load(reply)

    def run_until(self, moment: str) -> None:
        """Let the market go on to HH:MM:SS and stand there."""
        self.control("/clock", {"run_until": moment})
        self.until(lambda: self.control("/clock")["held"], DAY_WITHIN_S, f"the market to reach {moment}")

    def run_to_the_end(self) -> None:
        """Let the market go on until its day is over."""
        self.control("/clock", {"resume": True})
        self.until(lambda: self.control("/clock")["phase"] == "closed", DAY_WITHIN_S, "the day to end")

    def until(self, holds: Callable[[], bool], seconds: float, what: str) -> None:
        """Wait for something that must become true; fail with the log's end when it does not."""
        deadline = time.monotonic() + seconds
        while not holds():
            if self._process is not None and self._process.poll() is not None:
                raise AssertionError(
                    f"the stack ended with {self._process.returncode} while waiting for {what}\n{self.tail()}"
                )
            if time.monotonic() > deadline:
                raise AssertionError(f"waited {seconds} s for {what}\n{self.tail()}")
            time.sleep(0.1)

    def rows(self, sql: str, *values: object) -> list[dict[str, Any]]:
        """Read the stack's database beside its writers; `?` stands for a value."""
        if "DATABASE_URL" in self._servers:
            with psycopg.connect(self._servers["DATABASE_URL"], row_factory=dict_row) as postgres:
                return postgres.execute(sql.replace("?", "%s").encode(), values).fetchall()
        sqlite = sqlite3.connect(f"file:{self.state_dir / 'db.sqlite3'}?mode=ro", uri=True, timeout=ANSWERS_WITHIN_S)
        sqlite.row_factory = sqlite3.Row
        try:
            return [dict(row) for row in sqlite.execute(sql, values)]
        finally:
            sqlite.close()

    def complaints(self) -> list[str]:
        """Give the lines of the log that a process wrote as an error, or that begin a traceback."""
        lines = self.log.read_text(errors="replace").splitlines()
        return [line for line in lines if any(word in line for word in COMPLAINTS)]

    def tail(self, lines: int = 80) -> str:
        """Give the end of the log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
