"""How much one order may have, and an order in slices of that: dated rows (`data/freeze_quantities.csv`).

An order above the exchange's freeze quantity is refused, so more than that goes out as several orders.
"""

import csv
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files

from trading.domain.instruments import Instrument


@dataclass(frozen=True, slots=True)
class FreezeRow:
    """The most that one order of an underlying may have: `units`, else `lots`. No underlying means all others."""

    exchange: str
    underlying: str
    valid_from: date
    units: int | None
    lots: int | None


class FreezeTable:
    """Finds the row of an exchange, an underlying and a day; a day before the first row goes by the first."""

    def __init__(self, rows: Iterable[FreezeRow]) -> None:
        self.rows = tuple(sorted(rows, key=lambda row: row.valid_from))

    @staticmethod
    @cache
    def load() -> "FreezeTable":
        """Read the shipped rows."""
        text = files("trading.domain").joinpath("data/freeze_quantities.csv").read_text(encoding="utf-8")
        return FreezeTable(_row(cells) for cells in csv.DictReader(text.splitlines()))

    def find(self, exchange: str, underlying: str, day: date | None = None) -> FreezeRow | None:
        """Give the row in force on `day` (None: the newest), the underlying's own before the one for all others."""
        for name in (underlying, ""):
            rows = [row for row in self.rows if (row.exchange, row.underlying) == (exchange, name)]
            if rows:
                begun = [row for row in rows if day is None or row.valid_from <= day]
                return begun[-1] if begun else rows[0]
        return None


def most_units(key: str, instrument: Instrument | None, day: date | None = None) -> int | None:
    """Give the most units, in whole lots, that one order of `NFO:NIFTY26DECFUT` may have; None where it is not known.

    `instrument` is None for one that nobody described: then only a row in units says something.
    """
    exchange, _, symbol = key.partition(":")
    underlying = instrument.name if instrument and instrument.name else re.split(r"\d", symbol, maxsplit=1)[0]
    row = FreezeTable.load().find(exchange, underlying, day)
    if row is None:
        return None
    lot = max(1, instrument.lot_size) if instrument else 1
    if row.units is not None:
        return max(lot, row.units // lot * lot)
    return row.lots * lot if row.lots and instrument else None


def slice_by(quantity: int, most: int | None) -> list[int]:
    """Cut a positive quantity into slices of at most `most` units, largest first; they add up to it."""
    if quantity <= 0:
        raise ValueError(f"quantity must be positive, was {quantity}")
    if most is None:
        return [quantity]
    return [min(most, quantity - begun) for begun in range(0, quantity, most)]


def _row(cells: dict[str, str]) -> FreezeRow:
    return FreezeRow(
        exchange=cells["exchange"],
        underlying=cells["underlying"],
        valid_from=date.fromisoformat(cells["valid_from"]),
        units=int(cells["units"]) if cells["units"] else None,
        lots=int(cells["lots"]) if cells["lots"] else None,
    )
