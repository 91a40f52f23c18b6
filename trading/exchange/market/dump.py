"""The instrument dump of one day: Kite's CSV of everything listed, about 100,000 rows over six exchanges.

The traded universe has its own tokens and the right derivatives around yesterday's close; the rest is
there so that a reader meets the real size. As in a real dump `last_price` is 0. A row keeps its token
from day to day.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Final, NamedTuple

from trading.exchange.market.dump_cash import bse_rows, nse_rows
from trading.exchange.market.dump_derivatives import bfo_rows, cds_rows, mcx_rows, nfo_rows
from trading.exchange.market.dump_row import Row, Tokens
from trading.exchange.market.hours import Hours
from trading.exchange.market.listing import Listing

HEADER: Final = (
    "instrument_token,exchange_token,tradingsymbol,name,last_price,expiry,strike,"
    "tick_size,lot_size,instrument_type,segment,exchange\n"
)
EXCHANGES: Final = ("NSE", "BSE", "NFO", "BFO", "MCX", "CDS")


class Entry(NamedTuple):
    """One row with its tokens."""

    token: int
    exchange_token: int
    row: Row


class Dump:
    """Makes each exchange's part once, when it is first asked for."""

    def __init__(
        self, day: date, calendar: Hours, listings: Sequence[Listing], price_of: Callable[[str, str], float | None]
    ) -> None:
        """Take the traded universe, and yesterday's close (rupees) of (exchange, underlying), None when it has none."""
        self._day = day
        self._calendar = calendar
        self._listings = listings
        self._price_of = price_of
        self._parts: dict[str, bytes] = {}
        self._entries: dict[str, list[Entry]] = {}

    def csv(self, exchange: str | None = None) -> bytes:
        """Give the file of one exchange, or of all; an exchange that is not known has only the header."""
        wanted = EXCHANGES if exchange is None else (exchange,)
        return HEADER.encode() + b"".join(self._part(each) for each in wanted if each in EXCHANGES)

    def entries(self, exchange: str) -> list[Entry]:
        """Give the rows of one exchange, none for one that is not known."""
        if exchange not in EXCHANGES:
            return []
        if exchange not in self._entries:
            self._entries[exchange] = list(_tokened(exchange, self._rows(exchange), self._own_tokens()))
        return self._entries[exchange]

    def _part(self, exchange: str) -> bytes:
        if exchange not in self._parts:
            self._parts[exchange] = "".join(_line(exchange, entry) for entry in self.entries(exchange)).encode()
        return self._parts[exchange]

    def _own_tokens(self) -> dict[str, int]:
        return {listing.instrument.tradingsymbol: listing.token for listing in self._listings}

    def _rows(self, exchange: str) -> Iterable[Row]:
        day, calendar = self._day, self._calendar
        if exchange == "NSE":
            return nse_rows(self._listings)
        if exchange == "BSE":
            return bse_rows(self._listings)
        contracts = {"NFO": nfo_rows, "BFO": bfo_rows, "MCX": mcx_rows, "CDS": cds_rows}[exchange]
        return contracts(day, calendar, lambda underlying: self._price_of(exchange, underlying))


def _tokened(exchange: str, rows: Iterable[Row], own_tokens: Mapping[str, int]) -> Iterator[Entry]:
    tokens = Tokens(exchange, own_tokens)
    seen: set[str] = set()
    for row in rows:
        if row.symbol in seen:
            continue
        seen.add(row.symbol)
        yield Entry(*tokens.of(row.symbol, is_index=row.segment == "INDICES"), row)


def _line(exchange: str, entry: Entry) -> str:
    token, exchange_token, row = entry
    return (
        f"{token},{exchange_token},{row.symbol},{row.name},0,{row.expiry},{row.strike},"
        f"{row.tick_size},{row.lot_size},{row.instrument_type},{row.segment},{exchange}\n"
    )
