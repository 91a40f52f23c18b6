"""Chance that is the same on every machine.

Every stream is seeded by sha256 of what it is for, so that one stream never moves another and hash
seeds do not matter. Only uniform draws, the four operations and square roots are used: these are exact
in IEEE arithmetic, while sin, log and exp differ between C libraries in the last bit.
"""

from hashlib import sha256
from random import Random
from typing import Final

_SPREAD: Final = 1.7320508075688772  # sqrt(3): makes the sum of four uniforms a unit deviation
_CALM: Final = 0.7
_WILD: Final = 1.58
_WILD_SHARE: Final = 0.255
_MASK: Final = (1 << 64) - 1


def seeded(*parts: object) -> Random:
    """Give the stream of random numbers that belongs to these words and numbers."""
    text = "|".join(str(part) for part in parts)
    return Random(int.from_bytes(sha256(text.encode()).digest()[:16], "big"))  # noqa: S311 - a market, not a secret


def number_of(*parts: object) -> int:
    """Give 63 bits that belong to these words and numbers."""
    text = "|".join(str(part) for part in parts)
    return int.from_bytes(sha256(text.encode()).digest()[:8], "big") >> 1


def bell(rng: Random) -> float:
    """Draw a nearly normal number: mean 0, deviation 1, never beyond 3.5."""
    draw = rng.random
    return (draw() + draw() + draw() + draw() - 2.0) * _SPREAD


def fat_bell(rng: Random) -> float:
    """Draw a number of mean 0 and deviation 1 with the fat tails of market returns, never beyond 5.5."""
    return bell(rng) * (_WILD if rng.random() < _WILD_SHARE else _CALM)


def fat_bells(rng: Random, count: int) -> list[float]:
    """Draw so many of them, the same numbers as one by one."""
    draw = rng.random
    return [
        (draw() + draw() + draw() + draw() - 2.0) * _SPREAD * (_WILD if draw() < _WILD_SHARE else _CALM)
        for _ in range(count)
    ]


def between(rng: Random, table: tuple[float, ...]) -> float:
    """Draw from a distribution that is given by its evenly spaced quantiles."""
    place = rng.random() * (len(table) - 1)
    below = int(place)
    return table[below] + (table[below + 1] - table[below]) * (place - below)


def mix(number: int) -> int:
    """Scatter the bits of a number over 64 bits (the finaliser of splitmix64): cheap, stateless chance."""
    number = (number + 0x9E3779B97F4A7C15) & _MASK
    number = ((number ^ (number >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    number = ((number ^ (number >> 27)) * 0x94D049BB133111EB) & _MASK
    return number ^ (number >> 31)
