"""When a derivative stops trading on the day it expires: dated rows (`data/expiry_ends.csv`), never a constant.

The rows are written for index contracts. Stock contracts are settled by delivery and go by them too: to be out
earlier than must be is never wrong for an intraday position.
"""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import cache
from importlib.resources import files

from trading.domain.timezone import at_ist


@dataclass(frozen=True, slots=True)
class ExpiryRow:
    """One row. `end` is IST, `valid_to` the last day; `status` is confirmed, single_source or assumed."""

    valid_from: date
    valid_to: date | None
    end: time
    status: str
    source: str

    def holds_on(self, day: date) -> bool:
        """Say whether the row is in force on a day."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)


def expiry_end(day: date, rows: Iterable[ExpiryRow] | None = None) -> datetime | None:
    """Give when contracts that expire on `day` stop trading (aware IST), None where it is the session's own end."""
    known = shipped_rows() if rows is None else rows
    return next((at_ist(day, row.end) for row in known if row.holds_on(day)), None)


def parse_rows(records: Iterable[Mapping[str, str]]) -> tuple[ExpiryRow, ...]:
    """Read rows as the data file spells them. Raises ValueError for an unreadable value, KeyError for no column."""
    return tuple(
        ExpiryRow(
            date.fromisoformat(record["valid_from"]),
            date.fromisoformat(record["valid_to"]) if record["valid_to"] else None,
            time.fromisoformat(record["end"]),
            record["status"],
            record["source"],
        )
        for record in records
    )


@cache
def shipped_rows() -> tuple[ExpiryRow, ...]:
    """Give the shipped rows, read once a process."""
    text = (files("trading.domain") / "data" / "expiry_ends.csv").read_text(encoding="utf-8")
    return parse_rows(csv.DictReader(text.splitlines()))
