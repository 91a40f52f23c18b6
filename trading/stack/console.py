"""One log for all processes: a coloured name in front of each line, and the same without colours in a file.

Lines are written by a thread: a terminal or pipe that nobody reads must not stop the supervisor.
"""

import logging.handlers
import os
import queue
import sys
import threading
from pathlib import Path

COLOURS = (36, 33, 32, 35, 34, 96, 93, 92, 95, 94)
NAME_WIDTH = 9
KEPT_LINES = 5_000
FILE_BYTES = 20_000_000
FLUSH_S = 1.0


class Console:
    """Writes prefixed lines. `is_coloured` is decided by the caller (a terminal, and no NO_COLOR)."""

    def __init__(self, log_file: Path, *, is_coloured: bool, descriptor: int = 1) -> None:
        self._is_coloured = is_coloured
        self._descriptor = descriptor
        self._lines: queue.Queue[str | None] = queue.Queue(KEPT_LINES)
        self._dropped = 0
        self._colours: dict[str, int] = {}
        log_file.parent.mkdir(parents=True, exist_ok=True)
        log_file.touch(mode=0o600)  # the demo's one-time codes are in it
        self._file = logging.handlers.RotatingFileHandler(
            log_file, maxBytes=FILE_BYTES, backupCount=3, encoding="utf-8"
        )
        self._thread = threading.Thread(target=self._write, name="console", daemon=True)
        self._thread.start()

    def line(self, name: str, text: str) -> None:
        """Take one line of the process `name`. Never blocks; what cannot be shown is counted."""
        self._file.emit(logging.makeLogRecord({"msg": f"{name.ljust(NAME_WIDTH)} | {text}"}))
        self._put(f"{self._prefix(name)} {text}")

    def say(self, text: str) -> None:
        """Speak to the person without a prefix. Not kept in the file: it may hold the demo's passwords."""
        self._put(text)

    def close(self) -> None:
        """Write what has gathered, as far as anybody reads it."""
        self._put(None)
        self._thread.join(FLUSH_S)
        self._file.close()

    def _put(self, text: str | None) -> None:
        try:
            self._lines.put_nowait(text)
        except queue.Full:
            self._dropped += 1

    def _prefix(self, name: str) -> str:
        label = f"{name.ljust(NAME_WIDTH)} |"
        if not self._is_coloured:
            return label
        colour = self._colours.setdefault(name, COLOURS[len(self._colours) % len(COLOURS)])
        return f"\x1b[{colour}m{label}\x1b[0m"

    def _write(self) -> None:
        while (text := self._lines.get()) is not None:
            if self._dropped:
                text, self._dropped = f"({self._dropped} lines are only in the log file)\n{text}", 0
            try:
                os.write(self._descriptor, f"{text}\n".encode())
            except OSError:
                return  # nobody is there any more; the file goes on


def wants_colour() -> bool:
    """Colours only at a terminal, and not where NO_COLOR asks for none."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")
