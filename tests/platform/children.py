"""Tiny programs that stand in for the processes of the stack, and a supervisor of them to be killed."""

import asyncio
import json
import sys
from collections.abc import Mapping
from pathlib import Path

from trading.services.running_stack import StackFile
from trading.stack.process import Program
from trading.stack.supervisor import Supervisor

IGNORES_SIGTERM = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("deaf", flush=True)
time.sleep(60)
"""
NOTES_ITS_END = """
import signal, sys, time
def end(*_):
    with open(sys.argv[1], "a") as file:
        file.write(sys.argv[2] + chr(10))
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
print("ready", flush=True)
time.sleep(60)
"""
HAS_A_CHILD = """
import subprocess, sys, time
deaf = "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(60)"
child = subprocess.Popen([sys.executable, "-c", deaf])
print("child", child.pid, flush=True)
time.sleep(60)
"""


def program(name: str, source: str, *arguments: str, announces: bool = False, is_kept: bool = True) -> Program:
    """Make a program of Python source."""
    return Program(name, (sys.executable, "-c", source, *arguments), announces=announces, is_kept=is_kept)


def pids(state_dir: Path) -> Mapping[str, int]:
    """Read every process id of the stack's file."""
    content = json.loads((state_dir / "run" / "stack.json").read_text())
    return {process["name"]: process["pid"] for process in content["processes"] if process["pid"]}


async def supervise(state_dir: Path) -> None:
    """Run three programs until killed; used as `python -m tests.platform.children DIR`."""
    file = StackFile(state_dir)
    file.lock()

    def tell(name: str, text: str) -> None:
        sys.stdout.write(f"{name} {text}\n")
        sys.stdout.flush()

    supervisor = Supervisor(file, on_line=tell, started_at="now")
    await supervisor.open()
    await supervisor.start(program("deaf", IGNORES_SIGTERM))
    await supervisor.start(program("parent", HAS_A_CHILD))
    await supervisor.start(program("plain", "import time; print('ready', flush=True); time.sleep(60)"))
    await asyncio.sleep(60)


if __name__ == "__main__":
    asyncio.run(supervise(Path(sys.argv[1])))
