"""What goes wrong on one simulated day: a list of troubles, drawn from its seed or read back from a file."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, NamedTuple

from trading.simulation.faults import FAULTS
from trading.simulation.troubles import Trouble

SHARE = 0.11
"""How often each fault is there on a day: about five at once."""
QUIET_SHARE = 0.06


class Shape(NamedTuple):
    """What kind of day it is beside its troubles."""

    accounts: int = 2
    is_expiry: bool = False
    has_standby: bool = False


PLAIN = Shape()


@dataclass(frozen=True)
class Weather:
    """One day's troubles. An empty one is a quiet day."""

    troubles: tuple[Trouble, ...] = ()
    shape: Shape = PLAIN

    @property
    def faults(self) -> tuple[str, ...]:
        """Give the numbers of the faults that are there, each once."""
        return tuple(dict.fromkeys(trouble.fault for trouble in self.troubles))

    def to_json(self) -> dict[str, Any]:
        """Give it as a regression file keeps it."""
        troubles = [{"fault": one.fault, "what": one.what, **one.values} for one in self.troubles]
        return {"shape": self.shape._asdict(), "troubles": troubles}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> "Weather":
        """Read it back. Raises KeyError or TypeError for what is no weather."""
        return cls(tuple(_trouble(one) for one in kept["troubles"]), Shape(**kept["shape"]))


def draw(seed: int, only: Sequence[str] = ()) -> Weather:
    """Draw a day's troubles, each fault by a chance of its own; with `only` those faults and no others.

    Raises ValueError for a fault that no simulated day can have.
    """
    unknown = sorted(set(only) - FAULTS.keys())
    if unknown:
        raise ValueError(f"faults must be of {', '.join(FAULTS)}, was {unknown[0]!r}")
    shape_rng = Random(f"{seed}:shape")  # noqa: S311 - the same seed gives the same day
    shape = Shape(
        accounts=shape_rng.choice((2, 2, 2, 3)),
        is_expiry=shape_rng.random() < 0.15,
        has_standby=shape_rng.random() < 0.3,
    )
    if only:
        return Weather(tuple(_drawn(seed, only)), shape)
    if shape_rng.random() < QUIET_SHARE:
        return Weather(shape=shape)
    today = [number for number in FAULTS if Random(f"{seed}:{number}:there").random() < SHARE]  # noqa: S311
    return Weather(tuple(_drawn(seed, today)), shape)


def _drawn(seed: int, numbers: Iterable[str]) -> Iterable[Trouble]:
    for number in numbers:
        # A chance of its own: a fault more or less in the table leaves the others as they are.
        yield from FAULTS[number].draw(number, Random(f"{seed}:{number}"))  # noqa: S311


def _trouble(kept: Mapping[str, Any]) -> Trouble:
    values = {name: value for name, value in kept.items() if name not in ("fault", "what")}
    return Trouble(str(kept["fault"]), str(kept["what"]), values)
