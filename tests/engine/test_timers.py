"""Timers in market time, as a live market drives them."""

import asyncio
from datetime import time, timedelta

from tests.engine.stage import DAY
from tests.fakes.virtual_clock import VirtualClock, let_run
from trading.domain.timezone import at_ist
from trading.engine.timers import Timers


async def test_a_timer_that_a_timers_own_task_sets_a_turn_later_runs_too() -> None:
    clock, timers, ran = VirtualClock(at_ist(DAY, time(9, 30))), Timers(), list[str]()

    async def work() -> None:
        timers.set("second", clock.now() + timedelta(seconds=3), lambda: ran.append("second"))

    tasks = [asyncio.create_task(timers.drive(clock))]
    timers.set("midnight", at_ist(DAY, time(23, 59)), lambda: ran.append("midnight"))
    timers.set("first", at_ist(DAY, time(9, 30, 1)), lambda: tasks.append(asyncio.create_task(work())))
    for second in (1, 4):
        await let_run()
        clock.set(at_ist(DAY, time(9, 30, second)))
    await let_run()

    assert ran == ["second"]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
