"""What must outlive a power cut is forced to the disk before anybody hears of it: exit journal and kill files."""

import os
from pathlib import Path

import pytest

from tests.factories import TEN_O_CLOCK, exit_intent
from tests.fakes.clock import FakeClock
from trading.domain.errors import JournalUnavailable
from trading.domain.exit_journal import JournaledExit
from trading.domain.orders import IntentState, Purpose
from trading.stores.account_locks import FileAccountLocks
from trading.stores.exit_journal import FileExitJournal
from trading.stores.kill_files import DiskKillFiles

STOP, KILL = (
    JournaledExit(exit_intent(purpose=purpose), TEN_O_CLOCK, TEN_O_CLOCK, "main", 3)
    for purpose in (Purpose.STOP, Purpose.KILL)
)
ALICE = STOP.account


class Disk:
    """Notes what is forced to the disk, and how much of it there was; refuses as often as it is told to."""

    def __init__(self) -> None:
        self.forced: dict[int, int] = {}
        """Bytes, by the file's number."""
        self.refuses = 0
        self._really = os.fsync

    def fsync(self, handle: int) -> None:
        if self.refuses:
            self.refuses -= 1
            raise OSError("the disk is gone")
        self._really(handle)
        found = os.fstat(handle)
        self.forced[found.st_ino] = found.st_size

    def has(self, path: Path) -> bool:
        """Say whether all of a file, or a folder's names, were forced."""
        found = path.stat()
        return self.forced.get(found.st_ino, -1) >= (found.st_size if path.is_file() else 0)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    made = Disk()
    monkeypatch.setattr(os, "fsync", made.fsync)
    return made


@pytest.fixture
async def journal(tmp_path: Path, clock: FakeClock) -> FileExitJournal:
    locks = FileAccountLocks(tmp_path / "engine", "engine", clock)
    await locks.take(ALICE, ousts=False)
    return FileExitJournal(tmp_path / "engine", locks)


@pytest.mark.proves("F56", "I2", database="none")
async def test_every_line_of_the_exit_journal_is_on_the_disk_with_its_files_name(
    tmp_path: Path, disk: Disk, journal: FileExitJournal
) -> None:
    file = tmp_path / "engine" / "kite%3AAB1001.journal"

    await journal.write_ahead(STOP)
    assert disk.has(file)
    assert disk.has(file.parent)
    assert disk.has(file.parent.parent)

    await journal.note(ALICE, STOP.tag, IntentState.ACKED, order_id="1001", words="")
    assert disk.has(file)
    journal.close()


@pytest.mark.proves("F42", "I2", database="none")
async def test_a_line_that_the_disk_did_not_take_was_never_written(
    tmp_path: Path, disk: Disk, journal: FileExitJournal
) -> None:
    """Nor is that handle used again: the kernel tells of an error once, and then calls the lost page written."""
    await journal.write_ahead(STOP)
    disk.forced.clear()
    disk.refuses = 1

    with pytest.raises(JournalUnavailable):
        await journal.write_ahead(KILL)

    assert [exit_.tag for exit_ in await journal.pending(ALICE)] == [STOP.tag]
    await journal.write_ahead(KILL)
    assert [exit_.tag for exit_ in await journal.pending(ALICE)] == [STOP.tag, KILL.tag]
    assert disk.has(tmp_path / "engine"), "it was opened anew"
    journal.close()


async def test_a_journal_that_cannot_be_read_is_not_an_empty_one(tmp_path: Path, journal: FileExitJournal) -> None:
    """Else it would be begun anew, over what was sent."""
    (tmp_path / "engine" / "kite%3AAB1001.journal").mkdir()

    with pytest.raises(JournalUnavailable):
        await journal.pending(ALICE)
    journal.close()


@pytest.mark.proves("F67", "I7", database="none")
def test_a_kill_file_is_on_the_disk_with_its_name(tmp_path: Path, disk: Disk) -> None:
    path = DiskKillFiles(tmp_path).write("house", "pressed")

    assert disk.has(path)
    assert disk.has(path.parent)
