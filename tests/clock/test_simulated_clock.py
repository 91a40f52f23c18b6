"""Participants against a real exchange's control port, over real sockets."""

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from tests.exchange.known_days import ExchangeOfKnownDays
from trading.clock.http import FRESH_FOR_S, ControlClock
from trading.clock.simulated import MarketParticipant
from trading.clock.threaded import ThreadedParticipant
from trading.domain.timezone import to_ist
from trading.exchange.days import DayWish
from trading.exchange.server import Exchange, ExchangeOptions

DAY = date(2026, 11, 23)


@pytest.fixture
async def exchange(tmp_path: Path) -> AsyncIterator[Exchange]:
    options = ExchangeOptions(
        state_dir=tmp_path, today=DAY, wish=DayWish(DAY, 1, None), speed=600, expected_roles=("engine",)
    )
    running = ExchangeOfKnownDays(options, monotonic=time.monotonic)
    await running.start()
    yield running
    await running.stop()


async def post_clock(exchange: Exchange, **orders: object) -> dict[str, object]:
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{exchange.info['control']}/clock", json=orders) as reply,
    ):
        answer: dict[str, object] = await reply.json()
        return answer


async def test_the_market_waits_for_the_engine_and_time_is_what_the_round_said(exchange: Exchange) -> None:
    engine = MarketParticipant(exchange.info["control"], name="engine", role="engine")
    await engine.start()
    rounds = engine.rounds()
    first = await anext(rounds)
    await asyncio.sleep(0.1)
    assert exchange.clock.step == first.step

    await engine.answer(first)
    second = await anext(rounds)

    assert second.step == first.step + 1
    assert engine.now() == second.at
    await engine.close()


async def test_a_named_moment_is_a_step_and_sleepers_wake_at_it(exchange: Exchange) -> None:
    engine = MarketParticipant(exchange.info["control"], name="engine", role="engine")
    await engine.start()
    due = engine.now() + timedelta(milliseconds=1500)
    sleeper = asyncio.create_task(engine.sleep_until(due))
    seen = []

    async for round_ in engine.rounds():
        seen.append(round_.at)
        await engine.answer(round_, next_due=due if round_.at < due else None)
        if round_.at >= due:
            break

    await asyncio.wait_for(sleeper, 30)
    assert due in seen
    await engine.close()


async def test_beat_answers_in_advance_and_the_market_stops_where_beat_has_work(exchange: Exchange) -> None:
    engine = MarketParticipant(exchange.info["control"], name="engine", role="engine")
    beat = ThreadedParticipant(exchange.info["control"], name="beat", role="beat")
    await asyncio.to_thread(beat.start)
    due = beat.now() + timedelta(seconds=3)
    while (asked := beat.latest_round) is None:  # noqa: ASYNC110 (it is set in another thread)
        await asyncio.sleep(0.01)
    beat.answer(asked, until=due)
    await engine.start()

    async for round_ in engine.rounds():
        await engine.answer(round_)
        if round_.at >= due:
            break
    await asyncio.sleep(0.2)

    assert to_ist(beat.now()) == to_ist(due)
    await asyncio.to_thread(beat.close)
    await engine.close()


async def test_run_until_holds_the_market_and_pages_read_its_time_over_http(exchange: Exchange) -> None:
    engine = MarketParticipant(exchange.info["control"], name="engine", role="engine")
    await engine.start()
    await post_clock(exchange, run_until="09:15:04")

    async def answer_all() -> None:
        async for round_ in engine.rounds():
            await engine.answer(round_)

    answering = asyncio.create_task(answer_all())
    while not (await post_clock(exchange))["held"]:  # noqa: ASYNC110 (asked over HTTP)
        await asyncio.sleep(0.01)
    clock = ControlClock(exchange.info["control"])

    assert f"{to_ist(await asyncio.to_thread(clock.now)):%H:%M:%S}" == "09:15:04"
    answering.cancel()
    await engine.close()


async def test_a_bad_clock_order_is_refused_in_words(exchange: Exchange) -> None:
    answer = await post_clock(exchange, speed=1000)

    assert answer == {"error": "speed must be 1 to 600, was 1000"}
    assert "pace must be hold or free" in str((await post_clock(exchange, pace="quick"))["error"])
    assert "the known ones are" in str((await post_clock(exchange, stop=True))["error"])


class HalfAnswers:
    """A control port that dies while it speaks: each connection gets the next text and is closed."""

    def __init__(self, *texts: bytes) -> None:
        self._texts = list(texts)
        self.url = ""

    async def __aenter__(self) -> "HalfAnswers":
        self._server = await asyncio.start_server(self._answer, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        await self._server.wait_closed()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(self._texts.pop(0))
        writer.close()


HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\n"


@pytest.mark.parametrize("half", [HEAD + b'{"epoch_ms": 17', HEAD + b'{"epoch_ms": 17' + 15 * b" ", b"HTTP/1.1 2"])
async def test_half_an_answer_leaves_market_time_at_the_last_whole_one(half: bytes) -> None:
    whole = HEAD + b'{"epoch_ms": 1795405500000}'.ljust(30)
    async with HalfAnswers(whole, half, half) as port:
        clock = ControlClock(port.url)
        before = await asyncio.to_thread(clock.now)
        await asyncio.sleep(FRESH_FOR_S + 0.01)

        assert await asyncio.to_thread(clock.now) == before
        with pytest.raises(OSError, match="no market time from"):
            await asyncio.to_thread(ControlClock(port.url).now)


async def test_a_participant_outlives_a_connection_that_breaks_in_the_middle_of_a_message() -> None:
    sockets = []

    async def serve(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        sockets.append(socket)
        await socket.send_json({"type": "hello", "step": len(sockets), "epoch_ms": 1_795_405_500_000})
        if len(sockets) == 1 and request.transport is not None:
            request.transport.write(b"\x83\x00")  # an opcode that does not exist
        await socket.receive()
        return socket

    app = web.Application()
    app.add_routes([web.get("/participate", serve)])
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    participant = MarketParticipant(f"http://127.0.0.1:{runner.addresses[0][1]}", name="engine", role="engine")
    await participant.start()

    async with asyncio.timeout(30):
        while len(sockets) < 2:  # noqa: ASYNC110 (the participant comes back by itself)
            await asyncio.sleep(0.01)

    await participant.close()
    await runner.cleanup()
