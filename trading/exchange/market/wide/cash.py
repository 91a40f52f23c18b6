"""One invented share's, bond's or index's day, as minutes that can be walked through."""

from collections.abc import Callable, Sequence

from trading.exchange.market.bar import Bar
from trading.exchange.market.listing import OPERATING_BAND_PERCENT, Listing, circuits
from trading.exchange.market.tape import Tape
from trading.exchange.market.wide.course import Happening, Interest

FLEX_PERCENT = 5
NOTHING_OPEN = Interest(0, 0, 0)


class CashCourse:
    """Implements `course.Course`. `lock` is (side, from, until) in epoch ms: at the circuit one side has nobody."""

    def __init__(
        self,
        listing: Listing,
        bars: Sequence[Bar],
        previous_close: int,
        ticks_of: Callable[[Bar], Tape],
        lock: tuple[int, int, int] | None,
    ) -> None:
        self.listing = listing
        self.minutes: Sequence[int] = [bar.start_ms for bar in bars]
        self.previous_close = previous_close
        self._bars = bars
        self._ticks_of = ticks_of
        self._lock = lock

    def bar(self, place: int) -> Bar | None:
        """Give a minute's bar."""
        return self._bars[place]

    def happenings(self, place: int) -> Sequence[Happening]:
        """Give a minute's ticks."""
        bar = self._bars[place]
        tape = self._ticks_of(bar)
        touch, side = self._touch(bar)
        happenings, before, price_before = [], 0, self._bars[place - 1].close if place else self.previous_close
        for at_ms, price, volume in zip(tape.times, tape.prices, tape.volumes, strict=True):
            is_bought = price > price_before or (price == price_before and bool(at_ms // 1000 & 1))
            happenings.append(Happening(at_ms, price, volume - before, is_bought if not side else side < 0, touch))
            before, price_before = volume, price
        return happenings

    def _touch(self, bar: Bar) -> tuple[tuple[int, int] | None, int]:
        """Give the book's touch in a locked minute, and the side that waits (1: buyers, -1: sellers, 0: no lock)."""
        if self._lock is None:
            return None, 0
        side, since, until = self._lock
        if not since <= bar.start_ms < until:
            return None, 0
        return ((bar.close, 0) if side > 0 else (0, bar.close)), side

    def interest(self, place: int) -> Interest:
        """Nothing is open in a share."""
        return NOTHING_OPEN

    def limits(self, high: int, low: int) -> tuple[int, int]:
        """Give the circuits: a fixed band, or an operating range that gives way; none for an index."""
        listing, close = self.listing, self.previous_close
        if listing.is_index:
            return 0, 0
        if listing.has_fixed_band:
            return circuits(close, listing.band_percent, listing.step)
        percent = OPERATING_BAND_PERCENT
        while (high and (high - close) * 100 >= close * percent) or (low and (close - low) * 100 >= close * percent):
            percent += FLEX_PERCENT
        return circuits(close, percent, listing.step)
