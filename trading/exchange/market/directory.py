"""Finds any instrument of the day's dump, by token or by name. An exchange is read when it is first asked about."""

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Final

from trading.domain.instruments import Instrument, InstrumentType
from trading.exchange.market.data.names import WITH_DERIVATIVES
from trading.exchange.market.dump import EXCHANGES, Dump, Entry
from trading.exchange.market.dump_row import INDEX_NUMBER, SEGMENT_NUMBERS

_EXCHANGES_OF: Final = {number: (exchange,) for exchange, number in SEGMENT_NUMBERS.items()} | {
    INDEX_NUMBER: ("NSE", "BSE")
}


class Directory(Mapping[int, Instrument]):
    """Everything listed, by token. To look one up is cheap, to walk over all of them makes 100,000 instruments."""

    def __init__(self, dump: Dump, taped: Mapping[int, Instrument]) -> None:
        """`taped` are the instruments with prices of their own; they are given as they are."""
        self._dump = dump
        self._taped = taped
        self._tokens: dict[str, dict[int, Entry]] = {}
        self._symbols: dict[str, dict[str, int]] = {}
        self._recalled: dict[int, Instrument] = {}
        self._remembered: dict[str, Instrument] = {}
        self._made = lru_cache(maxsize=20_000)(self._make)

    def __getitem__(self, token: int) -> Instrument:
        if token in self._taped:
            return self._taped[token]
        return self._recalled[token] if token in self._recalled else self._made(token)

    def __iter__(self) -> Iterator[int]:
        for exchange in EXCHANGES:
            yield from self._by_token(exchange)

    def __len__(self) -> int:
        return sum(len(self._by_token(exchange)) for exchange in EXCHANGES)

    def find(self, key: str) -> Instrument | None:
        """Find by `EXCHANGE:TRADINGSYMBOL`."""
        exchange, _, symbol = key.partition(":")
        if exchange not in EXCHANGES:
            return None
        self._by_token(exchange)
        token = self._symbols[exchange].get(symbol)
        return self._remembered.get(key) if token is None else self[token]

    def remember(self, instrument: Instrument) -> None:
        """Keep an instrument that today's dump does not list, as a contract whose strike is far away by now."""
        self._recalled[instrument.token] = instrument
        self._remembered[instrument.key] = instrument

    def _by_token(self, exchange: str) -> dict[int, Entry]:
        if exchange not in self._tokens:
            entries = self._dump.entries(exchange)
            self._symbols[exchange] = {entry.row.symbol: entry.token for entry in entries}
            self._tokens[exchange] = {entry.token: entry for entry in entries}
        return self._tokens[exchange]

    def _make(self, token: int) -> Instrument:
        """Raise KeyError for a token that is not listed."""
        for exchange in _EXCHANGES_OF.get(token & 0xFF, ()):
            entry = self._by_token(exchange).get(token)
            if entry is not None:
                return instrument_of(exchange, entry)
        raise KeyError(token)


def instrument_of(exchange: str, entry: Entry) -> Instrument:
    """Give the instrument that a row of the dump describes."""
    row = entry.row
    is_index = row.segment == "INDICES"
    return Instrument(
        exchange=exchange,
        tradingsymbol=row.symbol,
        token=entry.token,
        tick_size=Decimal(row.tick_size),
        lot_size=row.lot_size,
        instrument_type=InstrumentType.INDEX if is_index else InstrumentType(row.instrument_type),
        segment=row.segment,
        name=row.name,
        expiry=date.fromisoformat(row.expiry) if row.expiry else None,
        strike=Decimal(row.strike),
        has_derivatives=not row.expiry and row.symbol in WITH_DERIVATIVES,
    )
