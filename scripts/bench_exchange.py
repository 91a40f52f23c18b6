"""What the simulated exchange bears: 3,000 instruments in full mode, four times a second, and 2,000 orders a second.

Exchange and clients are processes of their own, over real sockets, the ledger on disk. On a machine with two cores the
clients must not take what the exchange needs: they count frames and read no packet (`load_clients`).
"""

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from scripts.load_exchange import UPDATES_A_SECOND

HERE = Path(__file__).resolve().parent
INSTRUMENTS = 3000
ACCOUNTS = 300
"""Each sends under seven orders a second: the broker's limits (10 a second, 400 a minute) stay as they are."""
ORDERS_A_SECOND = 2000
CONNECTIONS = 32
SECONDS = 30
SPARE_SECONDS = 15
"""The market trades on for so long after the measurement ends, so that a late one is seen to be late."""

Fields = tuple[str, float, str, str]


@dataclass(frozen=True, slots=True)
class Case:
    """One load."""

    name: str
    sockets: int
    orders_a_second: int
    instruments: int = INSTRUMENTS


CASES = (
    Case("ticker, 1 socket", 1, 0),
    Case("ticker, 3 sockets", 3, 0),
    Case("orders", 0, ORDERS_A_SECOND),
    Case("ticker, 3 sockets, and orders", 3, ORDERS_A_SECOND),
)


class Child:
    """A script of ours as a process that is told and heard line by line."""

    def __init__(self, script: str, *words: object) -> None:
        command = [sys.executable, str(HERE / script), *map(str, words)]
        self._process = subprocess.Popen(  # noqa: S603 (our own script)
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.pid = self._process.pid

    def __enter__(self) -> "Child":
        return self

    def __exit__(self, *how: object) -> None:
        self._process.terminate()
        self._process.communicate()

    def tell(self, line: str) -> None:
        """Write one line to its standard input."""
        cast("IO[str]", self._process.stdin).write(f"{line}\n")
        cast("IO[str]", self._process.stdin).flush()

    def hear(self) -> dict[str, Any]:
        """Wait for its next JSON line. Raises ValueError when it ended instead (it said why on standard error)."""
        return dict(json.loads(cast("IO[str]", self._process.stdout).readline()))

    def cpu_s(self) -> float:
        """Give the processor seconds that it spent so far."""
        words = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

    def peak_mb(self) -> float:
        """Give the most memory that it ever had."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024


def clock(info: dict[str, Any], **orders: object) -> int:
    """Give orders to the market clock and its moment in epoch milliseconds."""
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{info['control']}/clock", json.dumps(orders).encode(), headers)  # noqa: S310
    with urllib.request.urlopen(request) as reply:  # noqa: S310 (loopback)
        return int(json.loads(reply.read())["epoch_ms"])


def run_case(case: Case, seconds: int) -> Iterator[Fields]:
    """Put one load on for so many seconds and give its rows."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Child("load_exchange.py", folder, case.instruments, seconds + SPARE_SECONDS, ACCOUNTS) as exchange,
        Child("load_clients.py") as clients,
    ):
        info = exchange.hear()
        load = {name: info[name] for name in ("rest", "ws", "users", "traded")}
        wishes = {"sockets": case.sockets, "orders_a_second": case.orders_a_second, "connections": CONNECTIONS}
        clients.tell(json.dumps({**load, **wishes, "seconds": seconds}))
        clients.hear()
        began_ms, spent, began = clock(info, resume=True), exchange.cpu_s(), time.perf_counter()
        clients.tell("go")
        counted = clients.hear()
        now_ms, took = clock(info), time.perf_counter() - began
        cpu = (exchange.cpu_s() - spent) / took
        yield from rows(case, counted, took - (now_ms - began_ms) / 1000, cpu, exchange.peak_mb())


def rows(case: Case, counted: dict[str, Any], behind: float, cpu: float, peak_mb: float) -> Iterator[Fields]:
    """Name what was counted."""
    seconds, name = counted["seconds"], case.name
    if case.sockets:
        asked = case.instruments * UPDATES_A_SECOND
        slowest = min(packets for _, packets, _ in counted["sockets"]) / seconds
        yield f"{name}: packets", slowest, "packets/s", "a socket, the one that got the fewest"
        note = f"{case.instruments:,} instruments, full mode, {UPDATES_A_SECOND} a second, {seconds:.0f} s"
        yield f"{name}: packets, achieved / asked", slowest / asked, "x", note
    if case.orders_a_second:
        achieved = counted["sent"] / seconds
        slow = f"99 %: {counted['p99_ms']:.0f} ms, slowest {counted['slowest_ms']:.0f} ms"
        yield f"{name}: orders", achieved, "orders/s", f"{counted['refused']} refused, each a market order of one unit"
        note = f"{ACCOUNTS} accounts, {CONNECTIONS} connections, {seconds:.0f} s"
        yield f"{name}: orders, achieved / asked", achieved / case.orders_a_second, "x", note
        yield f"{name}: order, median", counted["median_ms"], "ms", slow
    yield (
        f"{name}: market behind",
        behind,
        "s",
        f"after {seconds:.0f} s at speed 1; steps of {1000 // UPDATES_A_SECOND} ms",
    )
    yield f"{name}: exchange", cpu * 100, "% of a core", f"clients {counted['cpu'] / seconds * 100:.0f} %"
    yield f"{name}: exchange, most memory", peak_mb, "MB", ""


def measure(seconds: int = SECONDS) -> Iterator[Fields]:
    """Give (name, value, unit, note) for each load in turn."""
    for case in CASES:
        yield from run_case(case, seconds)
