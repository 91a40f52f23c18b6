"""The rows that evidence is asked for: faults F01-F69 and invariants I1-I27 of the money path (rows.toml)."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

TABLE = Path(__file__).with_name("rows.toml")
DATABASES = ("sqlite", "postgresql", "none")


@dataclass(frozen=True, slots=True)
class Row:
    """One fault or invariant. `skipped` says, a database, why nothing can run there."""

    id: str
    what: str
    skipped: Mapping[str, str] = field(default_factory=dict)


def load_rows(table: Path = TABLE) -> dict[str, Row]:
    """Read the table. Raises ValueError for a database that is not one of DATABASES."""
    rows = {}
    for id_, fields in tomllib.loads(table.read_text()).items():
        skipped = fields.get("skipped", {})
        if strange := set(skipped) - set(DATABASES):
            raise ValueError(f"{id_}: skipped names {sorted(strange)}; the databases are {', '.join(DATABASES)}")
        rows[id_] = Row(id_, fields["what"], skipped)
    return rows
