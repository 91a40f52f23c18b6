"""Kite's instrument dump (GET /instruments, CSV) read into our instruments. Pure.

A row that cannot be read is left out and named; the file as a whole is refused when its header or its
last line is wrong. Real dumps have dates as 2026-01-27 and, older ones, as 27-01-2026; rows of the
INDICES segment say EQ with tick and lot size 0.
"""

import csv
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import lru_cache

from trading.domain.dump import DumpUnreadable, ParsedDump
from trading.domain.instruments import Instrument, InstrumentType
from trading.domain.money import to_decimal

COLUMNS = (
    "instrument_token",
    "exchange_token",
    "tradingsymbol",
    "name",
    "last_price",
    "expiry",
    "strike",
    "tick_size",
    "lot_size",
    "instrument_type",
    "segment",
    "exchange",
)
EXCHANGES = frozenset({"NSE", "BSE", "NFO", "BFO", "CDS", "BCD", "MCX", "NCO", "NSEIX", "GLOBAL"})
TYPES = {"EQ": InstrumentType.EQ, "FUT": InstrumentType.FUT, "CE": InstrumentType.CE, "PE": InstrumentType.PE}
CASH_EXCHANGES = frozenset({"NSE", "BSE"})
STOCK_DERIVATIVE_EXCHANGES = frozenset({"NFO", "BFO"})


def parse_dump(raw: bytes) -> ParsedDump:
    """Read a whole dump. Raises DumpUnreadable for a wrong encoding, a missing column or a last line that is cut."""
    try:
        lines = raw.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise DumpUnreadable(f"the file is not UTF-8: {error}") from error
    if not lines:
        raise DumpUnreadable("the file is empty")
    places = _places(lines[0])
    if not raw.endswith(b"\n") and len(next(csv.reader(lines[-1:]), [])) < len(places):
        raise DumpUnreadable("the last line is cut")
    instruments, problems = _read(csv.reader(lines[1:]), places)
    unique = _without_twins(instruments, problems)
    return ParsedDump(_with_derivatives(unique), tuple(problems))


def _places(header: str) -> list[int]:
    names = [name.strip() for name in next(csv.reader([header]))]
    missing = [column for column in COLUMNS if column not in names]
    if missing:
        raise DumpUnreadable(f"columns were missing: {', '.join(missing)}")
    return [names.index(column) for column in COLUMNS]


def _read(rows: Iterable[Sequence[str]], places: Sequence[int]) -> tuple[list[Instrument], list[str]]:
    instruments, problems = [], []
    for line, row in enumerate(rows, start=2):
        try:
            instruments.append(parse_instrument([row[place] for place in places]))
        except (IndexError, KeyError, ValueError) as error:
            problems.append(f"line {line}: {type(error).__name__}: {error}")
    return instruments, problems


def _without_twins(instruments: Sequence[Instrument], problems: list[str]) -> list[Instrument]:
    """Leave out every row of a symbol that is there more than once: which one is right cannot be known."""
    rows = Counter((one.exchange, one.tradingsymbol) for one in instruments)
    if len(rows) == len(instruments):
        return list(instruments)
    problems.extend(
        f"{exchange}:{symbol} is there {count} times"
        for (exchange, symbol), count in rows.items()
        for _ in range(count)
        if count > 1
    )
    return [one for one in instruments if rows[one.exchange, one.tradingsymbol] == 1]


def parse_instrument(values: Sequence[str]) -> Instrument:
    """Read one row, values in the order of COLUMNS. Raises ValueError or KeyError for a row that is wrong.

    `has_derivatives` needs the whole dump and is False here.
    """
    token, _, symbol, name, _, expiry, strike, tick_size, lot_size, kind, segment, exchange = values
    if exchange not in EXCHANGES:
        raise ValueError(f"exchange was {exchange!r}")
    if not symbol:
        raise ValueError("tradingsymbol was empty")
    instrument_type = InstrumentType.INDEX if segment == "INDICES" else TYPES[kind]
    instrument = Instrument(
        exchange=exchange,
        tradingsymbol=symbol,
        token=int(token),
        tick_size=_number(tick_size),
        lot_size=int(lot_size),
        instrument_type=instrument_type,
        segment=segment,
        name=name,
        expiry=_day(expiry),
        strike=_number(strike),
    )
    if instrument.is_tradable and (instrument.tick_size <= 0 or instrument.lot_size <= 0):
        raise ValueError(f"{instrument.key} had tick size {tick_size}, lot size {lot_size}")
    if instrument_type in (InstrumentType.FUT, InstrumentType.CE, InstrumentType.PE) and instrument.expiry is None:
        raise ValueError(f"{instrument.key} had no expiry")
    return instrument


def _with_derivatives(instruments: Sequence[Instrument]) -> tuple[Instrument, ...]:
    """Mark the shares whose symbol is the underlying of a future or option, at either exchange.

    The rule of the closing auction asks whether the share has derivatives, not where; a share of the
    other exchange that is marked too ends its day earlier, which is the safe side.
    """
    underlyings = {one.name for one in instruments if one.exchange in STOCK_DERIVATIVE_EXCHANGES}

    def marked(one: Instrument) -> Instrument:
        is_share = one.exchange in CASH_EXCHANGES and one.instrument_type is InstrumentType.EQ
        return replace(one, has_derivatives=True) if is_share and one.tradingsymbol in underlyings else one

    return tuple(map(marked, instruments))


@lru_cache(maxsize=4096)
def _number(text: str) -> Decimal:
    return to_decimal(text)


@lru_cache(maxsize=4096)
def _day(text: str) -> date | None:
    if not text:
        return None
    if len(text) == 10 and text[2] == text[5] == "-":
        text = f"{text[6:]}-{text[3:5]}-{text[:2]}"
    return date.fromisoformat(text)
