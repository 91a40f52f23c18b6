"""Simulated days in the suite: they say nothing while they run, and the thousand of a whole run are played beside the
other tests, by two processes that give way to them."""

import json
import logging
import os
import signal
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from trading.simulation.many import quiet

ROOT = Path(__file__).parents[2]
GIVES_WAY = 19
WAITS_S = 20 * 60.0
"""Seconds that whoever comes last waits for the days."""
LAST = "test_thousand_days"
_playing: "subprocess.Popen[str] | None" = None


@pytest.fixture(autouse=True)
def _quiet_days() -> Iterator[None]:
    """Let a day say nothing; what comes after it in the same process speaks again."""
    with warnings.catch_warnings():
        quiet()
        yield
    logging.disable(logging.NOTSET)


def command(days: int, *more: str) -> list[str]:
    """Give the command that plays days and counts."""
    return ["nice", "-n", str(GIVES_WAY), sys.executable, "manage.py", "simulate", "--days", str(days), "--json",
            "--counts", *more]  # fmt: skip


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let whoever waits for the thousand days come last."""
    items.sort(key=_waits)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Begin to play as soon as it is known that the thousand days are wanted."""
    global _playing
    wanted = [item for item in session.items if _waits(item)]
    if wanted and not session.config.option.collectonly:
        days = session.config.getoption("--simulated-days")
        _playing = subprocess.Popen(
            command(days, "--jobs", "2"), cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True
        )


def pytest_sessionfinish() -> None:
    """Leave nothing running where the session ended before."""
    if _playing is not None and _playing.poll() is None:
        os.killpg(_playing.pid, signal.SIGKILL)


@pytest.fixture(scope="session")
def thousand_days() -> dict[str, Any]:
    """Give what came of the thousand days."""
    assert _playing is not None
    said, _ = _playing.communicate(timeout=WAITS_S)
    lines = said.splitlines()
    sys.stdout.write("\n".join(lines[:-1]))  # which seeds failed, and how to play them again
    found: dict[str, Any] = json.loads(lines[-1])
    return found


def _waits(item: pytest.Item) -> bool:
    return item.path.stem == LAST
