"""A Redis outside of the stack, as a self-hoster's, behind a wire that can be cut or fall silent."""

import os
import signal
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

from tests.tcp_wire import Wire
from trading.stack.embedded_redis import configure
from trading.stack.ports import free_port


class OutsideRedis:
    """A server of its own behind a `wire`. `url` leads through the wire."""

    def __init__(self, folder: Path) -> None:
        own = configure(folder, port=free_port())
        self._command, place = own.program.command, urlsplit(own.url)
        self._process = self._start()
        self.wire = Wire(place.port or 0)
        self.url = own.url.replace(f":{place.port}/", f":{self.wire.port}/")

    @property
    def pid(self) -> int:
        """The server's process id."""
        return self._process.pid

    def restart(self) -> None:
        """Kill it as a power cut does, and start it again on the same files."""
        os.kill(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._process = self._start()

    def close(self) -> None:
        """Stop server and wire."""
        self.wire.close()
        self._process.kill()
        self._process.wait()

    def _start(self) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
