"""One account's thread: calls follow one another, and one that overruns is left behind."""

import asyncio
import threading
from collections.abc import Callable

import pytest

from trading.brokers.kite.lane import Lane


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
