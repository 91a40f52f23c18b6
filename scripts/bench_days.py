"""Play simulated days: what one costs, also against the bare event loop of the same run, and whether memory grows."""

import asyncio
import gc
import resource
import time
from collections.abc import Iterable

DAYS = 20
SLEEPS = 100_000


def measure(days: int = DAYS) -> Iterable[tuple[str, float, str, str]]:
    """Give the rows, of days from seed 0 on in this process."""
    from trading.simulation.many import quiet, run

    quiet()
    list(run(1, 0))  # what is imported and read once is no part of a day
    day_s, grew = 0.0, 0.0
    for part in range(2):
        before, began = _memory_mb(), time.process_time()
        list(run(days // 2, part * days // 2))
        day_s, grew = day_s + (time.process_time() - began) / days, _memory_mb() - before
    yield "simulated day: processor", day_s, "s/day", f"{days} days from seed 0, one process"
    yield "simulated day: against the bare loop", day_s / _sleeps_s(), "x", f"{SLEEPS:,} sleeps on the same event loop"
    yield "simulated day: memory", grew, "MB", f"grown over the last {days - days // 2} of them"


def _memory_mb() -> float:
    gc.collect()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _sleeps_s() -> float:
    from trading.simulation.virtual_time import run_virtually

    async def sleeps() -> None:
        for _ in range(SLEEPS):
            await asyncio.sleep(0.1)

    began = time.process_time()
    run_virtually(sleeps)
    return time.process_time() - began
