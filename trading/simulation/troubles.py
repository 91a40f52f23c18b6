"""The kinds of trouble that a day can be given, each made from a chance. Steps are counted from the day's open."""

from collections.abc import Mapping
from random import Random
from typing import Any, NamedTuple

STEPS = 290
"""About as many steps as a day has."""
ENDGAME = 175
"""About the step at which the slow ones around the square-off begin."""


class Trouble(NamedTuple):
    """One trouble: the number of its fault, what is done, and how. `values` is JSON-able."""

    fault: str
    what: str
    values: Mapping[str, Any]


def rules(fault: str, *made: Mapping[str, Any]) -> tuple[Trouble, ...]:
    """Put rules of the exchange's control port in force from the morning on."""
    return (Trouble(fault, "rules", {"rules": [dict(one) for one in made]}),)


def span(fault: str, what: str, rng: Random, **values: Any) -> tuple[Trouble, ...]:
    """Do something from one step to another."""
    start = step(rng)
    return (Trouble(fault, what, {"from": start, "until": start + rng.choice((3, 10, 40)), **values}),)


def once(fault: str, what: str, rng: Random, times: int = 1, **values: Any) -> tuple[Trouble, ...]:
    """Do something at some steps."""
    return tuple(Trouble(fault, what, {"at": step(rng), **values}) for _ in range(times))


def step(rng: Random) -> int:
    """Give a step of the day; the ones around the square-off as often as all others together."""
    return rng.randrange(STEPS)


def window(rng: Random, *, whole: float = 0.45) -> dict[str, str]:
    """Give a span of market time: the whole day so often, else around the square-off, or some minutes or hours."""
    kind, is_late = rng.random(), rng.random() < 0.45
    if kind < whole:
        start, length = 9 * 60 + 15, 374
    elif is_late:
        start, length = 15 * 60 + rng.randrange(5, 14), rng.choice((2, 5, 12))
    else:
        start, length = 9 * 60 + 15 + rng.randrange(330), rng.choice((5, 30, 90))
    return {"from": _clock(start), "until": _clock(start + length)}


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}:00"
