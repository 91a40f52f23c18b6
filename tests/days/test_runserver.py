"""`manage.py runserver`: pages and WebSockets for a developer, started again when a source file changes."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from tests.days.procfile import bare_environment
from tests.days.stack import ROOT
from tests.days.visitor import Visitor
from trading.stack.ports import free_port, is_taken

pytestmark = [pytest.mark.processes, pytest.mark.timeout(900)]

WITHIN_S = 150.0
EMAIL, PASSWORD = "dev@example.com", "a-long-enough-passphrase-7"
ENROL = f"from trading.services.people import enrol; enrol({EMAIL!r}, {PASSWORD!r})"


@dataclass
class Development:
    """A running `runserver` with a state directory of its own."""

    process: "subprocess.Popen[bytes]"
    port: int
    log: Path

    def started(self) -> list[str]:
        """Give the process id of every server that was started, in order."""
        return re.findall(r"Started server process \[(\d+)\]", self.log.read_text())

    def until(self, holds: Callable[[], object], what: str) -> None:
        """Wait for what must come true."""
        deadline = time.monotonic() + WITHIN_S
        while not holds():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, f"waited for {what}\n{self.log.read_text()}"
            time.sleep(0.05)

    def first_message(self, cookie: str) -> dict[str, Any]:
        """Open the live socket as the desk does, and give what comes first."""
        address, own_page = f"ws://127.0.0.1:{self.port}/ws/live/", Origin(f"http://127.0.0.1:{self.port}")
        with connect(address, origin=own_page, additional_headers={"Cookie": cookie}, proxy=None) as socket:
            message: dict[str, Any] = json.loads(socket.recv(timeout=WITHIN_S))
            return message


@pytest.fixture(scope="module")
def development(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Development]:
    folder, port = tmp_path_factory.mktemp("development"), free_port()
    environment = {**bare_environment(), "ALGO_STATE_DIR": str(folder / "state")}
    for words in (["migrate", "--verbosity", "0"], ["shell", "--verbosity", "0", "-c", ENROL]):
        subprocess.run([sys.executable, "manage.py", *words], cwd=ROOT, env=environment, check=True)
    with (folder / "log").open("wb") as log:
        command = [sys.executable, "manage.py", "runserver", str(port)]
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True
        )
    running = Development(process, port, folder / "log")
    try:
        running.until(running.started, "the server")
        yield running
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=WITHIN_S)


@pytest.fixture(scope="module")
def visitor(development: Development) -> Visitor:
    """Somebody who is signed in."""
    person = Visitor(development.port, is_proxied=False)
    development.until(lambda: person.submit("/accounts/login/", login=EMAIL, password=PASSWORD).is_redirect, "sign-in")
    return person


def test_pages_and_the_live_socket_are_served(development: Development, visitor: Visitor) -> None:
    assert EMAIL in visitor.get("/settings/").text
    assert visitor.get("/static/theme/app.js").status_code == 200

    message = development.first_message(visitor.cookie_header)

    assert (message["v"], message["type"]) == (1, "snapshot")
    assert "unapplied migration" not in development.log.read_text()


def test_a_stranger_gets_no_live_socket(development: Development) -> None:
    with pytest.raises(InvalidStatus):
        development.first_message("")


def test_a_touched_source_file_starts_it_again_and_a_touched_test_does_not(
    development: Development, visitor: Visitor
) -> None:
    before = development.started()
    os.utime(ROOT / "tests" / "settings.py")
    time.sleep(1)
    assert development.started() == before

    os.utime(ROOT / "algosystem" / "urls.py")

    development.until(lambda: len(development.started()) > len(before), "the reload")
    development.until(lambda: _is_served(development, visitor), "the new server")


def _is_served(development: Development, visitor: Visitor) -> bool:
    try:
        return bool(development.first_message(visitor.cookie_header)["type"] == "snapshot")
    except OSError:
        return False


def test_it_leaves_nothing_behind(development: Development) -> None:
    """Runs last: its own Redis and the reloaded server end with it."""
    (config,) = (development.log.parent / "state").glob("**/valkey.conf")
    redis_port = int(re.findall(r"^port (\d+)", config.read_text(), re.MULTILINE)[0])
    assert is_taken(redis_port)

    development.process.send_signal(signal.SIGINT)
    development.process.wait(timeout=WITHIN_S)

    deadline = time.monotonic() + WITHIN_S
    while is_taken(redis_port) or is_taken(development.port):
        assert time.monotonic() < deadline, "somebody still listens"
        time.sleep(0.05)
