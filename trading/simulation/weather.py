"""What goes wrong on one simulated day: a list of troubles, drawn from its seed or read back from a file."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, NamedTuple

from trading.simulation import outages, unanswered
from trading.simulation.faults import FAULTS, Fault
from trading.simulation.troubles import Trouble

QUIET_SHARE = 0.06
SLICED_LOTS = 50
"""Of 75 units each: three orders of at most 1,800 of the index future."""
STOPS_SHARE = 0.2
"""On so many days the first client wants a stop that rests at the exchange."""


class Shape(NamedTuple):
    """What kind of day it is beside its troubles."""

    accounts: int = 2
    is_expiry: bool = False
    has_standby: bool = False
    stop_percent: int = 0
    """How far beyond the ladder's stop the first client's stop rests at the exchange; 0 for none."""
    future_lots: int = 0
    """So many lots of the future a position, where it is not as many as everywhere."""
    is_unknown: bool = False
    """True for a day that the engine's calendar does not know."""

    def struck_by(self, faults: Sequence[str]) -> "Shape":
        """Give the shape that the day has under these faults."""
        shape = self
        if "F21" in faults:
            shape = shape._replace(is_expiry=True, future_lots=SLICED_LOTS)
        return shape._replace(is_unknown=shape.is_unknown or "F60" in faults)


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
        stop_percent=_stop_percent(seed),
    )
    if only:
        return Weather(tuple(_drawn(seed, only)), shape.struck_by(only))
    if shape_rng.random() < QUIET_SHARE:
        return Weather(shape=shape)
    today = [number for number, fault in FAULTS.items() if _chance(seed, number, fault) < fault.share]
    stands_in = outages.drawn(seed) if shape.has_standby else ()
    return Weather((*_drawn(seed, today), *stands_in, *unanswered.drawn(seed)), shape.struck_by(today))


def _chance(seed: int, number: str, fault: Fault) -> float:
    return Random(f"{seed}:{number}:{fault.stream}").random()  # noqa: S311


def _stop_percent(seed: int) -> int:
    """Draw by a chance of its own, so that the other days stay what they were."""
    rng = Random(f"{seed}:stop rests")  # noqa: S311
    return rng.choice((1, 2, 5)) if rng.random() < STOPS_SHARE else 0


def _drawn(seed: int, numbers: Iterable[str]) -> Iterable[Trouble]:
    for number in numbers:
        # A chance of its own: a fault more or less in the table leaves the others as they are.
        yield from FAULTS[number].draw(number, Random(f"{seed}:{number}"))  # noqa: S311


def _trouble(kept: Mapping[str, Any]) -> Trouble:
    values = {name: value for name, value in kept.items() if name not in ("fault", "what")}
    return Trouble(str(kept["fault"]), str(kept["what"]), values)
