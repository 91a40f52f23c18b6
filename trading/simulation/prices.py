"""One simulated day of prices for a few instruments: short and wild, so that ladders enter, book and stop out."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from random import Random
from typing import NamedTuple

from trading.domain.money import PRICE_SCALE
from trading.domain.timezone import at_ist, to_ist

STEP = PRICE_SCALE // 20
"""The price grid: five paise."""
FIRST, SLOW_FROM, SLOW_TO, END = time(9, 7), time(15, 9), time(15, 16, 30), time(15, 31)
"""The first prices are the pre-open's: nothing may be entered on them."""
QUICK_GAPS_S, SLOW_GAP_S = (30, 300), 5
"""Market seconds between two steps: random ones while nothing has to be over soon, short ones around the square-off."""


class Step(NamedTuple):
    """Market time goes to `at`, and these (token, price) trade."""

    at: datetime
    trades: tuple[tuple[int, int], ...]

    @property
    def is_slow(self) -> bool:
        """Say whether market time goes as fast as wire time around this step."""
        return SLOW_FROM <= to_ist(self.at).time() < SLOW_TO


@dataclass(frozen=True, slots=True)
class Range:
    """Yesterday's high and low, scaled."""

    high: int
    low: int


def previous_range(rng: Random) -> Range:
    """Draw yesterday's range around 105 rupees, 4 to 14 rupees high."""
    low = rng.randrange(95 * 20, 104 * 20) * STEP
    return Range(low + rng.randrange(4 * 20, 14 * 20) * STEP, low)


def steps_of(day: date, rng: Random, ranges: Mapping[int, Range]) -> Iterator[Step]:
    """Yield the day's steps: each instrument walks, with the drift of the moment, over entries, targets and stops."""
    walks = {token: _Walk(rng, each) for token, each in ranges.items()}
    moment = at_ist(day, FIRST)
    while moment < at_ist(day, END):
        trades = tuple((token, walk.next()) for token, walk in walks.items() if rng.random() < 0.9)
        yield Step(moment, trades)
        slow_from, quick_s = at_ist(day, SLOW_FROM), rng.randint(*QUICK_GAPS_S)
        if moment < slow_from:
            moment = min(moment + timedelta(seconds=quick_s), slow_from)
        else:
            moment += timedelta(seconds=SLOW_GAP_S if moment < at_ist(day, SLOW_TO) else quick_s)
    yield Step(at_ist(day, END), ())


class _Walk:
    def __init__(self, rng: Random, known: Range) -> None:
        self._rng = rng
        self._span = known.high - known.low
        self._price = known.low + self._span // 2
        self._bounds = known.low - self._span, known.high + self._span
        self._drift = 0.0

    def next(self) -> int:
        rng, span = self._rng, self._span
        if rng.random() < 0.06:
            self._drift = rng.gauss(0, 0.03)
        jump = rng.gauss(0, 0.25) if rng.random() < 0.02 else 0.0
        moved = self._price + int(span * (self._drift + rng.gauss(0, 0.02) + jump))
        low, high = self._bounds
        if not low < moved < high:
            self._drift = -self._drift
        self._price = min(max(moved, low), high) // STEP * STEP
        return self._price
