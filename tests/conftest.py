"""What every test may ask for: a real Redis-compatible server, a state directory of its own, a browser.

In CI (`CI=true`) a skipped test fails the run.
"""

import gc
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis as redis_client
from pytest_django import DjangoDbBlocker
from pytest_django.fixtures import Settings

from scripts.ensure_browser import find_browser
from tests import side_by_side, told
from tests.databases import remove_guards
from tests.evidence.plugin import (  # noqa: F401  (hooks and a fixture that pytest finds here)
    pytest_addoption,
    pytest_collection_modifyitems,
    pytest_runtest_logreport,
    tally,
)
from tests.evidence.plugin import pytest_sessionfinish as write_evidence
from tests.simulation import thousand
from trading.stack.embedded_redis import configure
from trading.stack.ports import free_port

STARTS_WITHIN_S = 60.0


def pytest_configure(config: pytest.Config) -> None:
    """Add what concerns the run as a whole, and share bytecode."""
    for plugin in (told, side_by_side, thousand):
        config.pluginmanager.register(plugin)
    _share_bytecode(config)


def _share_bytecode(config: pytest.Config) -> None:
    """Let the processes that tests start share their bytecode, where the environment forbids to keep any.

    Each of them would compile Django and all of ours anew, which is most of what a short process costs.
    """
    if os.environ.pop("PYTHONDONTWRITEBYTECODE", ""):
        folder = tempfile.TemporaryDirectory(prefix="bytecode-")
        os.environ["PYTHONPYCACHEPREFIX"] = folder.name
        config.add_cleanup(folder.cleanup)


def pytest_collection_finish() -> None:
    """Let the garbage collector pass over what was imported and collected: it stays to the end, and is looked through
    hundreds of times otherwise.
    """
    gc.freeze()
    gc.set_threshold(10_000, 10, 10)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """Take the event log's guards off the suite's own database: its transactional tests empty it.

    Databases made by tests/databases.py keep theirs; tests/stores/test_append_only.py tries them.
    """
    with django_db_blocker.unblock():
        remove_guards()


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give the address of a server of this session, started at the first use."""
    embedded = configure(tmp_path_factory.mktemp("valkey"), port=free_port())
    server = subprocess.Popen(embedded.program.command)
    try:
        _wait_for(embedded.url)
        yield embedded.url
    finally:
        server.terminate()
        server.wait()


@pytest.fixture
def redis_url(redis_server: str, settings: Settings) -> str:
    """Give an empty server, which the settings also name for the length of the test."""
    settings.REDIS_URL = redis_server
    with redis_client.Redis.from_url(redis_server) as client:
        client.flushall()
    return redis_server


@pytest.fixture
def redis(redis_url: str) -> Iterator["redis_client.Redis[bytes]"]:
    """Give a client of the test's Redis."""
    with redis_client.Redis.from_url(redis_url) as client:
        yield client


@pytest.fixture
def state_dir(tmp_path: Path, settings: Settings) -> Path:
    """Give an empty state directory, which the settings also name."""
    folder = tmp_path / "state"
    folder.mkdir()
    settings.STATE_DIR = folder
    return folder


@pytest.fixture(scope="session")
def browser_path() -> str:
    """Give the path of a Chromium; without one the test is skipped."""
    path = find_browser()
    if path is None:
        pytest.skip("no Chromium on this machine: `make test` says why none could be installed")
    return path


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Let a run in CI fail when anything was skipped; write the evidence that was asked for."""
    write_evidence(session)
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = len(reporter.stats.get("skipped", [])) if reporter else 0
    if reporter and skipped and os.environ.get("CI", "").lower() in ("1", "true"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        reporter.write_line(f"CI: {skipped} tests were skipped, which CI does not allow", red=True)


def _wait_for(url: str) -> None:
    deadline = time.monotonic() + STARTS_WITHIN_S
    with redis_client.Redis.from_url(url) as client:
        while True:
            try:
                client.ping()
            except redis_client.RedisError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
            else:
                return
