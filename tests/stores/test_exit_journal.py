"""The exit journal on a real disk: written ahead or not at all, and read again whatever happened to its end."""

import asyncio
import resource
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from tests.factories import TEN_O_CLOCK, exit_intent
from tests.fakes.clock import FakeClock
from trading.domain.errors import JournalUnavailable
from trading.domain.exit_journal import JournaledExit, ahead_line, read_journal
from trading.domain.orders import IntentState, OrderIntent, OrderType, Purpose
from trading.stores.account_locks import FileAccountLocks
from trading.stores.exit_journal import FileExitJournal

STOP, KILL = exit_intent(), exit_intent(purpose=Purpose.KILL)
ALICE = STOP.key.account


def journaled(intent: object = STOP) -> JournaledExit:
    return JournaledExit(intent, TEN_O_CLOCK, TEN_O_CLOCK, "main", 3, {"rule": "stop"}, ({"check": "lease"},))  # type: ignore[arg-type]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state" / "engine"


@pytest.fixture
async def locks(folder: Path, clock: FakeClock) -> FileAccountLocks:
    made = FileAccountLocks(folder, "engine", clock)
    await made.take(ALICE, ousts=False)
    return made


@pytest.fixture
def journal(folder: Path, locks: FileAccountLocks) -> Iterator[FileExitJournal]:
    made = FileExitJournal(folder, locks)
    yield made
    made.close()


def file_of(folder: Path) -> Path:
    return folder / "kite%3AAB1001.journal"


@pytest.mark.proves("I2", "F41", database="none")
async def test_what_was_written_ahead_is_read_back_by_the_next_process(
    folder: Path, locks: FileAccountLocks, journal: FileExitJournal
) -> None:
    await journal.write_ahead(journaled())
    await journal.write_ahead(journaled(KILL))
    await journal.note(ALICE, STOP.tag, IntentState.ACKED, order_id="1001", words="")

    found = await FileExitJournal(folder, locks).pending(ALICE)

    assert [(exit_.intent, exit_.state, exit_.order_id) for exit_ in found] == [
        (STOP, IntentState.ACKED, "1001"),
        (KILL, IntentState.SENDING, ""),
    ]
    assert found[1] == journaled(KILL)


RESTING = replace(
    exit_intent(purpose=Purpose.DISASTER_STOP),
    order_type=OrderType.SL, price=Decimal("98.00"), trigger_price=Decimal("101.60"),
)  # fmt: skip


@pytest.mark.proves("I2", "F41", database="none")
@pytest.mark.parametrize("intent", [STOP, exit_intent(price=Decimal("99.95")), RESTING], ids=lambda one: one.order_type)
async def test_an_exit_is_read_back_as_it_was_written_whatever_its_kind(
    intent: OrderIntent, journal: FileExitJournal
) -> None:
    await journal.write_ahead(journaled(intent))

    (found,) = await journal.pending(ALICE)

    assert found.intent == intent
    assert (type(found.intent.price), type(found.intent.trigger_price)) == (
        type(intent.price),
        type(intent.trigger_price),
    )


async def test_what_the_database_has_is_not_pending_until_more_becomes_known(journal: FileExitJournal) -> None:
    await journal.write_ahead(journaled())
    await journal.imported(ALICE, STOP.tag, IntentState.SENDING)
    assert await journal.pending(ALICE) == []

    await journal.note(ALICE, STOP.tag, IntentState.REFUSED, order_id="", words="no funds")

    assert [(exit_.state, exit_.words) for exit_ in await journal.pending(ALICE)] == [(IntentState.REFUSED, "no funds")]


