"""The wire to a server, which can be cut, fall silent, or forget what it carried."""

import socket
import struct
import threading
from contextlib import suppress

from trading.stack.ports import LOOPBACK

RESETS = struct.pack("ii", 1, 0)
"""SO_LINGER with no seconds: closing sends RST, and whatever was under way is gone."""
PIECE = 1 << 16


class Wire:
    """A port that passes everything on to another one.

    `reset` cuts all connections, `hang` passes nothing on, `forget` does so with what is open and takes new ones.
    """

    def __init__(self, to_port: int) -> None:
        self._to_port = to_port
        self._ends: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._flows = self._flowing()
        self._forgotten: list[threading.Event] = []
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

    def forget(self) -> None:
        """Leave what is open half-open for ever, as a firewall or a dead machine does; new connections are served."""
        self._forgotten.append(self._flows)
        self._flows.clear()
        self._flows = self._flowing()

    def flow(self) -> None:
        """Pass everything on again; what hung in the middle is cut."""
        self._flows.set()
        self.reset()

    def close(self) -> None:
        """End."""
        for flows in (self._flows, *self._forgotten):
            flows.set()
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
            for ends in ((near, far), (far, near)):
                threading.Thread(target=self._pass_on, args=(*ends, self._flows), daemon=True).start()

    @staticmethod
    def _flowing() -> threading.Event:
        flows = threading.Event()
        flows.set()
        return flows

    def _pass_on(self, source: socket.socket, target: socket.socket, flows: threading.Event) -> None:
        with suppress(OSError):
            while piece := source.recv(PIECE):
                if not flows.is_set():
                    target.sendall(piece[: len(piece) // 2])
                    flows.wait()
                    break
                target.sendall(piece)
        with self._lock:
            self._ends -= {source, target}
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)  # closing alone neither wakes the other thread nor tells the other side
            end.close()
