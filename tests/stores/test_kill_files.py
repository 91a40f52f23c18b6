"""The kill directory on disk, held against the same sentences as the tests' dictionary."""

import stat
from pathlib import Path
from typing import Protocol

import pytest

from tests.factories import TEN_O_CLOCK
from tests.fakes.clock import FakeClock
from trading.domain.kill_file import KillNote, Stopped, account_file, client_file, note_of, note_text, stopped_by
from trading.ports import KillFiles
from trading.simulation.memory_kill_files import MemoryKillFiles
from trading.stores.kill_files import DiskKillFiles

CLIENTS = {1: "alice@example.com", 12: "a/b%2f@example.com"}
ACCOUNTS = {"kite:AB1001": 1}


class Directory(Protocol):
    """A directory of kill files, and how somebody presses there by hand."""

    @property
    def files(self) -> KillFiles: ...
    def touch(self, name: str, /) -> None: ...


class OnDisk:
    def __init__(self, state_dir: Path) -> None:
        self.files = DiskKillFiles(state_dir)
        self.files.prepare()

    def touch(self, name: str) -> None:
        (self.files.folder / name).touch()


class InMemory:
    def __init__(self) -> None:
        self.files = MemoryKillFiles(FakeClock(TEN_O_CLOCK))

    def touch(self, name: str) -> None:
        self.files.touch(name)


@pytest.fixture(params=["memory", "disk"])
def directory(request: pytest.FixtureRequest, tmp_path: Path) -> Directory:
    return InMemory() if request.param == "memory" else OnDisk(tmp_path)


def test_a_touched_file_is_seen_by_its_name(directory: Directory) -> None:
    assert directory.files.names() == ()

    directory.touch("house")
    directory.touch("client:alice@example.com")

    assert directory.files.names() == ("client:alice@example.com", "house")
    found = directory.files.read("house")
    assert found is not None
    assert (found.name, found.text) == ("house", "")
    assert found.touched_at.tzinfo is not None


def test_a_file_touched_again_is_told_from_the_first_touch(directory: Directory) -> None:
    directory.touch("house")
    first = directory.files.read("house")
    directory.touch("house")
    second = directory.files.read("house")

    assert first is not None
    assert second is not None
    assert first.touched != second.touched


def test_a_file_that_is_gone_reads_as_none(directory: Directory) -> None:
    assert directory.files.read("house") is None


def test_a_missing_directory_is_an_error_and_not_an_empty_one(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="kill"):
        DiskKillFiles(tmp_path).names()


def test_what_a_command_writes_is_read_whole_and_leaves_no_draft(tmp_path: Path) -> None:
    files = DiskKillFiles(tmp_path)

    files.write("house", note_text(leave_positions=True, by="bob", press="abc"))

    assert files.names() == ("house",)
    found = files.read("house")
    assert found is not None
    assert note_of(found.text) == KillNote(leave_positions=True, by="bob", press="abc")
    assert stat.S_IMODE(files.folder.stat().st_mode) == 0o700
    assert [path.name for path in files.folder.iterdir()] == ["house"]


def test_a_directory_of_that_name_and_a_dead_link_count_by_their_names(tmp_path: Path) -> None:
    files = DiskKillFiles(tmp_path)
    files.prepare()
    (files.folder / "house").mkdir()
    (files.folder / "client:1").symlink_to("/nowhere/at/all")

    assert [found.text for name in files.names() if (found := files.read(name))] == ["", ""]


def test_a_file_is_put_away_and_kept(tmp_path: Path) -> None:
    files = DiskKillFiles(tmp_path)
    files.write("house", "why")

    kept = files.put_away("house", TEN_O_CLOCK)

    assert files.names() == ()
    assert kept.name == "house.20261123T043000.000000Z"
    assert kept.read_text() == "why"


@pytest.mark.parametrize(
    ("name", "stopped"),
    [
        ("house", Stopped()),
        ("client:1", Stopped(1)),
        ("client:Alice@Example.com", Stopped(1)),
        (client_file(CLIENTS[12]), Stopped(12)),
        (account_file("kite:AB1001"), Stopped(1, "kite:AB1001")),
        ("account:kite:ab1001", None),
        ("client:2", None),
        ("client:", None),
        ("House", None),
        ("house.txt", None),
        ("", None),
    ],
)
def test_a_name_says_whom_it_stops(name: str, stopped: Stopped | None) -> None:
    assert stopped_by(name, clients=CLIENTS, accounts=ACCOUNTS) == stopped


def test_no_name_of_a_client_leaves_the_directory() -> None:
    assert "/" not in client_file("../../house/x@example.com")
