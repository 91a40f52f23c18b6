"""How long the broker's answers, messages and screens take on the wire, drawn by seed. Pure; all in wire seconds.

Four things take time, each by its own distribution: `ack` (the reply to place, modify and cancel), `update` (order
messages and postbacks after the event), `book` (orders, their states and trades in the reads) and `positions`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import exp, isfinite, log
from statistics import NormalDist
from typing import Any, Final

from trading.exchange.market.randomness import number_of

KINDS: Final = ("ack", "update", "book", "positions")
LONGEST_S: Final = 600.0
_P99: Final = NormalDist().inv_cdf(0.99)
_MOST: Final = 0.99999
"""The slowest that is ever drawn: beyond it one in 100,000 would be."""
_BITS: Final = 1 << 63


@dataclass(frozen=True, slots=True)
class Delay:
    """A lognormal delay by its median and 99th percentile; the same for both is a fixed one."""

    median_s: float
    p99_s: float

    def at(self, chance: float) -> float:
        """Give the delay below which this share of all draws lies."""
        if self.median_s == self.p99_s:
            return self.median_s
        sigma = log(self.p99_s / self.median_s) / _P99
        share = min(max(chance, 1 - _MOST), _MOST)
        return min(LONGEST_S, self.median_s * exp(sigma * NormalDist().inv_cdf(share)))

    @property
    def longest_s(self) -> float:
        """The longest that is ever drawn."""
        return self.at(1.0)

    def sheet(self) -> dict[str, float]:
        """Give it as it is set."""
        if self.median_s == self.p99_s:
            return {"fixed_s": self.median_s}
        return {"median_s": self.median_s, "p99_s": self.p99_s}


TYPICAL: Final[Mapping[str, Delay]] = {
    "ack": Delay(0.2, 0.4),
    "update": Delay(0.15, 0.8),
    "book": Delay(0.25, 1.2),
    "positions": Delay(0.4, 2.0),
}
"""An ordinary day. Assumed: no paper of the broker gives figures; the first follows one vendor's published ones for
the order calls of Indian brokers (180 to 280 ms, 380 ms at the 99th percentile)."""
PRESETS: Final = {"typical": TYPICAL}


@dataclass(slots=True)
class Latency:
    """The delays in force, none at first. The same seed, kind and event give the same delay."""

    seed: str = ""
    delays: Mapping[str, Delay] = field(default_factory=dict)

    def draw(self, kind: str, *event: object) -> float:
        """Give the seconds that this event takes; 0 where nothing is set."""
        delay = self.delays.get(kind)
        if delay is None:
            return 0.0
        return delay.at(number_of("latency", self.seed, kind, *event) / _BITS)

    def is_past(self, kind: str, age_s: float, *event: object) -> bool:
        """Say whether an event that is so old has arrived; draws only where it may matter."""
        delay = self.delays.get(kind)
        return delay is None or age_s >= delay.longest_s or age_s >= self.draw(kind, *event)

    def sheet(self) -> dict[str, dict[str, float]]:
        """Give the delays as they were set."""
        return {kind: self.delays[kind].sheet() for kind in KINDS if kind in self.delays}


def read_delays(wish: object, present: Mapping[str, Delay]) -> dict[str, Delay]:
    """Read what was asked for: a preset's name, null for none, or some kinds, null to end one. Raises ValueError."""
    if wish is None:
        return {}
    if isinstance(wish, str) and wish in PRESETS:
        return dict(PRESETS[wish])
    if not isinstance(wish, Mapping):
        raise ValueError(f"latency must be {_names(PRESETS)}, null, or an object of {_names(KINDS)}, was {wish!r}")
    unknown = sorted(set(wish) - set(KINDS))
    if unknown:
        raise ValueError(f"latency must name {_names(KINDS)}, was {unknown[0]!r}")
    read = {kind: None if one is None else _delay(kind, one) for kind, one in wish.items()}
    return {kind: delay for kind, delay in {**present, **read}.items() if delay is not None}


def _delay(kind: str, wish: object) -> Delay:
    if isinstance(wish, Mapping) and set(wish) == {"fixed_s"} and _is_time(wish["fixed_s"]):
        return Delay(float(wish["fixed_s"]), float(wish["fixed_s"]))
    if isinstance(wish, Mapping) and set(wish) == {"median_s", "p99_s"} and all(map(_is_time, wish.values())):
        delay = Delay(float(wish["median_s"]), float(wish["p99_s"]))
        if 0 < delay.median_s <= delay.p99_s:
            return delay
    raise ValueError(
        f'latency of {kind} must be {{"fixed_s": s}} or {{"median_s": s, "p99_s": s}} with 0 < median_s <= p99_s, '
        f"in wire seconds up to {LONGEST_S:g}, was {wish!r}"
    )


def _is_time(value: Any) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and isfinite(value) and 0 <= value <= LONGEST_S


def _names(words: Any) -> str:
    return ", ".join(repr(word) for word in words)
