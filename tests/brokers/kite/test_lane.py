"""One account's thread: orders go first, and no slow read keeps one waiting."""

import asyncio
import threading
import time
from collections.abc import Callable

import pytest

from trading.brokers.kite.lane import ORDER_WAITS_S, Lane, Overdue


class Sdk:
    """Notes in which order its calls began."""

    def __init__(self, began: list[str]) -> None:
        self.began = began

    def call(self, name: str, wait: Callable[[], object] = lambda: None) -> str:
        self.began.append(name)
        wait()
        return name


@pytest.fixture
def began() -> list[str]:
    return []


async def test_an_order_goes_before_the_reads_that_wait(began: list[str]) -> None:
    lane, gate = Lane("kite:AB1001", lambda: Sdk(began)), threading.Event()
    calls = [asyncio.create_task(lane.run(lambda sdk: sdk.call("read 1", gate.wait), deadline_s=2.0))]
    await asyncio.sleep(0.05)
    calls.append(asyncio.create_task(lane.run(lambda sdk: sdk.call("read 2"), deadline_s=2.0)))
    await asyncio.sleep(0)
    calls.append(asyncio.create_task(lane.run(lambda sdk: sdk.call("order"), deadline_s=2.0, is_order=True)))
    await asyncio.sleep(0.05)

    gate.set()
    await asyncio.gather(*calls)

    assert began == ["read 1", "order", "read 2"]
    lane.close()


async def test_a_read_that_hangs_makes_way_for_an_order(began: list[str]) -> None:
    lane, gate = Lane("kite:AB1001", lambda: Sdk(began)), threading.Event()
    read = asyncio.create_task(lane.run(lambda sdk: sdk.call("read", gate.wait), deadline_s=30.0))
    await asyncio.sleep(0.05)

    asked_at = time.monotonic()
    await lane.run(lambda sdk: sdk.call("order"), deadline_s=2.0, is_order=True)

    assert time.monotonic() - asked_at < ORDER_WAITS_S + 0.5
    with pytest.raises(Overdue, match="made way for an order"):
        await read
    gate.set()
    lane.close()


async def test_an_order_that_is_under_way_makes_way_for_no_other(began: list[str]) -> None:
    lane, gate = Lane("kite:AB1001", lambda: Sdk(began)), threading.Event()
    first = asyncio.create_task(lane.run(lambda sdk: sdk.call("order 1", gate.wait), deadline_s=5.0, is_order=True))
    await asyncio.sleep(0.05)
    second = asyncio.create_task(lane.run(lambda sdk: sdk.call("order 2"), deadline_s=5.0, is_order=True))
    await asyncio.sleep(ORDER_WAITS_S + 0.2)
    assert began == ["order 1"]

    gate.set()
    assert list(await asyncio.gather(first, second)) == ["order 1", "order 2"]
    lane.close()


async def test_whoever_gives_up_waiting_keeps_nobody_from_the_thread(began: list[str]) -> None:
    lane, gate = Lane("kite:AB1001", lambda: Sdk(began)), threading.Event()
    first = asyncio.create_task(lane.run(lambda sdk: sdk.call("read 1", gate.wait), deadline_s=5.0))
    await asyncio.sleep(0.05)
    waiting = asyncio.create_task(lane.run(lambda sdk: sdk.call("read 2"), deadline_s=5.0))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    gate.set()
    await first

    assert await lane.run(lambda sdk: sdk.call("read 3"), deadline_s=1.0) == "read 3"
    lane.close()
