"""One day of a real market, as a feeder tells it: newest quotes, today's candles, the instruments that were named.

It stands where `market.Market` stands, with arrivals in place of step times. A quote that is too old to be traded at
is handed out without its book, so that nothing can be filled at it.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from typing import Final

from trading.domain.instruments import Instrument
from trading.domain.risk import FEED_STALE_AFTER_S
from trading.exchange.market.candles import DAY_INTERVAL, Candle, candle_of, day_candle, epoch_ms, folded
from trading.exchange.market.dump import HEADER
from trading.exchange.market.hours import Hours, day_of, midnight_ms
from trading.exchange.market.live_bars import LiveBars
from trading.exchange.market.livequote import NO_DEPTH, LiveQuote
from trading.exchange.market.prints import Print

STALE_AFTER_MS: Final = FEED_STALE_AFTER_S * 1000
FIRST_SERIAL_MS: Final = 100
"""A day's first serial is market time in these: packets of one instrument come less often."""


class LiveMarket:
    """Implements `venue.prices.Market`. `now_ms` is market time; `instruments` are all that were ever named.

    `is_fed` says whether anybody brings prices at this moment.
    """

    def __init__(
        self,
        day: date,
        hours: Hours,
        now_ms: Callable[[], int],
        instruments: Iterable[Instrument] = (),
        *,
        is_fed: Callable[[], bool],
    ) -> None:
        self.day = day
        self._hours = hours
        self._now_ms = now_ms
        self._is_fed = is_fed
        self.instruments: Mapping[int, Instrument] = {}
        self._keys: dict[str, Instrument] = {}
        self._quotes: dict[int, LiveQuote] = {}
        self._closed: dict[int, LiveQuote] = {}
        self._serials: dict[int, int] = {}
        self._bars: dict[int, LiveBars] = {}
        self._arrived: dict[int, None] = {}
        self.learn(instruments)

    def on(self, day: date) -> "LiveMarket":
        """Give the market of another day: the same instruments, no prices yet."""
        return LiveMarket(day, self._hours, self._now_ms, self.instruments.values(), is_fed=self._is_fed)

    def learn(self, instruments: Iterable[Instrument]) -> bool:
        """Take instruments in; a known token or symbol is replaced. True when anything was new."""
        before = dict(self.instruments)
        known = dict(before)
        for one in instruments:
            old = self._keys.get(one.key)
            if old is not None and old.token != one.token:
                known.pop(old.token, None)
            known[one.token] = one
        self.instruments = known
        self._keys = {one.key: one for one in known.values()}
        return known != before

    def next_serial(self, token: int) -> int:
        """Count the quotes of one instrument, from a number that no earlier process has come to."""
        last = self._serials.get(token) or self._now_ms() // FIRST_SERIAL_MS
        self._serials[token] = last + 1
        return last + 1

    def take(self, quote: LiveQuote) -> None:
        """Take a quote over; one that is older than what is known is passed by."""
        known = self._quotes.get(quote.token)
        if known is not None and quote.at_ms < known.at_ms:
            return
        self._quotes[quote.token] = quote
        self._closed.pop(quote.token, None)
        self._arrived[quote.token] = None
        if day_of(quote.at_ms) == self.day:
            self._bars_of(quote.token).take(quote)

    def advance(self, to_ms: int) -> list[LiveQuote]:
        """Give the newest quote of each instrument that was heard since the last call, as it came."""
        tokens, self._arrived = self._arrived, {}
        return [self._quotes[token] for token in tokens]

    def is_fresh(self, quote: LiveQuote) -> bool:
        """Say whether a quote may be traded at: of the last 3 market seconds, by a feed that stands."""
        return self._is_fed() and abs(self._now_ms() - quote.at_ms) <= STALE_AFTER_MS

    def quote(self, token: int) -> LiveQuote:
        """Give the present quote, without its book when it is stale; all zeros when none was heard today.

        Raises KeyError for a token that nobody named.
        """
        quote = self._quotes.get(token)
        if quote is None:
            return _blank(self.instruments[token])
        if self.is_fresh(quote):
            return quote
        closed = self._closed.get(token)
        if closed is None:
            closed = self._closed[token] = quote.without_book(self.next_serial(token))
        return closed

    def print_in(self, token: int, from_ms: int, until_ms: int) -> Print | None:
        """Give the last trade that was heard, when it was in that span: an auction is followed by no other trade."""
        quote = self._quotes.get(token)
        if quote is None or not from_ms <= quote.last_trade_ms <= until_ms:
            return None
        return Print(quote.ltp, quote.last_quantity, quote.last_trade_ms)

    def vwap(self, token: int, from_ms: int, until_ms: int) -> int:
        """Not known of real trades: 0, so that the last price is taken."""
        return 0

    def watch(self, token: int) -> None:
        """Nothing to do: whatever the feed tells is passed on."""

    def by_key(self, key: str) -> Instrument | None:
        """Find a named instrument by `EXCHANGE:TRADINGSYMBOL`."""
        return self._keys.get(key)

    def recall(self, key: str) -> Instrument | None:
        """Find a named instrument: the names are kept, so it is there as long as the ledger is."""
        return self._keys.get(key)

    def final_price(self, instrument: Instrument) -> int | None:
        """Not known of real contracts: they are carried on."""
        return None

    def candles(self, token: int, start: datetime, end: datetime, interval: str, now_ms: int) -> list[Candle]:
        """Give today's candles that begin from `start` to `end` (both aware, both included), from what was heard.

        Minutes before the feed began, and other days, are not known and not made up. Raises KeyError for an unknown
        token and ValueError for an interval that Kite does not have.
        """
        start_ms, end_ms = epoch_ms(start), epoch_ms(end)
        bars = self._bars_of(token)
        if interval == DAY_INTERVAL:
            start_ms = midnight_ms(day_of(start_ms))
            rows = [] if bars.whole is None else [day_candle(bars.whole)]
        else:
            rows = folded(bars.minutes(), interval)
        return [candle_of(bar) for bar in rows if start_ms <= bar.start_ms <= end_ms]

    def open_interest(self, token: int, at: datetime, now_ms: int) -> int:
        """Not kept of real prices: 0."""
        return 0

    def dump_csv(self, exchange: str | None = None) -> bytes:
        """Give the named instruments in Kite's columns, of one exchange or of all."""
        rows = (one for one in self.instruments.values() if exchange in (None, one.exchange))
        return HEADER.encode() + "".join(_line(one) for one in rows).encode()

    def _bars_of(self, token: int) -> LiveBars:
        if token not in self._bars:
            instrument = self.instruments[token]
            spans = self._hours.day_hours(self.day, instrument.instrument_class).continuous
            self._bars[token] = LiveBars(spans[0][0], is_index=not instrument.is_tradable)
        return self._bars[token]


def _blank(instrument: Instrument) -> LiveQuote:
    return LiveQuote(
        token=instrument.token,
        ltp=0,
        last_quantity=0,
        average_price=0,
        volume=0,
        open=0,
        high=0,
        low=0,
        close=0,
        last_trade_ms=0,
        at_ms=0,
        lower_circuit=0,
        upper_circuit=0,
        oi=0,
        depth=NO_DEPTH,
        serial=0,
        is_bought=False,
    )


def _line(one: Instrument) -> str:
    is_index = not one.is_tradable
    kind = "EQ" if is_index else one.instrument_type.value
    tick, lot = (0, 0) if is_index else (one.tick_size, one.lot_size)
    expiry = one.expiry.isoformat() if one.expiry else ""
    return (
        f'{one.token},{one.token >> 8},{one.tradingsymbol},"{one.name}",0,{expiry},{one.strike},'
        f"{tick},{lot},{kind},{one.segment},{one.exchange}\n"
    )
