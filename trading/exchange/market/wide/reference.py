"""The price that contracts follow through a day: a bar for every minute in which they trade, and the ticks inside it.

An underlying may trade for a shorter time than its contracts (a closing auction, an index), or be silent for a
minute; there the price goes straight to where the underlying is seen next, with a little noise.
"""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from datetime import date
from functools import lru_cache

from trading.exchange.market.bar import Bar
from trading.exchange.market.listing import Listing
from trading.exchange.market.minutes import course_of
from trading.exchange.market.randomness import number_of, seeded
from trading.exchange.market.tape import Tape, spread_minute
from trading.exchange.market.wide.wander import unit

FILL_NOISE = 0.0002
"""How far a made-up minute strays from the straight way, as a fraction of the price."""
Ticks = Sequence[tuple[int, int]]
"""(epoch ms, price in 1/10,000 rupee), ascending; open, high, low and close of the minute are among them."""


class Reference:
    """One underlying on one day."""

    def __init__(
        self,
        listing: Listing,
        bars: Sequence[Bar],
        minutes: Sequence[int],
        previous_close: int,
        word: str,
        ticks_of: Callable[[Bar], Ticks] | None,
        day: date,
    ) -> None:
        """`bars` are what the underlying traded; `word` (seed and day) seeds what is made up.

        `ticks_of` gives the ticks of a traded bar; None on a day that is only looked back at.
        """
        self.day = day
        self.listing = listing
        self.minutes = minutes
        self.previous_close = previous_close
        self.close = bars[-1].close if bars else previous_close
        self._word = word
        self._ticks_of = ticks_of
        self._traded = {bar.start_ms for bar in bars}
        self.bars = _filled(bars, minutes, previous_close, listing.step, number_of("fill", word, listing.token))
        self.ticks = lru_cache(maxsize=4)(self._ticks)
        volumes = course_of(minutes).volumes
        total = sum(volumes)
        self.volume_shares = [each / total for each in volumes]

    def _ticks(self, place: int) -> Ticks:
        bar = self.bars[place]
        if bar.start_ms in self._traded and self._ticks_of is not None:
            ticks = self._ticks_of(bar)
            if ticks:
                return ticks
        made = spread_minute(seeded("fill", self._word, self.listing.instrument.key, bar.start_ms), self.listing, bar)
        return list(zip(made.times, made.prices, strict=True))


def ticks_of_tape(tape: Tape, bar: Bar) -> Ticks:
    """Give the ticks of one minute of a day's tape."""
    first = bisect_left(tape.times, bar.start_ms)
    last = bisect_left(tape.times, bar.start_ms + 60_000, first)
    return list(zip(tape.times[first:last], tape.prices[first:last], strict=True))


def _filled(bars: Sequence[Bar], minutes: Sequence[int], previous_close: int, step: int, salt: int) -> list[Bar]:
    """Give a bar for every minute; auctions' prints outside the minutes are only where the price goes to."""
    known = {bar.start_ms: bar for bar in bars}
    filled: list[Bar] = []
    missing: list[int] = []
    before = bars[0].open if bars else previous_close
    for start in minutes:
        bar = known.get(start)
        if bar is None:
            missing.append(start)
            continue
        filled += _bridge(missing, before, bar.open, step, salt)
        missing = []
        filled.append(bar)
        before = bar.close
    return filled + _bridge(missing, before, bars[-1].close if bars else before, step, salt)


def _bridge(starts: Sequence[int], before: int, after: int, step: int, salt: int) -> list[Bar]:
    made, price = [], before
    for place, start in enumerate(starts, start=1):
        straight = before + (after - before) * place / len(starts)
        noise = FILL_NOISE * unit(salt + start) if place < len(starts) else 0.0
        close = max(step, int(straight * (1 + noise) / step + 0.5) * step)
        made.append(Bar(start, price, max(price, close), min(price, close), close, 60))
        price = close
    return made
