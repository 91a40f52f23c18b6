"""One row of the instrument dump, and the tokens that rows get."""

from collections.abc import Mapping
from typing import Final, NamedTuple
from zlib import crc32

SEGMENT_NUMBERS: Final = {"NSE": 1, "NFO": 2, "CDS": 3, "BSE": 4, "BFO": 5, "MCX": 7}
"""The low byte of a token says how its packets are to be read (Kite's ticker)."""
INDEX_NUMBER: Final = 9
"""The low byte of an index, of either exchange."""
LOWEST_EXCHANGE_TOKEN: Final = 1_000_000
EXCHANGE_TOKENS: Final = 7_000_000


class Row(NamedTuple):
    """What a row says beside its tokens; texts as they stand in the file."""

    symbol: str
    name: str
    expiry: str
    strike: str
    tick_size: str
    lot_size: int
    instrument_type: str
    segment: str


class Tokens:
    """Gives every symbol of one exchange a token of its own, nearly always the same from day to day.

    Tokens follow from the symbol's letters; when two symbols meet, the later one moves on.
    """

    def __init__(self, exchange: str, own_tokens: Mapping[str, int]) -> None:
        """`own_tokens` are the traded universe's, by NSE symbol."""
        self._number = SEGMENT_NUMBERS[exchange]
        self._own = own_tokens if exchange == "NSE" else {}
        self._taken = {token >> 8 for token in self._own.values()}

    def of(self, symbol: str, *, is_index: bool = False) -> tuple[int, int]:
        """Give (instrument_token, exchange_token)."""
        own = self._own.get(symbol)
        if own is not None:
            return own, own >> 8
        place = LOWEST_EXCHANGE_TOKEN + crc32(symbol.encode()) % EXCHANGE_TOKENS
        while place in self._taken:
            place += 1
        self._taken.add(place)
        return place << 8 | (INDEX_NUMBER if is_index else self._number), place
