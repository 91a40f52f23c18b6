"""The thousand simulated days of a whole run: played beside the other tests, by two processes that give way to them.

The process that has the run begins them as soon as it is known that they are wanted; whichever of pytest-xdist's
processes needs them reads what came of them from a file.
"""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from tests.side_by_side import LAST

ROOT = Path(__file__).parents[2]
GIVES_WAY = 19
FOLDER = "thousand_days"
SAID, IS_OVER = "said", "over"


def command(days: int, *more: str) -> list[str]:
    """Give the command that plays days and counts."""
    return ["nice", "-n", str(GIVES_WAY), sys.executable, "manage.py", "simulate", "--days", str(days), "--json",
            "--counts", *more]  # fmt: skip


class ThousandDays:
    """A plugin of the process that has the run."""

    def __init__(self, config: pytest.Config) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="thousand-days-")
        self.folder = Path(self._folder.name)
        self._days: int = config.getoption("--simulated-days")
        self._playing: subprocess.Popen[bytes] | None = None

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Begin where this process collects, too."""
        if not session.config.option.collectonly:
            self._begin_for([item.nodeid for item in session.items])

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell a process of pytest-xdist where to read."""
        node.workerinput[FOLDER] = str(self.folder)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: list[str]) -> None:
        """Begin where others collect."""
        self._begin_for(ids)

    def pytest_sessionfinish(self) -> None:
        """Leave nothing running where the run ended before."""
        if self._playing is not None and self._playing.poll() is None:
            os.killpg(self._playing.pid, signal.SIGKILL)
            self._playing.wait()

    def pytest_unconfigure(self) -> None:
        """Leave no file."""
        self._folder.cleanup()

    def _begin_for(self, ids: list[str]) -> None:
        if self._playing is not None or not any(id_.startswith(LAST) for id_ in ids):
            return
        said, is_over = self.folder / SAID, self.folder / IS_OVER
        play = ["sh", "-c", '"$@"; echo $? > ' + f"'{is_over}'", "play", *command(self._days, "--jobs", "2")]
        with said.open("wb") as output:
            self._playing = subprocess.Popen(play, cwd=ROOT, stdout=output, start_new_session=True)


def folder_of(config: pytest.Config) -> Path:
    """Give the folder in which what came of the days is, or will be."""
    told = getattr(config, "workerinput", None)
    if told is not None:
        return Path(told[FOLDER])
    plugin = config.pluginmanager.get_plugin(FOLDER)
    assert isinstance(plugin, ThousandDays)
    return plugin.folder


def pytest_configure(config: pytest.Config) -> None:
    """Take the days over, unless this process is one of pytest-xdist's."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(ThousandDays(config), FOLDER)
