"""The minutes of one generated day: common factors and own movement, bridged to the day's planned close."""

from collections.abc import Sequence
from functools import lru_cache
from math import sqrt
from random import Random
from typing import Final, NamedTuple

from trading.exchange.market.bar import Bar
from trading.exchange.market.data.calibration import (
    BAR_EXCESS,
    MINUTE_VOLUME,
    MOVE_FIRST_MINUTES,
    MOVE_QUARTERS,
    VOLUME_FIRST_MINUTES,
    VOLUME_QUARTERS,
)
from trading.exchange.market.daychain import InstrumentDay, Stretch, snap
from trading.exchange.market.hours import DAY_MS, IST_OFFSET_MS, MINUTE_MS, OPEN_OFFSET_MS, DayHours
from trading.exchange.market.listing import Profile, circuits
from trading.exchange.market.randomness import between, fat_bell, fat_bells

NEWS_SHARE: Final = 0.45
"""Share of days on which news moves a stock from one trade to the next."""
LEAST_FOR_NEWS: Final = 60
"""Minutes: a shorter part of a day brings no news."""
NEWS_SIZE: Final = (0.18, 0.42)
"""The size of such a jump, relative to the day's own noise."""
AUCTION_MOVE: Final = 0.0009
"""Deviation of the closing auction's price from the last continuous price."""
AUCTION_VOLUME: Final = 0.08
"""What the closing auction trades, as a share of an ordinary day."""
LEAST_VOLUME: Final = 6


class Path(NamedTuple):
    """A way through a day: the move since the open at the end of each minute, and the minute that jumped (or -1)."""

    moves: list[float]
    jump_at: int


def offset_of(start_ms: int) -> int:
    """Give the minutes since 09:15 of a minute's start."""
    return ((start_ms + IST_OFFSET_MS) % DAY_MS - OPEN_OFFSET_MS) // MINUTE_MS


