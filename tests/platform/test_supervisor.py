"""Processes are started again with back-off, stopped engine first, and never left behind."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path

import pytest
import pytest_asyncio

from tests.platform.children import HAS_A_CHILD, IGNORES_SIGTERM, NOTES_ITS_END, pids, program
from trading.services.running_stack import StackFile
from trading.stack.process import Child, Program, StartFailed, State, pause_before
from trading.stack.supervisor import ENGINE_GRACE_S, OTHERS_GRACE_S, OUTLIVES_GRACE_S, Supervisor

pytestmark = pytest.mark.processes
ROOT = Path(__file__).resolve().parents[2]


class Log:
    """Keeps the lines of all processes."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []

    def __call__(self, name: str, text: str) -> None:
        self.lines.append((name, text))

    def of(self, name: str) -> list[str]:
        return [text for who, text in self.lines if who == name]


@pytest.fixture
def log() -> Log:
    return Log()


@pytest_asyncio.fixture
async def supervisor(tmp_path: Path, log: Log) -> AsyncIterator[Supervisor]:
    file = StackFile(tmp_path)
    file.lock()
    made = Supervisor(file, on_line=log, started_at="now", pauses=lambda attempt: 0.01 * attempt)
    made.environment = dict(os.environ)
    await made.open()
    yield made
    await made.stop()


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not is_so():  # noqa: ASYNC110 (a process outside of this loop)
            await asyncio.sleep(0.02)


def is_alive(pid: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text() if Path("/proc").is_dir() else True
    return False


async def gone(*numbers: int) -> None:
    await until(lambda: not any(is_alive(pid) for pid in numbers))


def test_the_pause_doubles_up_to_half_a_minute() -> None:
    assert [pause_before(attempt) for attempt in (1, 2, 3, 4)] == [0.5, 1.0, 2.0, 4.0]
    assert pause_before(50) == 30.0


async def test_a_process_that_dies_is_started_again_and_the_file_says_so(
    supervisor: Supervisor, log: Log, tmp_path: Path
) -> None:
    child = await supervisor.start(program("short", "print('hello')"))

    await until(lambda: child.restarts >= 3)

    assert log.of("short").count("hello") >= 3
    pauses = [line.rpartition(" in ")[2] for line in log.of("short") if line.startswith("ended with 0")]
    assert pauses[:3] == ["0.01 s", "0.02 s", "0.03 s"]
    (shown,) = json.loads((tmp_path / "run" / "stack.json").read_text())["processes"]
    assert shown["restarts"] >= 3
    assert shown["state"] in ("running", "backing_off")


async def test_a_killed_process_comes_back_and_its_neighbours_are_untouched(supervisor: Supervisor) -> None:
    steady = await supervisor.start(program("steady", "import time; time.sleep(60)"))
    victim = await supervisor.start(program("victim", "import time; time.sleep(60)"))
    before = victim.pid
    assert before is not None

    os.kill(before, signal.SIGKILL)
    await until(lambda: victim.pid not in (None, before))

    assert victim.state is State.RUNNING
    assert (victim.restarts, steady.restarts) == (1, 0)


async def test_stopping_ends_the_engine_first_and_the_exchange_and_redis_last(
    supervisor: Supervisor, log: Log, tmp_path: Path
) -> None:
    notes = tmp_path / "order"
    names = ["redis", "exchange", "web", "strategy", "sentinel"]
    for name in names:
        await supervisor.start(program(name, NOTES_ITS_END, str(notes), name))
    await until(lambda: len(log.lines) == len(names))

    await supervisor.stop()

    ended = notes.read_text().split()
    assert sorted(ended) == sorted(names)
    assert set(ended[:2]) == {"strategy", "sentinel"}
    assert ended[2] == "web"
    assert set(ended[3:]) == {"exchange", "redis"}


async def test_stopping_leaves_no_process_and_no_file_and_waits_less_than_ten_seconds_for_all(
    supervisor: Supervisor, log: Log, tmp_path: Path
) -> None:
    for name in ("strategy", "web", "exchange"):
        await supervisor.start(program(name, IGNORES_SIGTERM))
    await supervisor.start(program("parent", HAS_A_CHILD))
    await until(lambda: len(log.lines) == 4)
    grandchild = int(log.of("parent")[0].split()[1])
    numbers = [*pids(tmp_path).values(), grandchild]

    await supervisor.stop()

    assert ENGINE_GRACE_S + OTHERS_GRACE_S + OUTLIVES_GRACE_S < 10
    await gone(*numbers)
    assert not (tmp_path / "run" / "stack.json").exists()


async def test_what_a_dead_process_left_behind_is_ended_before_it_starts_again(
    supervisor: Supervisor, log: Log
) -> None:
    parent = await supervisor.start(program("parent", HAS_A_CHILD))
    await until(lambda: bool(log.of("parent")))
    grandchild = int(log.of("parent")[0].split()[1])
    assert parent.pid is not None

    os.kill(parent.pid, signal.SIGKILL)

    await gone(grandchild)


async def test_an_announcement_is_handed_over_and_not_logged(supervisor: Supervisor, log: Log) -> None:
    source = """print('warming up'); print('{"secret": 1}'); print('{"later": 2}', flush=True)"""

    answer = await supervisor.run_once(program("prepare", source, announces=True, is_kept=False))

    assert answer == {"secret": 1}
    await until(lambda: len(log.lines) >= 1)
    assert '{"secret": 1}' not in log.of("prepare")


async def test_a_program_that_ends_without_its_announcement_failed_to_start(supervisor: Supervisor, log: Log) -> None:
    with pytest.raises(StartFailed, match="prepare ended with 3"):
        await supervisor.run_once(program("prepare", "print('no such day'); exit(3)", announces=True, is_kept=False))

    assert log.of("prepare") == ["no such day"]


async def test_first_arguments_are_given_once(supervisor: Supervisor, log: Log) -> None:
    source = "import sys; print(sys.argv[1:], flush=True)"
    child = await supervisor.start(Program("exchange", (sys.executable, "-c", source), first_arguments=("--fresh",)))

    await until(lambda: child.restarts >= 2)

    shown = [line for line in log.of("exchange") if line.startswith("[")]
    assert shown[:2] == ["['--fresh']", "[]"]


async def test_a_line_without_end_does_not_stop_the_others(log: Log) -> None:
    changes: list[State] = []
    source = "import sys; sys.stdout.write('x' * 3_000_000 + '\\n'); print('after', flush=True)"
    child = Child(
        program("loud", source, is_kept=False),
        os.environ,
        on_line=log,
        on_change=lambda changed: changes.append(changed.state),
    )

    await child.start()
    await until(lambda: child.state is State.STOPPED)

    assert log.of("loud")[-1] == "after"


async def test_killing_the_supervisor_leaves_no_process(tmp_path: Path) -> None:
    supervisor = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.platform.children", str(tmp_path)), cwd=ROOT, stdout=subprocess.PIPE
    )
    assert supervisor.stdout is not None
    lines = [(await supervisor.stdout.readline()).decode().split() for _ in range(3)]
    grandchild = next(int(line[2]) for line in lines if line[0] == "parent")
    numbers = [*pids(tmp_path).values(), grandchild]
    assert len(numbers) == 4

    supervisor.kill()
    await supervisor.wait()

    await gone(*numbers)
