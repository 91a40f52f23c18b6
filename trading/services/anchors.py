"""Anchors of the event log: heads of its chains noted outside the database, in a file that is only ever added to.

Whoever can write the database can cut a chain's end and put its head back, or write the whole chain anew, and it still
verifies in itself. What was anchored before can then no longer be hidden from who has the file. Each line of
`STATE_DIR/anchors/event-log.jsonl` is JSON `{"wall", "chain", "seq", "hash", "before"}`; `before` is the SHA-256 of the
line above, so that the file itself shows a changed or missing line. It is written and fsynced every ten market minutes
and with the day's report, whose mail carries the client's own head to a place that nobody here can write.
"""

import fcntl
import json
import os
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from django.conf import settings

from trading.models import EventChain
from trading.stores.durable import sync_folder


def anchor_file() -> Path:
    """Give the file of this installation."""
    return Path(settings.STATE_DIR) / "anchors" / "event-log.jsonl"


@dataclass(frozen=True, slots=True)
class Anchors:
    """What the file remembers: chain name to number to hash, and what is wrong with the file itself."""

    of: dict[str, dict[int, str]] = field(default_factory=dict)
    count: int = 0
    problems: tuple[str, ...] = ()


def write_anchors(*, wall: datetime, file: Path | None = None) -> int:
    """Note every chain's head that moved since it was noted last, on the disk when this returns; gives how many."""
    file = file or anchor_file()
    file.parent.mkdir(parents=True, exist_ok=True)
    is_new = not file.exists()
    with file.open("a+b") as out:
        fcntl.flock(out, fcntl.LOCK_EX)
        out.seek(0)
        before, known, whole = "", {}, True
        for raw in out:
            whole = raw.endswith(b"\n")
            before = _digest(raw)
            if (line := _parsed(raw)) is not None:
                known[line["chain"]] = line["hash"]
        moved = [chain for chain in EventChain.objects.order_by("id") if known.get(chain.name, "") != chain.last_hash]
        text = b"" if whole else b"\n"  # a crash cut the last line off: begin a new one
        for chain in moved:
            told = {"wall": wall.isoformat(), "chain": chain.name, "seq": chain.last_seq, "hash": chain.last_hash}
            raw = json.dumps({**told, "before": before}).encode() + b"\n"
            text, before = text + raw, _digest(raw)
        if moved:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
    if is_new:
        sync_folder(file.parent)
    return len(moved)


def read_anchors(file: Path | None = None) -> Anchors:
    """Read what was noted. A damaged file is told of, and what can be read of it still counts."""
    file = file or anchor_file()
    if not file.exists():
        return Anchors()
    of: dict[str, dict[int, str]] = defaultdict(dict)
    problems, before, count = [], "", 0
    with file.open("rb") as lines:
        for number, raw in enumerate(lines, 1):
            line = _parsed(raw)
            if line is None:
                problems.append(f"line {number} of {file.name} cannot be read")
            else:
                if line["before"] != before:
                    problems.append(
                        f"line {number} of {file.name} does not follow the one above: something was changed"
                    )
                of[line["chain"]][line["seq"]] = line["hash"]
                count += 1
            before = _digest(raw)
    return Anchors(dict(of), count, tuple(problems))


def head_words(client_id: int) -> str:
    """Give one sentence with the head of a client's chain, for the mail: an anchor that lies with the client."""
    chain = EventChain.objects.filter(client_id=client_id).first()
    if chain is None or not chain.last_seq:
        return ""
    return f"Your event log has {chain.last_seq} lines; the last one's hash is {chain.last_hash}."


def _parsed(raw: bytes) -> dict[str, Any] | None:
    try:
        line: dict[str, Any] = json.loads(raw)
        fits = isinstance(line["seq"], int) and all(isinstance(line[name], str) for name in ("chain", "hash", "before"))
    except (ValueError, KeyError, TypeError):
        return None
    return line if fits else None


def _digest(raw: bytes) -> str:
    return sha256(raw.rstrip(b"\n")).hexdigest()
