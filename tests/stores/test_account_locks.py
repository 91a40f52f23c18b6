"""The lock files of the accounts: one process at a time, and the end of one that lost the lease."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.factories import TEN_O_CLOCK
from tests.fakes.clock import FakeClock
from trading.stores.account_locks import FileAccountLocks
from trading.stores.process_marks import ProcessMark, kill_exactly, start_of, why_not_killable

ALICE = "kite:AB1001"

HOLDER = """
import asyncio, sys, time
from pathlib import Path
from trading.clock.live import LiveClock
from trading.stores.account_locks import FileAccountLocks
locks = FileAccountLocks(Path(sys.argv[1]), "stale engine", LiveClock())
print(asyncio.run(locks.take("kite:AB1001", ousts=False)) or "mine", flush=True)
time.sleep(60)
"""


class HastyClock(FakeClock):
    """Wire time of which nobody waits for any: for those who let go of nothing, however long they are given."""

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)


@pytest.fixture
def hasty() -> FakeClock:
    return HastyClock(TEN_O_CLOCK)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "engine"


@pytest.fixture
def holder(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that has Alice's lock."""
    command = [sys.executable, "-c", HOLDER, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "mine\n"
        yield process
        process.kill()


def locks(folder: Path, clock: FakeClock, name: str = "engine") -> FileAccountLocks:
    return FileAccountLocks(folder, name, clock)


@pytest.mark.proves("F46", "I14", database="none")
async def test_an_account_is_locked_by_one_process_at_a_time(
    folder: Path, clock: FakeClock, holder: subprocess.Popen[str]
) -> None:
    second = locks(folder, clock)

    words = await second.take(ALICE, ousts=False)

    assert f"stale engine (pid {holder.pid}" in words
    assert not second.holds(ALICE)
    assert holder.poll() is None


@pytest.mark.proves("F43", "F44", database="none")
async def test_the_kernel_frees_the_lock_of_a_process_that_was_killed(
    folder: Path, clock: FakeClock, holder: subprocess.Popen[str]
) -> None:
    holder.kill()
    holder.wait()

    assert await locks(folder, clock).take(ALICE, ousts=False) == ""


@pytest.mark.proves("F46", "I14", database="none")
async def test_a_stopped_process_that_lost_the_lease_is_killed_before_its_account_is_taken(
    folder: Path, clock: FakeClock, holder: subprocess.Popen[str]
) -> None:
    holder.send_signal(signal.SIGSTOP)
    new = locks(folder, clock)

    assert await new.take(ALICE, ousts=True) == ""

    assert new.holds(ALICE)
    assert await asyncio.to_thread(holder.wait, 5) == -signal.SIGKILL


async def test_a_process_that_lets_go_in_time_is_not_killed(folder: Path, clock: FakeClock) -> None:
    old, new = locks(folder, clock, "old"), locks(folder, clock)
    await old.take(ALICE, ousts=False)
    taking = asyncio.create_task(new.take(ALICE, ousts=True))
    await asyncio.sleep(0.2)

    await old.release()

    assert await taking == ""
    assert not old.holds(ALICE)


@pytest.mark.proves("F46", database="none")
async def test_nobody_is_killed_who_merely_has_the_pid_of_a_former_holder(
    folder: Path, clock: FakeClock, holder: subprocess.Popen[str]
) -> None:
    me = ProcessMark.of_this_process("test")
    recycled = ProcessMark("old engine", holder.pid, (start_of(holder.pid) or 0) - 1, me.boot, me.host, me.namespace)

    assert why_not_killable(recycled, me) == ""
    assert kill_exactly(recycled) == ""

    assert holder.poll() is None


@pytest.mark.parametrize(("field", "value"), [("host", "elsewhere"), ("boot", "another"), ("namespace", "pid:[1]")])
async def test_a_holder_on_another_machine_is_left_alone_and_its_account_too(
    folder: Path, hasty: FakeClock, holder: subprocess.Popen[str], field: str, value: str
) -> None:
    path = folder / "kite%3AAB1001.lock"
    mark = ProcessMark.from_text(path.read_text())
    assert mark is not None
    told = {name: getattr(mark, name) for name in ("name", "pid", "started", "boot", "host", "namespace")}
    path.write_text(ProcessMark(**{**told, field: value}).text())

    words = await locks(folder, hasty).take(ALICE, ousts=True)

    assert "another machine" in words
    assert holder.poll() is None


async def test_a_process_does_not_kill_itself(folder: Path, hasty: FakeClock) -> None:
    one, other = locks(folder, hasty), locks(folder, hasty)
    await one.take(ALICE, ousts=False)

    assert "this very process" in await other.take(ALICE, ousts=True)


async def test_a_mark_that_is_just_being_written_kills_nobody(folder: Path, hasty: FakeClock) -> None:
    one, other = locks(folder, hasty), locks(folder, hasty)
    await one.take(ALICE, ousts=False)
    os.truncate(folder / "kite%3AAB1001.lock", 7)

    assert "names nobody" in await other.take(ALICE, ousts=True)


async def test_a_lock_file_that_somebody_tidied_away_is_no_lock_any_more(folder: Path, clock: FakeClock) -> None:
    mine = locks(folder, clock)
    await mine.take(ALICE, ousts=False)
    (folder / "kite%3AAB1001.lock").unlink()

    assert not mine.holds(ALICE)
    assert await mine.take(ALICE, ousts=False) == ""
    assert mine.holds(ALICE)


async def test_a_lock_that_was_given_back_names_nobody_who_could_be_killed_for_it(
    folder: Path, clock: FakeClock
) -> None:
    mine = locks(folder, clock)
    await mine.take(ALICE, ousts=False)

    await mine.release()

    assert ProcessMark.from_text((folder / "kite%3AAB1001.lock").read_text()) is None


async def test_a_folder_that_cannot_be_made_gives_no_lock(tmp_path: Path, clock: FakeClock) -> None:
    (tmp_path / "file").touch()

    words = await locks(tmp_path / "file" / "engine", clock).take(ALICE, ousts=False)

    assert "cannot be used" in words
