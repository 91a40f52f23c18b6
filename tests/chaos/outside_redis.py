"""A Redis outside of the stack, as a self-hoster's, and the wire to it, which can be cut or fall silent."""

import os
import signal
import socket
import struct
import subprocess
import threading
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from trading.stack.embedded_redis import configure
from trading.stack.ports import LOOPBACK, free_port

RESETS = struct.pack("ii", 1, 0)
"""SO_LINGER with no seconds: closing sends RST, and whatever was under way is gone."""
PIECE = 1 << 16


class Wire:
    """A port that passes everything on to another one. `reset` cuts all connections, `hang` passes nothing on."""

    def __init__(self, to_port: int) -> None:
        self._to_port = to_port
        self._ends: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._flows = threading.Event()
        self._flows.set()
        self._door = socket.create_server((LOOPBACK, 0))
        self.port: int = self._door.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def reset(self) -> int:
        """Cut every connection by RST in both directions; gives how many ends there were."""
        with self._lock:
            ends, self._ends = self._ends, set()
        for end in ends:
            with suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESETS)
                end.shutdown(socket.SHUT_RD)  # wakes the thread that reads it
            end.close()
        return len(ends)

    def lead_to(self, port: int) -> None:
        """From now on lead to another port, as a name does after a failover; what is open is cut."""
        self._to_port = port
        self.reset()

    def hang(self) -> None:
        """From now on only the first half of what comes next is passed on, and then nothing."""
        self._flows.clear()

    def flow(self) -> None:
        """Pass everything on again; what hung in the middle is cut."""
        self._flows.set()
        self.reset()

    def close(self) -> None:
        """End."""
        self._flows.set()
        self._door.close()
        self.reset()

    def _serve(self) -> None:
        while True:
            try:
                near, _ = self._door.accept()
            except OSError:
                return
            try:
                far = socket.create_connection((LOOPBACK, self._to_port))
            except OSError:
                near.close()
                continue
            with self._lock:
                self._ends |= {near, far}
            for source, target in ((near, far), (far, near)):
                threading.Thread(target=self._pass_on, args=(source, target), daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while piece := source.recv(PIECE):
                if not self._flows.is_set():
                    target.sendall(piece[: len(piece) // 2])
                    self._flows.wait()
                    break
                target.sendall(piece)
        with self._lock:
            self._ends -= {source, target}
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)  # closing alone neither wakes the other thread nor tells the other side
            end.close()


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
