"""When the broker itself closes intraday positions: dated rows (`data/broker_square_off.csv`), never a constant."""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import cache
from importlib.resources import files

from trading.domain.instruments import InstrumentClass
from trading.domain.sessions import SessionHours
from trading.domain.timezone import at_ist

RUN_BY: Mapping[str, str] = {"kite": "zerodha", "paper": "zerodha", "smartapi": "angelone"}
"""Our word of an account's broker, and the company whose rows hold there; paper accounts follow Zerodha's."""


@dataclass(frozen=True, slots=True)
class SquareOffRow:
    """One row of a broker for one instrument class. `at` is IST, `fee` rupees an order before GST.

    On a day whose continuous trading is not around `at` (a special Saturday, muhurat) it is `before_end` before
    the end of continuous trading. `status` is confirmed, single_source or assumed.
    """

    broker: str
    instrument_class: InstrumentClass
    valid_from: date
    valid_to: date | None
    at: time
    before_end: timedelta
    fee: Decimal
    status: str
    source: str

    def holds_on(self, day: date) -> bool:
        """Say whether the row is in force on a day."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)

    def moment(self, hours: SessionHours) -> datetime:
        """Give when it is done on the day of `hours` (aware IST)."""
        wished = at_ist(hours.day, self.at)
        return wished if hours.open < wished < hours.continuous_end else hours.continuous_end - self.before_end


def find_row(
    broker: str, instrument_class: InstrumentClass, day: date, rows: Iterable[SquareOffRow] | None = None
) -> SquareOffRow | None:
    """Give the row in force, None where nothing is squared off."""
    known = shipped_rows() if rows is None else rows
    mine = (row for row in known if row.broker == broker and row.instrument_class is instrument_class)
    return next((row for row in mine if row.holds_on(day)), None)


def parse_rows(records: Iterable[Mapping[str, str]]) -> tuple[SquareOffRow, ...]:
    """Read rows as the data file spells them. Raises ValueError for an unknown word, KeyError for a missing column."""
    return tuple(
        SquareOffRow(
            record["broker"],
            InstrumentClass(name),
            date.fromisoformat(record["valid_from"]),
            date.fromisoformat(record["valid_to"]) if record["valid_to"] else None,
            time.fromisoformat(record["at"]),
            timedelta(minutes=int(record["before_end_minutes"])),
            Decimal(record["rupees_an_order"]),
            record["status"],
            record["source"],
        )
        for record in records
        for name in record["instrument_classes"].split()
    )


@cache
def shipped_rows() -> tuple[SquareOffRow, ...]:
    """Give the shipped rows, read once a process."""
    text = (files("trading.domain") / "data" / "broker_square_off.csv").read_text(encoding="utf-8")
    return parse_rows(csv.DictReader(text.splitlines()))