def by_time(first: tuple[float, ...], quarters: tuple[float, ...], offset: int) -> float:
    """Read a table of the day's course at so many minutes after 09:15; outside the day its nearest end."""
    if offset < len(first):
        return first[max(0, offset)]
    return quarters[min(len(quarters) - 1, (offset - len(first)) // 15)]


class DayCourse(NamedTuple):
    """What a day's minutes have by their time alone, one number a minute.

    `shares` of the day's variance (they add up to 1), their square `roots`, and `volumes` relative to the mean.
    """

    shares: Sequence[float]
    roots: Sequence[float]
    volumes: Sequence[float]


def course_of(minutes: Sequence[int]) -> DayCourse:
    """Give the course of a day with these minutes. Days of the same hours share one."""
    return _course(tuple((start - minutes[0]) // MINUTE_MS for start in minutes), offset_of(minutes[0]))


@lru_cache(maxsize=64)
def _course(places: tuple[int, ...], first: int) -> DayCourse:
    squares = [by_time(MOVE_FIRST_MINUTES, MOVE_QUARTERS, first + place) ** 2 for place in places]
    total = sum(squares)
    shares = [square / total for square in squares]
    volumes = [by_time(VOLUME_FIRST_MINUTES, VOLUME_QUARTERS, first + place) for place in places]
    return DayCourse(shares, [sqrt(share) for share in shares], volumes)


def factor_path(rng: Random, stretch: Stretch, course: DayCourse, end: float, *, has_news: bool = False) -> Path:
    """Wander through the day and arrive at `end` exactly.

    A Brownian bridge on the day's own clock (shares of variance), plus the way to the end, plus the
    swing of a reversal day, which is largest when half of the day's variance is spent.
    """
    steps = [draw * root for draw, root in zip(fat_bells(rng, len(course.roots)), course.roots, strict=True)]
    has_room = has_news and len(steps) >= LEAST_FOR_NEWS
    jump_at = int(rng.random() * (len(steps) - 20)) + 10 if has_room and rng.random() < NEWS_SHARE else -1
    if jump_at > 0:
        size = NEWS_SIZE[0] + (NEWS_SIZE[1] - NEWS_SIZE[0]) * rng.random()
        steps[jump_at] = size if rng.random() < 0.5 else -size
    drift = sum(steps)
    moves, walked, spent = [], 0.0, 0.0
    noise, swing = stretch.noise, stretch.swing * 4
    for step, share in zip(steps, course.shares, strict=True):
        walked += step
        spent += share
        moves.append(noise * (walked - spent * drift) + swing * spent * (1 - spent) + end * spent)
    moves[-1] = end
    return Path(moves, jump_at)


def stock_bars(
    rng: Random, profile: Profile, part: InstrumentDay, common: list[float], noise: float, hours: DayHours
) -> tuple[Bar, ...]:
    """Make the day's bars of one instrument: the first opens at the planned open, the last closes at the planned close.

    `common` is the move of the shared factors at the end of each minute (already weighted), `noise` the
    deviation of the whole day. With a closing auction the last bar is its one print.
    """
    step = profile.listing.step
    minutes = hours.minutes()
    auction = hours.closing_match
    last = snap(part.close / (1 + AUCTION_MOVE * fat_bell(rng)), step) if auction else part.close
    end = last / part.open - 1
    course = course_of(minutes)
    own = factor_path(rng, part.own, course, end - common[-1], has_news=not profile.listing.is_index)
    closes = [snap(part.open * (1 + shared + alone), step) for shared, alone in zip(common, own.moves, strict=True)]
    closes[-1] = last
    usual_volume = profile.daily_volume / 375 * (0.55 + 0.9 * rng.random())
    day = _Day(part.open, step, noise, usual_volume, profile.silent_share, _room(profile, part.previous_close))
    bars = _bars(rng, day, closes, own.jump_at, course, minutes)
    if auction:
        start = auction[0] + int(rng.random() * ((auction[1] - auction[0]) // MINUTE_MS)) * MINUTE_MS
        bars.append(_print(start, part.close, int(profile.daily_volume * AUCTION_VOLUME * (0.6 + 0.8 * rng.random()))))
    return tuple(bars)


def _bars(
    rng: Random, day: "_Day", closes: list[int], jump_at: int, course: DayCourse, minutes: list[int]
) -> list[Bar]:
    bars, before, last = [], day.opened, len(minutes) - 1
    columns = zip(minutes, closes, course.roots, course.volumes, strict=True)
    for place, (start, close, root, usual) in enumerate(columns):
        if place == 0:
            first = day.opened
        elif place == jump_at:
            first = snap(before + 0.9 * (close - before), day.step)
        else:
            first = before + (int(rng.random() * 4) - 1) // 2 * day.step if rng.random() < 0.6 else before
        bar = day.bar(rng, start, first, close, root, usual)
        before = close
        if not day.silent_share or place in (0, last) or rng.random() >= day.silent_share:
            bars.append(bar)
    return bars


class _Day(NamedTuple):
    """What all minutes of one instrument's day share. `room` is the fixed band, or without bounds."""

    opened: int
    step: int
    noise: float
    usual_volume: float
    silent_share: float
    room: tuple[int, int]

    def bar(self, rng: Random, start: int, first: int, close: int, root: float, usual: float) -> Bar:
        """Put a high, a low and a volume around a minute's open and close.

        `root` is the deviation of the minute relative to the day's, `usual` its volume relative to the mean minute's.
        """
        opened, step, noise, _, _, (least, most) = self
        reach = 3 * BAR_EXCESS * noise * root * opened
        high, low = (first, close) if first > close else (close, first)
        high += int(reach * rng.random() ** 2 / step + 0.5) * step
        low -= int(reach * rng.random() ** 2 / step + 0.5) * step
        if low < least or high > most:
            first, high, low, close = (min(max(price, least), most) for price in (first, high, low, close))
        return Bar(start, first, high, low, close, self.volume(rng, usual, (high - low) / (reach + step)))

    def volume(self, rng: Random, usual: float, width: float) -> int:
        """Draw a minute's volume: the course of the day, chance, and more when the price moved far."""
        if not self.usual_volume:
            return 0
        chance = between(rng, MINUTE_VOLUME) * (0.5 + (width if width < 2.0 else 2.0) * 0.5)
        return LEAST_VOLUME + int(self.usual_volume * usual * chance)


def _room(profile: Profile, previous_close: int) -> tuple[int, int]:
    """Nobody trades outside a fixed band; an operating range gives way."""
    if profile.listing.has_fixed_band:
        return circuits(previous_close, profile.listing.band_percent, profile.listing.step)
    return profile.listing.step, 100 * previous_close


def _print(start: int, price: int, volume: int) -> Bar:
    return Bar(start, price, price, price, price, max(1, volume))
