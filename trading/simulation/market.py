"""The market of a simulated day, as the exchange's venue asks of one (`exchange.venue.prices.Market`)."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time

from trading.domain.instruments import Instrument
from trading.domain.timezone import at_ist
from trading.exchange.market.candles import Candle
from trading.exchange.market.prints import Print
from trading.exchange.market.quotes import Depth, Quote
from trading.simulation.prices import STEP, Range

BAND_PERCENT = 20


class DayMarket:
    """Prices of the day's few instruments; `stage` says what trades next, `advance` lets it trade."""

    def __init__(self, day: date, instruments: Sequence[Instrument], ranges: Mapping[int, Range]) -> None:
        self.day = day
        self.instruments: Mapping[int, Instrument] = {one.token: one for one in instruments}
        self._by_key = {one.key: one for one in instruments}
        self._quotes = {token: _before_the_open(token, known, day) for token, known in ranges.items()}
        self._staged: list[Quote] = []
        self.prints: dict[int, Print] = {}
        """What an auction traded, by token, once it did; without one there are only the accounts' orders in it."""

    def quote(self, token: int) -> Quote:
        """Give the present quote."""
        return self._quotes[token]

    def by_key(self, key: str) -> Instrument | None:
        """Find an instrument."""
        return self._by_key.get(key)

    def recall(self, key: str) -> Instrument | None:
        """Find an instrument of an earlier day: the same ones are there every day."""
        return self._by_key.get(key)

    def watch(self, token: int) -> None:
        """Follow an instrument: all are followed."""

    def final_price(self, instrument: Instrument) -> None:
        """Settle nothing: nothing is carried into a day after its expiry."""

    def open_interest(self, token: int, at: datetime, now_ms: int) -> int:
        """Give none."""
        return 0

    def candles(self, token: int, start: datetime, end: datetime, interval: str, now_ms: int) -> list[Candle]:
        """Give no candles: ranges come with the plans."""
        return []

    def dump_csv(self, exchange: str | None) -> bytes:
        """Give no dump: nobody asks."""
        return b""

    def print_in(self, token: int, from_ms: int, until_ms: int) -> Print | None:
        """Give the trade of an auction in a span, None while there is none."""
        found = self.prints.get(token)
        return found if found is not None and from_ms <= found.at_ms <= until_ms else None

    def vwap(self, token: int, from_ms: int, until_ms: int) -> int:
        """Give the last price, as if everything had been traded there."""
        return self._quotes[token].ltp

    def stage(self, token: int, price: int, units: int, at: datetime) -> None:
        """Let units trade at a price with the next `advance`."""
        before, at_ms = self._quotes[token], int(at.timestamp() * 1000)
        self._staged.append(
            Quote(
                token=token,
                ltp=price,
                last_quantity=units,
                average_price=price,
                volume=before.volume + units,
                open=before.open or price,
                high=max(before.high, price),
                low=min(before.low or price, price),
                close=before.close,
                last_trade_ms=at_ms,
                at_ms=at_ms,
                lower_circuit=before.lower_circuit,
                upper_circuit=before.upper_circuit,
                oi=0,
                depth=before.depth,
                serial=before.serial + 1,
                is_bought=price > before.ltp or (price == before.ltp and before.is_bought),
            )
        )

    def advance(self) -> list[Quote]:
        """Let what was staged trade, and give the new quotes."""
        made, self._staged = self._staged, []
        self._quotes |= {quote.token: quote for quote in made}
        return made


def _before_the_open(token: int, known: Range, day: date) -> Quote:
    close = (known.high + known.low) // 2 // STEP * STEP
    band = close * BAND_PERCENT // 100 // STEP * STEP
    at_ms = int(at_ist(day, time(9, 0)).timestamp() * 1000)
    return Quote(
        token=token, ltp=close, last_quantity=0, average_price=0, volume=0, open=0, high=0, low=0, close=close,
        last_trade_ms=at_ms, at_ms=at_ms, lower_circuit=close - band, upper_circuit=close + band, oi=0,
        depth=Depth(STEP, 400, 2), serial=1, is_bought=True,
    )  # fmt: skip
