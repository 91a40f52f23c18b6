"""`run/stack.json` and its lock."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from trading.domain.errors import ConfigurationError
from trading.services.running_stack import ProcessView, StackFile, StackView
from trading.stack.run import claim

ROOT = Path(__file__).resolve().parents[2]
VIEW = StackView(
    pid=os.getpid(),
    url="http://127.0.0.1:8000",
    started_at="2026-11-23T03:20:00+00:00",
    venue="exchange-3f2a",
    processes=(ProcessView("web", "running", 2, 77),),
    environment={"REDIS_URL": "redis://:secret@127.0.0.1:1/0"},
    sign_in=[{"email": "asha@demo.local", "password": "x"}],
)


def test_what_was_written_is_read_back_while_the_lock_is_held(tmp_path: Path) -> None:
    file = StackFile(tmp_path)
    file.lock()
    file.write(VIEW)

    assert StackFile(tmp_path).read() == VIEW


def test_only_the_owner_can_read_it_and_it_holds_what_tools_look_for(tmp_path: Path) -> None:
    file = StackFile(tmp_path)
    file.lock()
    file.write(VIEW)

    content = json.loads(file.path.read_text())
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    assert content["processes"] == [{"name": "web", "state": "running", "restarts": 2, "pid": 77}]
    assert {"pid", "url", "control_url", "redis_url", "database", "started_at", "sign_in"} <= set(content)


def test_a_file_left_behind_by_a_killed_stack_is_not_a_running_one(tmp_path: Path) -> None:
    program = (
        "import os, pathlib, sys; from trading.services.running_stack import *; "
        "f = StackFile(pathlib.Path(sys.argv[1])); f.lock(); "
        "f.write(StackView(os.getpid(), 'u', 's', 'v', ())); print(f.read() is not None, flush=True); "
        "os.kill(os.getpid(), 9)"
    )
    killed = subprocess.run([sys.executable, "-c", program, tmp_path], cwd=ROOT, capture_output=True, text=True)

    assert killed.stdout.strip() == "True"
    assert StackFile(tmp_path).path.exists()
    assert StackFile(tmp_path).read() is None


def test_a_second_start_is_refused_and_the_first_one_named(tmp_path: Path) -> None:
    first = claim(tmp_path)
    first.write(VIEW)

    with pytest.raises(ConfigurationError, match=rf"already \(process {VIEW.pid}, http://127.0.0.1:8000\)"):
        claim(tmp_path)
