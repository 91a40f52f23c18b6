"""Minute bars of one instrument's day, folded from its quotes as they come."""

from trading.exchange.market.bar import Bar
from trading.exchange.market.hours import MINUTE_MS
from trading.exchange.market.livequote import LiveQuote


class LiveBars:
    """Give each quote of the day to `take`, in order of time. `opens_ms` is when continuous trading begins."""

    def __init__(self, opens_ms: int, *, is_index: bool) -> None:
        self._opens_ms = opens_ms
        self._is_index = is_index
        self._bars: dict[int, Bar] = {}
        self._volume: int | None = None
        self.whole: Bar | None = None
        """The day so far, by the broker's own open, high, low and volume."""

    def take(self, quote: LiveQuote) -> None:
        """Fold one quote in. A minute begins with its first trade; volume that was traded unheard belongs to none."""
        if quote.at_ms < self._opens_ms or not (self._is_index or quote.volume):
            return
        self.whole = Bar(self._opens_ms, quote.open, quote.high, quote.low, quote.ltp, quote.volume)
        before, self._volume = self._volume, quote.volume
        if not self._is_index and before == quote.volume:
            return
        traded_ms = max(self._opens_ms, quote.at_ms if self._is_index else quote.last_trade_ms)
        self._add(traded_ms - traded_ms % MINUTE_MS, quote.ltp, max(0, quote.volume - (before or quote.volume)))

    def minutes(self) -> list[Bar]:
        """Give the bars in order of time."""
        return [self._bars[start] for start in sorted(self._bars)]

    def _add(self, start_ms: int, price: int, units: int) -> None:
        known = self._bars.get(start_ms)
        if known is None:
            self._bars[start_ms] = Bar(start_ms, price, price, price, price, units)
            return
        self._bars[start_ms] = known._replace(
            high=max(known.high, price), low=min(known.low, price), close=price, volume=known.volume + units
        )
