"""One instrument's way through the day: where its tape has been read to, and the quote that follows."""

from typing import Final

from trading.exchange.market.hours import DayHours
from trading.exchange.market.listing import OPERATING_BAND_PERCENT, Listing, circuits
from trading.exchange.market.quotes import Quote
from trading.exchange.market.randomness import number_of
from trading.exchange.market.tape import Tape

FLEX_PERCENT: Final = 5
"""An operating range that is reached becomes this much wider."""
SALT_BITS: Final = (1 << 40) - 1


class InstrumentState:
    """Reads one tape forwards. Moving in many small steps or in one big one ends in the same quote."""

    def __init__(
        self, listing: Listing, tape: Tape, previous_close: int, last_trade_ms: int, hours: DayHours, seed: int
    ) -> None:
        self.listing = listing
        self.tape = tape
        self.hours = hours
        self._is_index = listing.is_index
        self._close = previous_close
        self._last_trade_ms = last_trade_ms
        self._next = 0
        self._high = self._low = 0
        self._is_bought = False
        self._band = listing.band_percent if listing.has_fixed_band else OPERATING_BAND_PERCENT
        self._limits = self._circuits()
        self._salt = number_of("book", seed, listing.token) & SALT_BITS
        self._quote: Quote | None = None

    def advance(self, to_ms: int) -> bool:
        """Take in every trade up to and with `to_ms`; False when there was none."""
        times, prices = self.tape.times, self.tape.prices
        place, last = self._next, len(times)
        while place < last and times[place] <= to_ms:
            self._take(prices[place], prices[place - 1] if place else self._close)
            place += 1
        if place == self._next:
            return False
        self._next = place
        self._quote = None
        return True

    def quote(self) -> Quote:
        """Give the present quote."""
        if self._quote is None:
            self._quote = self._make()
        return self._quote

    def _take(self, price: int, before: int) -> None:
        if price > self._high:
            self._high = price
        if price < self._low or not self._low:
            self._low = price
        if price != before:
            self._is_bought = price > before
        if not self._limits[0] < price < self._limits[1]:
            self._flex(price)

    def _flex(self, price: int) -> None:
        """Widen an operating range that was reached. A fixed band stays; an index has none."""
        if self.listing.has_fixed_band:
            return
        while abs(price - self._close) >= self._close * self._band // 100:
            self._band += FLEX_PERCENT
        self._limits = self._circuits()

    def _circuits(self) -> tuple[int, int]:
        return circuits(self._close, self._band, self.listing.step)

    def _make(self) -> Quote:
        tape, place = self.tape, self._next - 1
        traded = place >= 0
        volume = tape.volumes[place] if traded else 0
        before = tape.volumes[place - 1] if place > 0 else 0
        at_ms = tape.times[place] if traded else self._last_trade_ms
        lower, upper = (0, 0) if self._is_index else self._limits
        return Quote(
            token=self.listing.token,
            ltp=tape.prices[place] if traded else self._close,
            last_quantity=volume - before,
            average_price=tape.turnovers[place] // volume if volume else 0,
            volume=volume,
            open=tape.prices[0] if traded else 0,
            high=self._high,
            low=self._low,
            close=self._close,
            last_trade_ms=at_ms,
            at_ms=at_ms,
            lower_circuit=lower,
            upper_circuit=upper,
            oi=0,
            depth=self.listing.depth,
            serial=self._salt + self._next,
            is_bought=self._is_bought,
        )
