"""An export is whole in itself, and a script without our code finds what was done to it."""

import io
import json
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from tests.factories import TEN_O_CLOCK, make_client
from tests.fakes.clock import FakeClock
from trading.models import Client
from trading.services import events
from trading.services.anchors import anchor_file, write_anchors

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("state_dir")]
SCRIPT = Path(__file__).parents[2] / "scripts" / "check_export.py"


@pytest.fixture
def alice() -> Client:
    """Three lines a day over three days, the last of each written late."""
    client = make_client()
    for day in range(3):
        for number in (0, 1, -1):
            clock = FakeClock(TEN_O_CLOCK + timedelta(days=day, seconds=number))
            events.record(client.pk, "ENTRY", {"number": number, "text": "₹ 1,490.55"}, clock=clock)
    return client


def export(folder: Path, *words: str) -> Path:
    file = folder / "log.jsonl"
    call_command("export_log", "alice@example.com", *words, "--out", str(file))
    return file


def check(*files: Path) -> tuple[int, str]:
    """Run the script as an auditor does, outside of the project."""
    run = subprocess.run(
        [sys.executable, "-I", str(SCRIPT), *map(str, files)], capture_output=True, text=True, cwd="/", check=False
    )
    return run.returncode, run.stdout


def test_a_whole_export_checks_out_against_the_anchors_too(alice: Client, tmp_path: Path) -> None:
    write_anchors(wall=TEN_O_CLOCK)

    file = export(tmp_path)

    assert len(file.read_text().splitlines()) == 1 + 9 + 1
    assert check(file) == (0, "Whole.\n")
    assert check(file, anchor_file()) == (0, "Whole.\n")


def test_some_days_are_one_piece_that_checks_out(alice: Client, tmp_path: Path) -> None:
    file = export(tmp_path, "--from", "2026-11-24", "--to", "2026-11-24")

    header, *lines, footer = map(json.loads, file.read_text().splitlines())
    assert (header["first_seq"], header["last_seq"], footer["lines"]) == (4, 6, 3)
    assert [line["seq"] for line in lines] == [4, 5, 6]
    assert check(file)[0] == 0


def test_a_day_without_a_line_is_an_empty_export(alice: Client, tmp_path: Path) -> None:
    assert check(export(tmp_path, "--from", "2027-01-01"))[0] == 0


DONE: dict[str, Callable[[list[str]], list[str]]] = {
    "edit": lambda lines: [*lines[:3], lines[3].replace("1,490.55", "1,490.56"), *lines[4:]],
    "removal": lambda lines: [*lines[:3], *lines[4:]],
    "swap": lambda lines: [*lines[:3], lines[4], lines[3], *lines[5:]],
    "copy": lambda lines: [*lines[:4], lines[3], *lines[4:]],
    "cut end": lambda lines: lines[:-3],
    "cut end with a footer": lambda lines: [*lines[:-3], lines[-1]],
}


@pytest.mark.parametrize("deed", DONE)
def test_what_was_done_to_an_export_is_found(alice: Client, tmp_path: Path, deed: str) -> None:
    file = export(tmp_path)
    file.write_text("".join(DONE[deed](file.read_text().splitlines(keepends=True))))

    assert check(file)[0] == 1


def test_an_export_never_overwrites_a_file(alice: Client, tmp_path: Path) -> None:
    export(tmp_path)

    with pytest.raises(CommandError, match="exists already"):
        export(tmp_path)


def test_a_stranger_and_an_empty_chain_are_told_plainly(alice: Client) -> None:
    with pytest.raises(CommandError, match="No client is called mallory"):
        call_command("export_log", "mallory", stdout=io.StringIO())
    with pytest.raises(CommandError, match="Nothing was logged of house"):
        call_command("export_log", "house", stdout=io.StringIO())


def test_the_script_is_short_enough_to_be_read() -> None:
    assert len(SCRIPT.read_text().splitlines()) <= 50