@pytest.mark.proves("F42", "F56", "I2", database="none")
async def test_a_line_torn_at_any_byte_is_as_if_it_was_never_written(
    folder: Path, locks: FileAccountLocks, journal: FileExitJournal
) -> None:
    await journal.write_ahead(journaled())
    first = file_of(folder).stat().st_size
    await journal.write_ahead(journaled(KILL))
    whole = file_of(folder).read_bytes()

    for cut in range(first, len(whole), 7):
        file_of(folder).write_bytes(whole[:cut])
        next_life = FileExitJournal(folder, locks)
        assert [exit_.tag for exit_ in await next_life.pending(ALICE)] == [STOP.tag]
        await next_life.note(ALICE, STOP.tag, IntentState.ACKED, order_id="1001", words="")
        assert [exit_.state for exit_ in await next_life.pending(ALICE)] == [IntentState.ACKED]
        assert read_journal(file_of(folder).read_bytes()).damaged == 0
        next_life.close()


async def test_a_damaged_line_is_told_and_the_others_are_read(
    folder: Path, journal: FileExitJournal, caplog: pytest.LogCaptureFixture
) -> None:
    await journal.write_ahead(journaled())
    await journal.write_ahead(journaled(KILL))
    file_of(folder).write_bytes(file_of(folder).read_bytes().replace(b'"quantity":10', b'"quantity":99', 1))

    assert [exit_.tag for exit_ in await journal.pending(ALICE)] == [KILL.tag]
    assert "1 lines of the exit journal" in caplog.text


@pytest.mark.proves("F46", "I14", database="none")
async def test_a_process_without_the_lock_writes_nothing(folder: Path, clock: FakeClock) -> None:
    stranger = FileExitJournal(folder, FileAccountLocks(folder, "stranger", clock))

    with pytest.raises(JournalUnavailable, match="does not hold the lock"):
        await stranger.write_ahead(journaled())

    assert not file_of(folder).exists()


@pytest.mark.proves("F42", "I2", database="none")
async def test_a_full_disk_takes_no_part_of_a_line(folder: Path, journal: FileExitJournal) -> None:
    await journal.write_ahead(journaled())
    size = file_of(folder).stat().st_size
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 20, limits[1]))
    try:
        with pytest.raises(JournalUnavailable):
            await journal.write_ahead(journaled(KILL))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    assert file_of(folder).stat().st_size == size
    await journal.write_ahead(journaled(KILL))
    assert [exit_.tag for exit_ in await journal.pending(ALICE)] == [STOP.tag, KILL.tag]


async def test_a_folder_that_cannot_be_used_is_no_journal(tmp_path: Path, locks: FileAccountLocks) -> None:
    (tmp_path / "file").touch()
    broken = FileExitJournal(tmp_path / "file" / "engine", locks)

    with pytest.raises(JournalUnavailable):
        await broken.write_ahead(journaled())


KILLED = """
import asyncio, os, sys
from pathlib import Path
from trading.clock.live import LiveClock
from trading.domain.exit_journal import read_journal, pending_exits
from trading.stores.account_locks import FileAccountLocks
from trading.stores.exit_journal import FileExitJournal
folder = Path(sys.argv[1])
[exit_] = pending_exits(read_journal(Path(sys.argv[2]).read_bytes()).lines)
async def main():
    locks = FileAccountLocks(folder, "doomed", LiveClock())
    await locks.take(exit_.account, ousts=False)
    await FileExitJournal(folder, locks).write_ahead(exit_)
    os._exit(137)
asyncio.run(main())
"""


async def test_a_process_killed_right_after_it_wrote_ahead_leaves_the_line_and_no_lock(
    folder: Path, tmp_path: Path, clock: FakeClock
) -> None:
    told = tmp_path / "told"
    told.write_bytes(ahead_line(journaled()))

    command = [sys.executable, "-c", KILLED, str(folder), str(told)]
    assert (await asyncio.to_thread(subprocess.run, command, check=False)).returncode == 137

    locks = FileAccountLocks(folder, "next", clock)
    assert await locks.take(ALICE, ousts=False) == ""
    assert await FileExitJournal(folder, locks).pending(ALICE) == [journaled()]
