"""How the simulated broker misbehaves on purpose, as the control port sets it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from trading.exchange.venue.latency import Latency, read_delays


@dataclass(slots=True)
class Behaviour:
    """`book_lag_s` is wire time by which the order book is late; `fill_schedule` percent of what remains a matching."""

    book_lag_s: float = 0.0
    fill_schedule: tuple[int, ...] = ()
    latency: Latency = field(default_factory=Latency)

    def set(self, wish: Mapping[str, Any]) -> dict[str, Any]:
        """Set what is named of book_lag_s, fill_schedule and latency, all or none; give all. Raises ValueError."""
        unknown = set(wish) - {"book_lag_s", "fill_schedule", "latency"}
        if unknown:
            raise ValueError(f"behaviour must be book_lag_s, fill_schedule or latency, was {sorted(unknown)[0]!r}")
        lag = _lag(wish.get("book_lag_s", self.book_lag_s))
        schedule = _schedule(wish.get("fill_schedule", list(self.fill_schedule)))
        present = self.latency.delays
        delays = read_delays(wish["latency"], present) if "latency" in wish else present
        self.book_lag_s, self.fill_schedule, self.latency.delays = lag, schedule, delays
        return {
            "book_lag_s": self.book_lag_s,
            "fill_schedule": list(self.fill_schedule),
            "latency": self.latency.sheet(),
        }


def _lag(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value) or value < 0:
        raise ValueError(f"book_lag_s must be seconds from 0, was {value!r}")
    return float(value)


def _schedule(value: object) -> tuple[int, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or not all(type(entry) is int and 0 <= entry <= 100 for entry in value):
        raise ValueError(f"fill_schedule must be a list of percentages 0 to 100, was {json.dumps(value, default=str)}")
    return tuple(value)
