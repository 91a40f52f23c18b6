"""Alarms on disk while the database takes none: lines of JSON, fsynced, shared by all processes of a machine."""

import fcntl
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

from trading.domain.alarms import cause_of


@dataclass(frozen=True, slots=True)
class Notice:
    """One alarm that went round the database. `at` is market time, `wall` wall time; `number` tells lines apart."""

    number: str
    client_id: int | None
    code: str
    text: str
    at: datetime
    wall: datetime

    @property
    def cause(self) -> tuple[int | None, str, str]:
        """Give what notices of one cause share."""
        return self.client_id, self.code, cause_of(self.text)


@dataclass(frozen=True, slots=True)
class Kept:
    """A notice of the spool, and who was told of it: (channel, recipient)."""

    notice: Notice
    told: frozenset[tuple[str, str]]


class Spool:
    """One file; whoever writes or empties it holds its lock."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "alarms" / "waiting.jsonl"

    def add(self, notice: Notice) -> None:
        """Keep a notice; it is on disk when this returns. Raises OSError."""
        self._append(
            {
                "number": notice.number,
                "client": notice.client_id,
                "code": notice.code,
                "text": notice.text,
                "at": notice.at.isoformat(),
                "wall": notice.wall.isoformat(),
            }
        )

    def add_told(self, number: str, channel: str, recipient: str) -> None:
        """Note that a notice reached somebody. Raises OSError."""
        self._append({"told": number, "channel": channel, "recipient": recipient})

    def kept(self) -> list[Kept]:
        """Give all that waits, in order. A line that a power cut left half written is passed over."""
        if not self._path.exists():
            return []
        with self._locked() as file:
            return _read(file)

    def forget(self, numbers: Iterable[str]) -> None:
        """Drop notices that the database has now, with who was told of them."""
        gone = frozenset(numbers)
        with self._locked() as file:
            file.seek(0)
            stay = [line for line in file if not _is_of(line, gone)]
            file.seek(0)
            file.truncate()
            file.writelines(stay)
            file.flush()
            os.fsync(file.fileno())

    @contextmanager
    def bringing_home(self) -> Iterator[bool]:
        """Be the one process that empties the file; gives False while another one does."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.with_name("home.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
                return
            yield True

    def _append(self, line: dict[str, Any]) -> None:
        with self._locked() as file:
            file.seek(0, os.SEEK_END)
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
            file.flush()
            os.fsync(file.fileno())

    @contextmanager
    def _locked(self) -> Iterator[TextIO]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "r+", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield file


def _read(file: TextIO) -> list[Kept]:
    file.seek(0)
    notices: dict[str, Notice] = {}
    told: dict[str, set[tuple[str, str]]] = {}
    for text in file:
        try:
            line = json.loads(text)
            if "told" in line:
                told.setdefault(line["told"], set()).add((line["channel"], line["recipient"]))
                continue
            moments = (datetime.fromisoformat(line["at"]), datetime.fromisoformat(line["wall"]))
            notices[line["number"]] = Notice(line["number"], line["client"], line["code"], line["text"], *moments)
        except (ValueError, KeyError, TypeError):
            continue
    return [Kept(notice, frozenset(told.get(number, ()))) for number, notice in notices.items()]


def _is_of(text: str, numbers: frozenset[str]) -> bool:
    """Say whether a line is about one of these notices; one that cannot be read goes too."""
    try:
        line = json.loads(text)
        return line.get("number", line.get("told")) in numbers
    except (ValueError, AttributeError):
        return True
