"""The ticker's packets on to a paper exchange: newest first, whole again after an outage, and never in the way."""

import asyncio
import struct
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from tests.exchange.fakes import INFY, SBIN
from trading.clock.live import LiveClock
from trading.domain.backoff import Backoff
from trading.domain.instruments import Instrument
from trading.marketdata.paper_feed import PaperFeed

QUICK = Backoff(first_s=0.01, most_s=0.02)
KNOWN = {one.token: one for one in (INFY, SBIN)}


async def find(tokens: Iterable[int]) -> Sequence[Instrument]:
    return [KNOWN[token] for token in sorted(tokens)]


def packet(token: int, word: str) -> bytes:
    """Make something that is a packet for all this feeder knows."""
    return struct.pack(">I", token) + word.encode()


class Door:
    """A paper exchange that writes down what comes, and reads nothing while it is `shut`."""

    def __init__(self) -> None:
        self.hellos: list[dict[str, Any]] = []
        self.packets: list[bytes] = []
        self.beats = 0
        self.connections = 0
        self.is_open = asyncio.Event()
        self.is_open.set()
        self.refuses = False
        self._socket: web.WebSocketResponse

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(max_msg_size=2**25)
        await socket.prepare(request)
        self.connections += 1
        self._socket = socket
        if self.refuses:
            await socket.close(code=1008, message=b"not today")
            return socket
        while True:
            await self.is_open.wait()
            message = await socket.receive()
            if message.type is aiohttp.WSMsgType.TEXT:
                self.hellos.append(message.json())
            elif message.type is aiohttp.WSMsgType.BINARY:
                self._take(message.data)
            else:
                return socket

    async def hang_up(self) -> None:
        """End the present connection."""
        await self._socket.close(code=1001, message=b"bye")

    def _take(self, message: bytes) -> None:
        (count,), place = struct.unpack_from(">H", message, 8), 10
        self.beats += count == 0
        for _ in range(count):
            (length,) = struct.unpack_from(">H", message, place)
            self.packets.append(message[place + 2 : place + 2 + length])
            place += 2 + length


@asynccontextmanager
async def door_at(port: int = 0) -> AsyncIterator[tuple[Door, int]]:
    """Serve a door; gives its port."""
    door = Door()
    app = web.Application()
    app.router.add_get("/prices", door.serve)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield door, int(runner.addresses[0][1])
    finally:
        door.is_open.set()
        await runner.cleanup()


@asynccontextmanager
async def feeding(port: int) -> AsyncIterator[PaperFeed]:
    """Run a feeder of both instruments."""
    feed = PaperFeed(f"http://127.0.0.1:{port}", LiveClock(), find=find, retry=QUICK)
    feed.want([INFY.token])
    task = asyncio.create_task(feed.run())
    try:
        yield feed
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(is_true: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not is_true():  # noqa: ASYNC110 (another task's doing)
            await asyncio.sleep(0.005)


async def test_it_names_day_and_instruments_first_and_then_sends_packets_untouched() -> None:
    async with door_at() as (door, port), feeding(port) as feed:
        feed.put([(INFY.token, packet(INFY.token, "a"))])
        await until(lambda: bool(door.packets))

    (said,) = door.hellos
    assert set(said) == {"day", "now_ms", "instruments"}
    assert [row["tradingsymbol"] for row in said["instruments"]] == ["INFY"]
    assert door.packets == [packet(INFY.token, "a")]


async def test_a_changed_wish_names_the_instruments_again() -> None:
    async with door_at() as (door, port), feeding(port) as feed:
        await until(lambda: bool(door.hellos))
        feed.want([INFY.token, SBIN.token])
        await until(lambda: len(door.hellos) == 2)

    assert [row["tradingsymbol"] for row in door.hellos[1]["instruments"]] == ["INFY", "SBIN"]


async def test_after_an_outage_the_newest_of_each_comes_again() -> None:
    async with door_at() as (first, port), feeding(port) as feed:
        feed.want([INFY.token, SBIN.token])
        feed.put([(INFY.token, packet(INFY.token, "old")), (SBIN.token, packet(SBIN.token, "only"))])
        await until(lambda: len(first.packets) >= 2)
        feed.put([(INFY.token, packet(INFY.token, "new"))])
        await until(lambda: first.packets[-1] == packet(INFY.token, "new"))
        first.packets.clear()
        await first.hang_up()
        await until(lambda: len(first.packets) == 2)

    assert sorted(first.packets) == [packet(INFY.token, "new"), packet(SBIN.token, "only")]
    assert first.connections == 2


async def test_an_exchange_that_comes_later_gets_only_the_newest_of_each() -> None:
    async with door_at() as (_, port):
        pass
    async with feeding(port) as feed:
        for word in ("one", "two", "three"):
            feed.put([(INFY.token, packet(INFY.token, word))])
        await asyncio.sleep(0.05)
        async with door_at(port) as (door, _):
            await until(lambda: bool(door.packets))

    assert door.packets == [packet(INFY.token, "three")]


async def test_an_exchange_that_does_not_read_costs_neither_time_nor_memory() -> None:
    async with door_at() as (door, port), feeding(port) as feed:
        await until(lambda: bool(door.hellos))
        door.is_open.clear()
        big = "x" * 60_000
        for number in range(500):  # far more than any socket buffer holds
            feed.put([(INFY.token, packet(INFY.token, f"{number} {big}"))])
            await asyncio.sleep(0)
        assert len(feed._newest) == 1  # what waits is one packet an instrument
        door.is_open.set()
        await until(lambda: bool(door.packets) and door.packets[-1].startswith(packet(INFY.token, "499 ")))

    assert len(door.packets) < 500


@pytest.mark.parametrize("is_there", [False, True])
async def test_a_refusing_or_absent_exchange_is_said_once_and_tried_again(
    is_there: bool, caplog: pytest.LogCaptureFixture
) -> None:
    async with door_at() as (door, port):
        door.refuses = True
        if not is_there:
            port = 1
        async with feeding(port):
            if is_there:
                await until(lambda: door.connections >= 3)
            else:
                await asyncio.sleep(0.2)

    said = [record.message for record in caplog.records if "gets no prices" in record.message]
    assert len(said) == 1
    assert ("not today" in said[0]) is is_there


async def test_silence_is_filled_with_beats() -> None:
    async with door_at() as (door, port), feeding(port):
        await until(lambda: door.beats >= 2)
