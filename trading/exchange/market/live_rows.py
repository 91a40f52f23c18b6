"""The instruments of a live market as the feeder names them, and their rows on disk for the next start."""

import json
import os
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from trading.domain.instruments import Instrument, InstrumentType

FILE_NAME = "live_instruments.json"


def instrument_from(row: Mapping[str, Any]) -> Instrument:
    """Read one row: the fields of `domain.Instrument`, prices as strings, the expiry as ISO date or null.

    Raises ValueError that names the row.
    """
    try:
        instrument = Instrument(
            exchange=_text(row["exchange"]),
            tradingsymbol=_text(row["tradingsymbol"]),
            token=int(row["token"]),
            tick_size=Decimal(str(row["tick_size"])),
            lot_size=int(row["lot_size"]),
            instrument_type=InstrumentType(row["instrument_type"]),
            segment=str(row["segment"]),
            name=str(row.get("name", "")),
            expiry=date.fromisoformat(row["expiry"]) if row.get("expiry") else None,
            strike=Decimal(str(row.get("strike") or 0)),
            has_derivatives=bool(row.get("has_derivatives", False)),
        )
    except (KeyError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
        raise ValueError(f"an instrument's row cannot be read ({error!r}): {row!r:.200}") from error
    if instrument.token <= 0 or instrument.tick_size <= 0 or instrument.lot_size <= 0:
        raise ValueError(f"token, tick_size and lot_size must be positive: {row!r:.200}")
    return instrument


def row_of(instrument: Instrument) -> dict[str, Any]:
    """Give the row that `instrument_from` reads."""
    return {
        "exchange": instrument.exchange,
        "tradingsymbol": instrument.tradingsymbol,
        "token": instrument.token,
        "tick_size": str(instrument.tick_size),
        "lot_size": instrument.lot_size,
        "instrument_type": instrument.instrument_type.value,
        "segment": instrument.segment,
        "name": instrument.name,
        "expiry": instrument.expiry.isoformat() if instrument.expiry else None,
        "strike": str(instrument.strike),
        "has_derivatives": instrument.has_derivatives,
    }


class RowFile:
    """Every instrument that was ever named to this exchange: its ledger may speak of each of them."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE_NAME

    def read(self) -> list[Instrument]:
        """Give what was kept, nothing for a new exchange. Raises ValueError for a damaged file."""
        try:
            return [instrument_from(row) for row in json.loads(self._path.read_text())]
        except FileNotFoundError:
            return []
        except (OSError, ValueError, TypeError) as error:
            raise ValueError(f"{self._path} was damaged ({error}); start with --fresh to begin anew") from error

    def write(self, instruments: Iterable[Instrument]) -> None:
        """Replace the file in one move, before anybody can trade what is new in it."""
        draft = self._path.with_suffix(".new")
        with draft.open("w") as file:
            json.dump([row_of(one) for one in instruments], file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._path)


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError(f"exchange and tradingsymbol must be words, was {value!r}")
    return value
