"""`make bench`: prints one row a measurement, and on which machine it was made.

A measurement is a function that gives rows; it is listed in `MEASUREMENTS`.
"""

import os
import platform
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from scripts import bench_days, bench_exchange, bench_kill, bench_log, bench_search


@dataclass(frozen=True, slots=True)
class Row:
    """One result. `value` already is in `unit`; `note` says under which conditions."""

    name: str
    value: float
    unit: str
    note: str = ""


def search_rows() -> Iterable[Row]:
    """Search the whole dump (asked for: under 20 ms)."""
    return [Row(*fields) for fields in bench_search.measure()]


def exchange_rows() -> Iterable[Row]:
    """Load the simulated exchange (asked for: 12,000 packets a second a socket, 2,000 orders a second)."""
    return [Row(*fields) for fields in bench_exchange.measure()]


def log_rows() -> Iterable[Row]:
    """Check a million lines of event log, in constant memory."""
    return [Row(*fields) for fields in bench_log.measure()]


def kill_rows() -> Iterable[Row]:
    """Press the kill switch by every path (asked for: the gate is closed within a second)."""
    return [Row(*fields) for fields in bench_kill.measure()]


def days_rows() -> Iterable[Row]:
    """Play simulated days: processor, also against the bare event loop, and memory."""
    return [Row(*fields) for fields in bench_days.measure()]


MEASUREMENTS: Sequence[Callable[[], Iterable[Row]]] = (search_rows, exchange_rows, log_rows, kill_rows, days_rows)


def machine() -> str:
    """Describe where the numbers come from."""
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"


def as_line(row: Row) -> str:
    """Give one row of the table."""
    return f"{row.name:<50} {row.value:>14,.3f} {row.unit:<12} {row.note}".rstrip()


def main() -> int:
    """Print the table."""
    lines = [machine(), f"{'measurement':<50} {'value':>14} {'unit':<12} note"]
    rows = [as_line(row) for measure in MEASUREMENTS for row in measure()]
    sys.stdout.write("\n".join([*lines, *(rows or ["(no measurement is defined yet)"])]) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
