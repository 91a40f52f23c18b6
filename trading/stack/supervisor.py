"""Starts the processes in order, keeps them running, tells `run/stack.json`, and stops them engine first."""

import asyncio
import json
import os
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from trading.services.running_stack import ProcessView, StackFile, StackView
from trading.stack.process import Child, Program, pause_before
from trading.stack.programs import ENGINE, OUTLIVES, SHARED_NAMES

ENGINE_GRACE_S = 3.0
OTHERS_GRACE_S = 3.0
OUTLIVES_GRACE_S = 1.5
"""Together below the ten seconds in which everything must have stopped."""
GUARD = Path(__file__).with_name("guard.py")


class Supervisor:
    """The children of one stack. Use inside one event loop: `start` each program, `stop` once."""

    def __init__(
        self,
        file: StackFile,
        *,
        on_line: Callable[[str, str], None],
        started_at: str,
        pauses: Callable[[int], float] = pause_before,
    ) -> None:
        self.url = ""
        self.venue = ""
        self.sign_in: Sequence[Mapping[str, str]] = ()
        self.environment: dict[str, str] = {}
        self._file = file
        self._on_line = on_line
        self._started_at = started_at
        self._pauses = pauses
        self._children: dict[str, Child] = {}
        self._noted: dict[str, int] = {}
        self._expected: tuple[str, ...] = ()
        self._guard: asyncio.subprocess.Process | None = None

    async def open(self) -> None:
        """Start the guard that ends the children should this process be killed."""
        self._guard = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-S", str(GUARD)), stdin=asyncio.subprocess.PIPE, start_new_session=True
        )

    def expect(self, names: Collection[str]) -> None:
        """Name processes that will be started, so that they are shown as starting until then."""
        self._expected = tuple(names)
        self._tell()

    async def start(self, program: Program) -> Child:
        """Start one program with the present environment."""
        child = Child(
            program,
            self.environment,
            on_line=self._on_line,
            on_change=self._changed,
            pauses=self._pauses,
        )
        self._children[program.name] = child
        await child.start()
        return child

    async def run_once(self, program: Program) -> dict[str, Any]:
        """Run a program that announces a JSON line and ends; raises StartFailed when it does not announce."""
        child = await self.start(program)
        try:
            answer: dict[str, Any] = json.loads(await child.announcement())
            return answer
        finally:
            await child.stop(OTHERS_GRACE_S)
            del self._children[program.name]
            self._tell()

    async def stop(self) -> None:
        """Stop everything: the engine first, then what uses the exchange and Redis, then those two."""
        others = [name for name in self._children if name not in (*ENGINE, *OUTLIVES)]
        for names, grace_s in ((ENGINE, ENGINE_GRACE_S), (others, OTHERS_GRACE_S), (OUTLIVES, OUTLIVES_GRACE_S)):
            children = [self._children[name] for name in names if name in self._children]
            await asyncio.gather(*(child.stop(grace_s) for child in children))
        if self._guard is not None and self._guard.stdin is not None:
            self._guard.stdin.close()
            await self._guard.wait()
        self._file.clear()

    def _changed(self, child: Child) -> None:
        name = child.program.name
        before = self._noted.pop(name, None)
        if before is not None and before != child.pid:
            self._note("-", before)
        if child.pid is not None:
            if before != child.pid:
                self._note("+", child.pid)
            self._noted[name] = child.pid
        self._tell()

    def _note(self, sign: str, pid: int) -> None:
        if self._guard is not None and self._guard.stdin is not None and not self._guard.stdin.is_closing():
            self._guard.stdin.write(f"{sign}{pid}\n".encode())

    def _tell(self) -> None:
        waiting = [ProcessView(name, "starting", 0) for name in self._expected if name not in self._children]
        present = [
            ProcessView(child.program.name, child.state.value, child.restarts, child.pid)
            for child in self._children.values()
            if child.program.is_kept
        ]
        self._file.write(
            StackView(
                pid=os.getpid(),
                url=self.url,
                started_at=self._started_at,
                venue=self.venue,
                processes=(*present, *waiting),
                environment={name: self.environment[name] for name in SHARED_NAMES if name in self.environment},
                sign_in=self.sign_in,
            )
        )
