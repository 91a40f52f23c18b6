"""The rows that evidence is asked for: faults F01-F69 and invariants I1-I27 of the money path (rows.toml)."""

import subprocess
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

TABLE = Path(__file__).with_name("rows.toml")
ROOT = TABLE.parents[2]
DATABASES = ("sqlite", "postgresql", "none")


@dataclass(frozen=True, slots=True)
class Row:
    """One fault or invariant. `databases` must appear in the evidence; `skipped` says why nothing can run on one."""

    id: str
    what: str
    skipped: Mapping[str, str] = field(default_factory=dict)
    databases: tuple[str, ...] = ()
    not_tried: str = ""
    """The part of it that no test shows, and why; `how` says so."""


def describe_commit() -> str:
    """Name the commit that is checked out, with `-dirty` when files differ from it."""
    command = ["git", "describe", "--always", "--abbrev=12", "--dirty"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def load_rows(table: Path = TABLE) -> dict[str, Row]:
    """Read the table. Raises ValueError for a database that is not one of DATABASES."""
    rows = {}
    for id_, fields in tomllib.loads(table.read_text()).items():
        skipped = fields.get("skipped", {})
        databases = tuple(fields.get("databases", ()))
        if strange := {*skipped, *databases} - set(DATABASES):
            raise ValueError(f"{id_} names {sorted(strange)}; the databases are {', '.join(DATABASES)}")
        rows[id_] = Row(id_, fields["what"], skipped, databases, fields.get("not_tried", ""))
    return rows
