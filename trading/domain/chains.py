"""One hash chain of the event log: how a line is hashed, and where a chain stops being what was written.

A line's hash covers its chain's name, its number, all it says, and the hash of the line before it. No I/O: rows are
given one after the other, so that a log of any length is checked in constant memory.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any


def canonical(data: Mapping[str, Any]) -> str:
    """Give JSON with sorted keys and no spaces; what JSON does not know becomes its `str`. NaN raises ValueError."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), default=str, allow_nan=False)


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of a chain, in the columns of the table. Times are aware, `body` is canonical JSON."""

    seq: int
    kind: str
    at: datetime
    wall_at: datetime
    account_key: str
    instrument: str
    tag: str
    body: str
    prev_hash: str
    hash: str = ""

    def told(self, chain: str) -> dict[str, Any]:
        """Give what the hash covers, JSON-able: the form of an export too."""
        return {
            "chain": chain,
            "seq": self.seq,
            "kind": self.kind,
            "at": self.at.astimezone(UTC).isoformat(),
            "wall_at": self.wall_at.astimezone(UTC).isoformat(),
            "account_key": self.account_key,
            "instrument": self.instrument,
            "tag": self.tag,
            "body": self.body,
            "prev_hash": self.prev_hash,
        }

    def computed_hash(self, chain: str) -> str:
        """Hash the line as it stands."""
        return sha256(canonical(self.told(chain)).encode()).hexdigest()


class BreakKind(StrEnum):
    """What is wrong at the first line that does not verify."""

    EDITED = "edited"
    INSERTED = "inserted"
    MISSING = "missing"
    RELINKED = "relinked"
    """Its own hash is good, but the next line continues another: edited, with its hash made anew."""
    CUT = "cut"
    BEYOND_HEAD = "beyond the head"
    REWRITTEN = "rewritten"
    """The chain is whole in itself, but an anchor kept outside remembers another."""


@dataclass(frozen=True, slots=True)
class Break:
    """The first line that does not verify, what is wrong, and a sentence."""

    seq: int
    kind: BreakKind
    text: str


@dataclass(slots=True)
class ChainCheck:
    """A walk along one chain. `anchors` is what was noted outside: number to hash. Stop at the first `broken`."""

    name: str
    anchors: Mapping[int, str] = field(default_factory=dict)
    seq: int = 0
    prev_hash: str = ""
    anchored_to: int = 0
    """The last line that an anchor confirmed."""
    broken: Break | None = None

    def take(self, line: LogLine) -> bool:
        """Look at the next line; False when the chain breaks here."""
        if line.seq != self.seq + 1:
            text = f"line {self.seq + 1} is missing: after {self.seq} comes {line.seq}"
            return self._break(self.seq + 1, BreakKind.MISSING, text)
        if line.hash != line.computed_hash(self.name):
            return self._break_at(line)
        if line.prev_hash != self.prev_hash:
            text = f"line {line.seq} continues another line than {self.seq}: that one was made anew"
            return self._break(max(self.seq, 1), BreakKind.RELINKED, text)
        anchor = self.anchors.get(line.seq)
        if anchor is not None and anchor != line.hash:
            first = self.anchored_to + 1
            text = f"an anchor remembers another line {line.seq}: something from line {first} on was changed"
            return self._break(first, BreakKind.REWRITTEN, text)
        self.seq, self.prev_hash = line.seq, line.hash
        if anchor is not None:
            self.anchored_to = line.seq
        return True

    def end(self, *, last_seq: int, last_hash: str) -> bool:
        """Compare with the chain's head and the anchors, once every line was taken; False when the end is wrong."""
        remembered = max(self.anchors, default=0)
        if self.seq < max(last_seq, remembered):
            who = "the head" if self.seq < last_seq else "an anchor"
            text = f"the log ends at line {self.seq}, {who} knows {max(last_seq, remembered)}"
            return self._break(self.seq + 1, BreakKind.CUT, text)
        if self.seq > last_seq:
            text = f"line {last_seq + 1} stands behind the head, which is at {last_seq}"
            return self._break(last_seq + 1, BreakKind.BEYOND_HEAD, text)
        if self.prev_hash != last_hash:
            return self._break(self.seq, BreakKind.RELINKED, f"line {self.seq} is not the one that the head knows")
        return True

    def _break_at(self, line: LogLine) -> bool:
        """Tell a line that was changed from one that only stands a place too late: then something was put in before."""
        before = line.seq - 1
        if line.hash == self.prev_hash:
            return self._break(line.seq, BreakKind.INSERTED, f"line {line.seq} is a copy of the one before it")
        if before and replace(line, seq=before).computed_hash(self.name) == line.hash:
            return self._break(
                before, BreakKind.INSERTED, f"line {before} was put in: what follows was written before it"
            )
        return self._break(line.seq, BreakKind.EDITED, f"line {line.seq} is not what was written")

    def _break(self, seq: int, kind: BreakKind, text: str) -> bool:
        self.broken = Break(seq, kind, text)
        return False
