"""What an option is worth: a normal (Bachelier) model on the forward, with a smile and a term structure.

Put-call parity holds exactly in it and no price is below intrinsic value. A smile in normal terms is turned into one in
Black's: width = sigma x sqrt(forward x strike x years), within a thousandth of Black's price at the money.
Shape and level are fitted to the NIFTY chain of 2025-08-29 (expiries 4 and 11 days ahead, strikes -8 % to +9 %).
Only exact arithmetic is used (see `randomness`): no exp and no log of the C library.
"""

from functools import cache
from math import sqrt
from typing import Final, NamedTuple

DAYS_OF_YEAR: Final = 365
CARRY: Final = 0.065
"""Interest less dividends a year: the chain's two forwards stood 0.15 % apart over a week."""
SMILE_BEND, SMILE_FLAT, SMILE_SKEW = 0.29, 1.7, -0.030
"""Volatility over that at the money, z deviations above the forward: 1 + skew z + bend (sqrt(z^2 + flat^2) - flat)."""
FARTHEST: Final = 6
_GRID: Final = 256


class Level(NamedTuple):
    """At-the-money volatility a year (fractions): of an expiry now, far ahead, and the days at which it is half way."""

    near: float
    far: float
    half_days: float


INDEX_LEVEL: Final = Level(0.088, 0.115, 20.0)


def forward_factor(years: float) -> float:
    """Give what a price today is multiplied with to have the fair one so many years ahead."""
    return 1 + CARRY * years


def at_the_money(level: Level, days: float) -> float:
    """Give the volatility a year of an expiry so many days ahead."""
    return level.far - (level.far - level.near) * level.half_days / (level.half_days + days)


def smile(z: float) -> float:
    """Give the volatility of a strike z deviations above the forward, relative to the one at the money."""
    return 1 + SMILE_SKEW * z + SMILE_BEND * (sqrt(z * z + SMILE_FLAT * SMILE_FLAT) - SMILE_FLAT)


def width_of(forward: float, strike: float, deviation: float) -> float:
    """Give the deviation in rupees that an option is priced with; `deviation` is that of the return at the money."""
    return deviation * smile((strike / forward - 1) / deviation) * sqrt(forward * strike)


def option_value(distance: float, width: float) -> float:
    """Give the worth of an option that is `distance` in the money (negative: out of it), never less than that."""
    place = (distance / width + FARTHEST) * _GRID
    if place <= 0:
        return 0.0
    table = _table()
    below = int(place)
    if below >= len(table) - 1:
        return distance
    return width * (table[below] + (table[below + 1] - table[below]) * (place - below))


@cache
def _table() -> tuple[float, ...]:
    """Give d N(d) + n(d) from -6 to 6: the worth of an option of width 1. Straight lines lie above the curve."""
    step = 1 / _GRID
    normal, table = 0.0, []
    for place in range(2 * FARTHEST * _GRID + 1):
        at = place * step - FARTHEST
        if place:  # Simpson's rule over the last step
            normal += step / 6 * (_bell(at - step) + 4 * _bell(at - step / 2) + _bell(at))
        table.append(at * normal + _bell(at))
    return tuple(table)


def _bell(at: float) -> float:
    """Give the density of the normal distribution, by exact arithmetic: exp(-x) as the 64th power of a short series."""
    part = at * at / 128
    series = 1 + part * (1 + part / 2 * (1 + part / 3 * (1 + part / 4 * (1 + part / 5))))
    for _ in range(6):
        series *= series
    return 0.3989422804014327 / series
