"""`manage.py kill`: the file first, then the database; words and exit code say what happened where."""

import os
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError

from tests.architecture.source import ROOT
from tests.factories import make_account, make_client
from trading.domain.control import press_key
from trading.domain.kill_file import note_of
from trading.management.commands import kill
from trading.models import AccountControl, Client, CommandRow, House
from trading.services import wiring
from trading.stack.ports import LOOPBACK, free_port

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("state_dir")]


def run(*words: str) -> tuple[int, str]:
    """Give exit code and everything that was said."""
    out = StringIO()
    try:
        call_command("kill", *words, stdout=out, stderr=out)
    except CommandError as error:
        return error.returncode, f"{out.getvalue()}{error}"
    return 0, out.getvalue()


def test_it_writes_the_file_and_then_the_database(state_dir: Path) -> None:
    alice = make_client("alice")

    code, said = run("--client", "alice@example.com")

    assert code == 0
    assert (state_dir / "kill" / "client:alice@example.com").is_file()
    alice.refresh_from_db()
    assert alice.state == "REDUCING"
    assert "Kill file: " in said
    assert "Database: kill switch pressed for alice@example.com" in said


def test_file_and_database_are_one_press(state_dir: Path) -> None:
    make_client("alice")
    run("--client", "alice@example.com", "--leave-positions")

    note = note_of((state_dir / "kill" / "client:alice@example.com").read_text())
    command = CommandRow.objects.get()

    client = Client.objects.get()
    assert command.once_key == press_key(None, client.pk, "", note.press)
    assert (note.leave_positions, command.arguments["leave_positions"], command.path) == (True, True, "command")


def test_one_account_and_everybody(state_dir: Path) -> None:
    make_account(make_client("alice"))

    assert run("--account", "kite:AB1001")[0] == 0
    assert run("--all")[0] == 0

    assert AccountControl.objects.get().state == "REDUCING"
    assert House.objects.get().state == "REDUCING"
    assert {path.name for path in (state_dir / "kill").iterdir()} == {"account:kite:AB1001", "house"}


@pytest.mark.proves("F67", database="postgresql")
def test_with_the_database_down_the_file_alone_is_written(state_dir: Path) -> None:
    nobody_listens = f"postgresql://algo:secret@{LOOPBACK}:{free_port()}/algo?connect_timeout=1"
    told = subprocess.run(
        [sys.executable, "manage.py", "kill", "--all", "--state-dir", str(state_dir)],
        env={**os.environ, "DATABASE_URL": nobody_listens, "DJANGO_SETTINGS_MODULE": "algosystem.settings"},
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )

    assert told.returncode == kill.FILE_ONLY, told.stderr
    assert (state_dir / "kill" / "house").is_file()
    assert "did not take the press" in told.stderr
    assert "a running engine carries it out" in told.stderr
    assert "secret" not in told.stdout + told.stderr


def test_without_the_file_the_database_counts_and_the_exit_code_says_so(state_dir: Path) -> None:
    (state_dir / "kill").write_text("somebody put a file where the directory should be")

    code, said = run("--all")

    assert code == kill.DATABASE_ONLY
    assert House.objects.get().state == "REDUCING"
    assert "NOT written" in said


def test_with_neither_it_says_that_nothing_was_pressed(state_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (state_dir / "kill").write_text("")

    def refuse(*args: Any, **kwargs: Any) -> None:
        raise OperationalError("disk full")

    monkeypatch.setattr(kill, "press_kill", refuse)
    code, said = run("--all")

    assert code == kill.NOTHING
    assert "NOT pressed" in said


@pytest.mark.parametrize("words", [("--client", "nobody@example.com"), ("--account", "kite:NOBODY")])
def test_a_name_that_nobody_has_stops_nothing_and_leaves_no_file(state_dir: Path, words: tuple[str, str]) -> None:
    code, said = run(*words)

    assert code == kill.UNKNOWN
    assert "nothing was stopped" in said
    assert list((state_dir / "kill").iterdir()) == []


def test_the_directory_of_the_command_is_the_engines(state_dir: Path) -> None:
    assert wiring.kill_files().folder == state_dir / "kill"
