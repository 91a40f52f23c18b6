"""What the venue asks of a market and of the calendar."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Protocol

from trading.domain.instruments import Instrument
from trading.exchange.market.candles import Candle
from trading.exchange.market.prints import Print
from trading.exchange.market.quotes import Quote


class Market(Protocol):
    """One trading day of prices."""

    @property
    def day(self) -> date: ...
    @property
    def instruments(self) -> Mapping[int, Instrument]: ...
    def quote(self, token: int) -> Quote: ...
    def watch(self, token: int) -> None:
        """Let this instrument's trades come with every step from now on; where all of them do, nothing."""

    def by_key(self, key: str) -> Instrument | None: ...
    def recall(self, key: str) -> Instrument | None:
        """Find what a kept ledger names, also a contract that has expired or is not listed any more."""

    def final_price(self, instrument: Instrument) -> int | None:
        """Give what a contract that expired before this day is settled at, None for what still trades."""

    def candles(self, token: int, start: datetime, end: datetime, interval: str, now_ms: int) -> Sequence[Candle]: ...
    def open_interest(self, token: int, at: datetime, now_ms: int) -> int:
        """Give the units open at the start of a candle, at the end of a day's candle; 0 for what is no contract."""

    def dump_csv(self, exchange: str | None) -> bytes: ...
    def print_in(self, token: int, from_ms: int, until_ms: int) -> Print | None:
        """Give the first trade from `from_ms` up to and with `until_ms`, both epoch ms of today."""

    def vwap(self, token: int, from_ms: int, until_ms: int) -> int:
        """Give the volume weighted price from `from_ms` up to but without `until_ms`, 0 where nothing was traded."""
