"""Chance by place: a wandering line whose value at any step is known without walking to it."""

from math import sqrt
from typing import Final

from trading.exchange.market.randomness import mix

OCTAVES: Final = 8
"""The line comes back over two to the power of this many steps."""
_ROUGHNESS: Final = 0.866  # makes the deviation of one step 1
_HALF: Final = float(1 << 63)
_SALT: Final = 0xD1B54A32D192ED03


def unit(number: int) -> float:
    """Give a number between -1 and 1 that belongs to this one."""
    return mix(number) / _HALF - 1


def chance(number: int) -> float:
    """Give a number between 0 and 1 that belongs to this one."""
    return mix(number) / (2 * _HALF)


def wander(salt: int, at: int) -> float:
    """Give the line's height at one step. From step to step it moves by 1 (deviation), never by more than 5.2.

    Sum of noises on grids of 1, 2, 4 ... steps, straight in between: like a random walk on short spans, back to 0 on
    long ones (deviation about 8).
    """
    total = 0.0
    for octave in range(OCTAVES):
        period = 1 << octave
        place, rest = divmod(at, period)
        number = salt + (octave << 56)
        left = unit(number + place * _SALT)
        right = unit(number + (place + 1) * _SALT) if rest else left
        total += _ROOTS[octave] * (left + (right - left) * rest / period)
    return total


_ROOTS: Final = tuple(_ROUGHNESS * sqrt(1 << octave) for octave in range(OCTAVES))
