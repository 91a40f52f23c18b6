"""One supervised process: started, its lines passed on, started again with back-off, ended with its group."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

FIRST_PAUSE_S = 0.5
STEADY_AFTER_S = 60.0
"""A process that has run this long starts again after the first pause."""
LINE_BYTES = 1 << 20
DRAIN_S = 1.0
BOUND = Path(__file__).with_name("bound.py")
PROJECT = Path(__file__).resolve().parents[2]


class State(StrEnum):
    """What `stack status` and the status page show."""

    STARTING = "starting"
    RUNNING = "running"
    BACKING_OFF = "backing_off"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Program:
    """What to run.

    `first_arguments` are added on the first start only (`--fresh`). `announces`: its first line that begins
    with a brace is for the supervisor and not for the log. `is_kept`: start it again when it ends.
    """

    name: str
    command: tuple[str, ...]
    first_arguments: tuple[str, ...] = ()
    announces: bool = False
    is_kept: bool = True


class StartFailed(Exception):
    """A process ended before it did what others need it for."""


def pause_before(attempt: int, *, longest_s: float = 30.0) -> float:
    """Give the pause before the n-th start in a row (from 1), wire seconds: doubling, at most `longest_s`."""
    return min(FIRST_PAUSE_S * 2.0 ** min(attempt - 1, 16), longest_s)


class Child:
    """A process and its successors. `on_change` is called at every change of `state`, `pid` or `restarts`."""

    def __init__(
        self,
        program: Program,
        environment: Mapping[str, str],
        *,
        on_line: Callable[[str, str], None],
        on_change: Callable[["Child"], None],
        pauses: Callable[[int], float] = pause_before,
    ) -> None:
        self.program = program
        self.state = State.STARTING
        self.restarts = 0
        self.pid: int | None = None
        self.exit_code: int | None = None
        loop = asyncio.get_running_loop()
        self._announced: asyncio.Future[str] = loop.create_future()
        self._ended_once: asyncio.Future[int] = loop.create_future()
        self._environment = dict(environment)
        self._on_line = on_line
        self._on_change = on_change
        self._pauses = pauses
        self._process: asyncio.subprocess.Process | None = None
        self._lines: asyncio.Task[None] | None = None
        self._keeper: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start it; a kept one runs until `stop`."""
        await self._spawn((*self.program.command, *self.program.first_arguments))
        self._keeper = asyncio.create_task(self._keep(), name=f"keep {self.program.name}")

    async def announcement(self) -> str:
        """Wait for its first announced line. Raises StartFailed when it ends before."""
        either: set[asyncio.Future[Any]] = {self._announced, self._ended_once}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if not self._announced.done():
            raise StartFailed(f"{self.program.name} ended with {self._ended_once.result()}")
        return self._announced.result()

    @property
    def has_ended(self) -> bool:
        """True once it ended by itself, whether or not it was started again."""
        return self._ended_once.done()

    async def stop(self, grace_s: float) -> None:
        """End it and everything it started: SIGTERM, and SIGKILL after `grace_s`. Safe to call twice."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.wait({self._keeper})
            self._keeper = None
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            await self._end(process, grace_s)
        self._become(State.STOPPED, pid=None)

    async def _spawn(self, command: Sequence[str]) -> None:
        # A pipe of our own: with asyncio's, `wait` returns only when the last grandchild has closed it.
        output, inlet = os.pipe()
        try:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", str(BOUND), str(os.getpid())),
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=inlet,
                stderr=asyncio.subprocess.STDOUT,
                env=self._environment,
                cwd=PROJECT,
                start_new_session=True,
            )
        finally:
            os.close(inlet)
            self._lines = asyncio.create_task(self._pass_lines(output), name=f"lines of {self.program.name}")
        self._become(State.RUNNING, pid=self._process.pid)

    async def _keep(self) -> None:
        attempt, loop = 0, asyncio.get_running_loop()
        while self._process is not None:
            started = loop.time()
            await self._follow(self._process)
            if not self.program.is_kept:
                self._become(State.STOPPED, pid=None)
                return
            attempt = 1 if loop.time() - started >= STEADY_AFTER_S else attempt + 1
            pause = self._pauses(attempt)
            self.restarts += 1
            self._on_line(self.program.name, f"ended with {self.exit_code}; starting again in {pause:g} s")
            self._become(State.BACKING_OFF, pid=None)
            await asyncio.sleep(pause)
            await self._spawn(self.program.command)

    async def _follow(self, process: asyncio.subprocess.Process) -> None:
        """Wait until it has ended, and end whatever it left behind in its group."""
        self.exit_code = await process.wait()
        _signal_group(process.pid, signal.SIGKILL)
        await self._drain()
        if not self._ended_once.done():
            self._ended_once.set_result(self.exit_code)

    async def _drain(self) -> None:
        """Let its last lines come through."""
        if self._lines is not None:
            await asyncio.wait({self._lines}, timeout=DRAIN_S)
            self._lines.cancel()

    async def _pass_lines(self, output: int) -> None:
        reader = asyncio.StreamReader(limit=LINE_BYTES)
        protocol = asyncio.StreamReaderProtocol(reader)
        pipe, _ = await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, os.fdopen(output, "rb"))
        is_awaited = self.program.announces
        try:
            while raw := await _next_line(reader):
                text = raw.decode(errors="replace").rstrip("\r\n")
                if is_awaited and text.startswith("{"):
                    is_awaited = False
                    if not self._announced.done():
                        self._announced.set_result(text)
                else:
                    self._on_line(self.program.name, text)
        finally:
            pipe.close()

    async def _end(self, process: asyncio.subprocess.Process, grace_s: float) -> None:
        _signal_group(process.pid, signal.SIGTERM)
        with suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), grace_s)
        _signal_group(process.pid, signal.SIGKILL)
        self.exit_code = await process.wait()
        await self._drain()

    def _become(self, state: State, *, pid: int | None) -> None:
        self.state, self.pid = state, pid
        self._on_change(self)


async def _next_line(reader: asyncio.StreamReader) -> bytes:
    """Give the next line, empty at the end. Of a line above LINE_BYTES only the rest after it is kept."""
    while True:
        try:
            return await reader.readline()
        except ValueError:
            continue


def _signal_group(pid: int, number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)
