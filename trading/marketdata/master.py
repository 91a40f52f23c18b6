"""The instrument master: one compressed file a broker and day, and the checks a new dump must pass.

A dump that is cut, too small or yesterday's is refused, and the last good one stays in use. How a
broker's file is read is the adapter's (`parse`); here it is only judged and kept.
"""

import gzip
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path

from trading.domain.dump import DumpUnreadable, ParsedDump
from trading.domain.errors import TradingError

SMALLEST_SHARE = 0.8
"""A dump with fewer rows than this share of the last good one is cut or lacks an exchange."""
FEWEST_ROWS = 1000
"""What the very first dump must have."""
MOST_UNREADABLE = 0.01
MOST_EXPIRED = 0.01
"""Shares of rows: unreadable ones, and contracts that ended before the day (then it is an old file)."""
GZIP_MAGIC = b"\x1f\x8b"

Parse = Callable[[bytes], ParsedDump]


class DumpRefused(TradingError):
    """The new dump may not be used; the message says why."""

    code = "DUMP_REFUSED"


@dataclass(frozen=True, slots=True)
class DumpRecord:
    """One kept file: its day, where it lies below the state directory, its proof and size."""

    day: date
    broker: str
    path: Path
    sha256: str
    row_count: int


@dataclass(frozen=True, slots=True)
class NewDump:
    """A dump that was kept: its record, and what was in it."""

    record: DumpRecord
    contents: ParsedDump


class DumpFolder:
    """The files of one broker, `<state directory>/instruments/<broker>/<day>.csv.gz`."""

    def __init__(self, state_dir: Path, broker: str) -> None:
        self._root = state_dir
        self._broker = broker
        self._folder = state_dir / "instruments" / broker

    def accept(self, raw: bytes, *, day: date, parse: Parse) -> NewDump:
        """Judge a fetched dump and keep it as that day's. Raises DumpRefused and then changes nothing.

        The same day may be fetched again; the newer file takes the older one's place, whole or not at all.
        """
        plain = unpacked(raw)
        proof = sha256(plain).hexdigest()
        contents = judged(plain, proof, day=day, last=self.latest(before=day), parse=parse)
        path = self._path(day)
        path.parent.mkdir(parents=True, exist_ok=True)
        coming = path.with_suffix(".coming")
        coming.write_bytes(gzip.compress(plain, 6, mtime=0))
        coming.replace(path)
        return NewDump(self._record(day, proof, contents.row_count), contents)

    def read(self, day: date, *, parse: Parse) -> ParsedDump:
        """Read a kept file again. Raises FileNotFoundError, or DumpRefused when it was damaged."""
        try:
            return parse(unpacked(self._path(day).read_bytes()))
        except DumpUnreadable as error:
            raise DumpRefused(f"the kept dump of {day} cannot be read: {error}") from error

    def days(self) -> list[date]:
        """List the days that have a file, oldest first."""
        return sorted(date.fromisoformat(path.name.removesuffix(".csv.gz")) for path in self._folder.glob("*.csv.gz"))

    def latest(self, *, before: date | None = None) -> DumpRecord | None:
        """Give the newest kept file, of the days before `before` if that is given; a damaged one is passed over."""
        for day in reversed(self.days()):
            if before is None or day < before:
                try:
                    plain = unpacked(self._path(day).read_bytes())
                except DumpRefused:
                    continue
                return self._record(day, sha256(plain).hexdigest(), len(plain.splitlines()) - 1)
        return None

    def _path(self, day: date) -> Path:
        return self._folder / f"{day.isoformat()}.csv.gz"

    def _record(self, day: date, proof: str, rows: int) -> DumpRecord:
        return DumpRecord(day, self._broker, self._path(day).relative_to(self._root), proof, rows)


def unpacked(raw: bytes) -> bytes:
    """Undo gzip where there is any. Raises DumpRefused for a stream that is cut or damaged."""
    if not raw.startswith(GZIP_MAGIC):
        return raw
    try:
        return gzip.decompress(raw)
    except (OSError, EOFError, zlib.error) as error:
        raise DumpRefused(f"the gzip stream is damaged: {error}") from error


def judged(plain: bytes, proof: str, *, day: date, last: DumpRecord | None, parse: Parse) -> ParsedDump:
    """Read a dump and give it if it may be used on `day`. Raises DumpRefused.

    `last` is the last good dump of an earlier day, None when there is none yet.
    """
    if last is not None and proof == last.sha256:
        raise DumpRefused(f"the dump is the one of {last.day} again")
    try:
        contents = parse(plain)
    except DumpUnreadable as error:
        raise DumpRefused(str(error)) from error
    fewest = FEWEST_ROWS if last is None else int(last.row_count * SMALLEST_SHARE)
    if contents.row_count < fewest:
        raise DumpRefused(f"the dump had {contents.row_count} rows, at least {fewest} were expected")
    _check_rows(contents, day)
    return contents


def _check_rows(contents: ParsedDump, day: date) -> None:
    unreadable, rows = len(contents.problems), contents.row_count
    if unreadable > rows * MOST_UNREADABLE:
        raise DumpRefused(f"{unreadable} of {rows} rows could not be read, the first: {contents.problems[0]}")
    expiries = [one.expiry for one in contents.instruments if one.expiry is not None]
    expired = sum(expiry < day for expiry in expiries)
    if expired > len(expiries) * MOST_EXPIRED:
        raise DumpRefused(f"{expired} of {len(expiries)} contracts expired before {day}: an old dump")
