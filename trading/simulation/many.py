"""Many simulated days: one after the other or in several processes, and what came of them all."""

import logging
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from hashlib import sha256
from multiprocessing import get_context
from typing import Any

from trading.simulation.day import DayResult, play
from trading.simulation.weather import draw

SHOWN_VIOLATIONS = 5


@dataclass(frozen=True, slots=True)
class DayReport:
    """What is kept of one day among many."""

    seed: int
    digest: str
    violations: tuple[str, ...]
    broken: dict[str, int]
    looked: dict[str, int]
    struck: dict[str, int]


@dataclass
class Tally:
    """What came of many days. `there` counts the days that had a fault, `struck` those in which it was in the way."""

    days: int = 0
    violations: int = 0
    failing: list[int] = field(default_factory=list)
    looked: Counter[str] = field(default_factory=Counter)
    broken: Counter[str] = field(default_factory=Counter)
    there: Counter[str] = field(default_factory=Counter)
    struck: Counter[str] = field(default_factory=Counter)
    survived: Counter[str] = field(default_factory=Counter)
    whole: Any = field(default_factory=sha256)

    def add(self, day: DayReport) -> None:
        """Count one more day, in the order of the seeds."""
        self.days += 1
        self.violations += len(day.violations)
        self.looked.update(day.looked)
        self.broken.update(day.broken)
        self.whole.update(day.digest.encode())
        if day.violations:
            self.failing.append(day.seed)
        for fault, times in day.struck.items():
            self.there[fault] += 1
            self.struck[fault] += bool(times)
            self.survived[fault] += bool(times) and not day.violations

    def result(self) -> dict[str, Any]:
        """Give the four facts of a run."""
        return {
            "days": self.days,
            "violations": self.violations,
            "failing_seeds": sorted(self.failing),
            "hash": self.whole.hexdigest(),
        }

    def counts(self) -> dict[str, Any]:
        """Give how often each rule was looked at and broken, and of each fault: days there, struck and survived."""
        faults = {
            fault: {"days": self.there[fault], "struck": self.struck[fault], "survived": self.survived[fault]}
            for fault in sorted(self.there)
        }
        return {"looked": dict(sorted(self.looked.items())), "broken": dict(sorted(self.broken.items())),
                "faults": faults}  # fmt: skip


def run(days: int, seed: int, *, faults: Sequence[str] = (), jobs: int = 1) -> Iterator[DayReport]:
    """Play `days` days from a seed on and yield their reports in order, each as soon as it is there."""
    wanted = [(number, tuple(faults)) for number in range(seed, seed + days)]
    if jobs == 1:
        yield from map(_report, wanted)
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=quiet) as pool:
        yield from pool.map(_report, wanted, chunksize=4)


def quiet() -> None:
    """Keep the engine's log and the coroutines of dead processes to themselves: a day has thousands of both."""
    logging.disable(logging.CRITICAL)
    warnings.filterwarnings("ignore", message="coroutine .* was never awaited")


def report_of(day: DayResult) -> DayReport:
    """Give what is kept of a day."""
    words = tuple(f"{one.rule} at {one.at}: {one.text}" for one in day.violations)
    broken = dict(Counter(one.rule for one in day.violations))
    return DayReport(day.seed, day.digest, words, broken, day.looked, day.struck)


def _report(wanted: tuple[int, tuple[str, ...]]) -> DayReport:
    seed, faults = wanted
    return report_of(play(seed, draw(seed, faults)))
