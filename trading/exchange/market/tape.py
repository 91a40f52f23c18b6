"""The tape of one instrument's day: every trade of a minute bar spread over the minute's seconds.

A bar becomes ticks that begin at its open, touch its high and its low and end at its close; in between
they wander inside the bar, on the price grid. The same for generated and for replayed bars.
"""

from array import array
from collections.abc import Sequence
from random import Random
from typing import Final, NamedTuple

from trading.exchange.market.bar import Bar
from trading.exchange.market.data.calibration import MOVE_FIRST_MINUTES, MOVE_QUARTERS
from trading.exchange.market.hours import DayHours
from trading.exchange.market.listing import Listing
from trading.exchange.market.minutes import by_time, offset_of
from trading.exchange.market.randomness import seeded

SECOND_MS: Final = 1000
SECONDS: Final = 60
LOW_FIRST_WHEN_UP: Final = 0.72
"""A rising bar more often touches its low before its high; a falling one the other way round."""
WANDER: Final = 0.16
"""How far a trade strays from the straight way between two corners, as a share of the bar's range."""
OPENING_AUCTION_SHARE: Final = 0.15
"""What of the first minute's volume was matched in the opening auction."""
BUSIEST: Final = 1.8


class Tape(NamedTuple):
    """Four columns of the same length, in order of time: epoch ms, price in 1/10,000 rupee, volume of
    the day so far, and turnover of the day so far (price x units; 0 for an index)."""

    times: "array[int]"
    prices: "array[int]"
    volumes: "array[int]"
    turnovers: "array[int]"


def make_tape(listing: Listing, bars: Sequence[Bar], hours: DayHours, seed: int, day_word: str) -> Tape:
    """Spread a day's bars into ticks. The same arguments give the same tape."""
    rng = seeded("tape", seed, day_word, listing.token)
    writer = _Writer()
    for place, bar in enumerate(bars):
        if _is_silent(listing, bar):
            continue
        volume = bar.volume
        if place == 0 and hours.opening_match and hours.continuous[0][0] == bar.start_ms:
            matched = int(volume * OPENING_AUCTION_SHARE)
            writer.add(_second_in(rng, hours.opening_match), bar.open, matched)
            volume -= matched
        if bar.high == bar.low and not hours.is_continuous(bar.start_ms):
            writer.add(bar.start_ms + int(rng.random() * SECONDS) * SECOND_MS, bar.open, volume)
        else:
            _spread(rng, listing, bar, volume, writer, opens_at_once=place == 0)
    return writer.tape()


def spread_minute(rng: Random, listing: Listing, bar: Bar) -> Tape:
    """Spread one minute's bar into ticks; the first second of the minute has one."""
    writer = _Writer()
    _spread(rng, listing, bar, bar.volume, writer, opens_at_once=True)
    return writer.tape()


def _is_silent(listing: Listing, bar: Bar) -> bool:
    """A share's minute without volume had no trade: the source only filled it up."""
    return not listing.is_index and bar.volume == 0 and bar.high == bar.low


def _second_in(rng: Random, span: tuple[int, int]) -> int:
    return span[0] + int(rng.random() * ((span[1] - span[0]) // SECOND_MS)) * SECOND_MS


def _spread(rng: Random, listing: Listing, bar: Bar, volume: int, writer: "_Writer", *, opens_at_once: bool) -> None:
    corners = _corners(rng, bar)
    prices = _wander(rng, corners, _wanted(rng, listing, bar), bar, listing.step)
    seconds = _seconds(rng, len(prices))
    if opens_at_once:
        seconds[0] = 0
    weights = [1 + int(rng.random() * 8) for _ in prices]
    total, left = sum(weights), volume
    least = 1 if volume >= len(prices) else 0
    for second, price, weight in zip(seconds[:-1], prices, weights, strict=False):
        units = least + (volume - least * len(prices)) * weight // total
        left -= units
        writer.add(bar.start_ms + second * SECOND_MS, price, units)
    writer.add(bar.start_ms + seconds[-1] * SECOND_MS, prices[-1], left)


def _seconds(rng: Random, count: int) -> list[int]:
    """Choose so many seconds of a minute, in order (`Random.sample` may change between Python versions)."""
    chosen: list[int] = []
    for second in range(SECONDS):
        if rng.random() * (SECONDS - second) < count - len(chosen):
            chosen.append(second)
    return chosen


def _wanted(rng: Random, listing: Listing, bar: Bar) -> int:
    """Draw how many seconds of this minute see a trade: more at the open and towards the close."""
    course = min(BUSIEST, 0.5 + 0.5 * by_time(MOVE_FIRST_MINUTES, MOVE_QUARTERS, offset_of(bar.start_ms)))
    wanted = int(SECONDS * listing.busy * course * (0.7 + 0.6 * rng.random()))
    return min(wanted, SECONDS if listing.is_index else max(1, bar.volume), SECONDS)


def _corners(rng: Random, bar: Bar) -> list[int]:
    """Give the prices that must be touched, in order, without immediate repeats."""
    low_first = (rng.random() < LOW_FIRST_WHEN_UP) == (bar.close >= bar.open)
    between = (bar.low, bar.high) if low_first else (bar.high, bar.low)
    corners = [bar.open]
    for price in (*between, bar.close):
        if price != corners[-1]:
            corners.append(price)
    return corners


def _wander(rng: Random, corners: list[int], wanted: int, bar: Bar, step: int) -> list[int]:
    """Put the trades that are wanted beyond the corners on the ways between them."""
    if len(corners) == 1:
        return corners * max(1, wanted)
    legs = [0] * (len(corners) - 1)
    for _ in range(wanted - len(corners)):
        legs[int(rng.random() * len(legs))] += 1
    low, high = bar.low, bar.high
    stray = 2 * WANDER * (high - low)
    prices = []
    for start, end, count in zip(corners, corners[1:], legs, strict=False):
        prices.append(start)
        stride = (end - start) / (count + 1)
        for place in range(1, count + 1):
            aim = start + stride * place + stray * (rng.random() - 0.5) - low
            price = low + int(aim / step + 0.5) * step if aim > 0 else low
            prices.append(min(price, high))
    prices.append(corners[-1])
    return prices


class _Writer:
    """Adds trades up."""

    def __init__(self) -> None:
        self._times, self._prices = array("q"), array("q")
        self._volumes, self._turnovers = array("q"), array("q")
        self._volume = self._turnover = 0

    def add(self, at_ms: int, price: int, units: int) -> None:
        self._volume += units
        self._turnover += units * price
        self._times.append(at_ms)
        self._prices.append(price)
        self._volumes.append(self._volume)
        self._turnovers.append(self._turnover)

    def tape(self) -> Tape:
        return Tape(self._times, self._prices, self._volumes, self._turnovers)
