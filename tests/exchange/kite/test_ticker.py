"""The ticker socket in front of the unmodified KiteTicker, and at the level of frames."""

import asyncio
import json
import re
import socket as stdlib_socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import aiohttp
import pytest

from tests.exchange.fakes import FUTURE, INFY, NIFTY, SBIN, order, quote_of
from tests.exchange.kite.children import child
from tests.exchange.kite.served import Served, serving
from trading.exchange.kite import connection, socket


class Ticker:
    """A KiteTicker process and what it said so far."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def next(self, kind: str) -> Any:
        """Give the next message of a kind; others are passed over."""
        assert self._process.stdout is not None
        async with asyncio.timeout(60):
            while True:
                line = await self._process.stdout.readline()
                assert line, "the ticker process ended"
                said, data = json.loads(line)
                if said == kind:
                    return data


@asynccontextmanager
async def ticker(served: Served, *wishes: str, user_id: str = "AB1001", token: str = "") -> AsyncIterator[Ticker]:
    user = served.desk.venue.users[user_id]
    words = [served.ws, user.api_key, token or served.desk.venue.issue_token(user_id), *wishes]
    async with child("tests.exchange.kite.ticker_client", *words) as process:
        yield Ticker(process)


GREETINGS = ("instruments_meta", "app_code")


def url(served: Served, user_id: str = "AB1001") -> str:
    user = served.desk.venue.users[user_id]
    return f"{served.ws}/?api_key={user.api_key}&access_token={served.desk.venue.issue_token(user_id)}"


async def greeted(ws: aiohttp.ClientWebSocketResponse) -> list[dict[str, Any]]:
    """Give the two frames with which a connection begins."""
    frames: list[dict[str, Any]] = [json.loads((await ws.receive(timeout=30)).data) for _ in GREETINGS]
    return frames


async def next_binary(ws: aiohttp.ClientWebSocketResponse) -> bytes:
    async with asyncio.timeout(30):
        while True:
            message = await ws.receive()
            if message.type is aiohttp.WSMsgType.BINARY and len(message.data) > 1:
                assert isinstance(message.data, bytes)
                return message.data


async def next_order(ws: aiohttp.ClientWebSocketResponse, timeout: float = 5) -> dict[str, Any]:
    async with asyncio.timeout(timeout):
        while True:
            message = await ws.receive()
            if message.type is aiohttp.WSMsgType.TEXT:
                body: dict[str, Any] = json.loads(message.data)
                if body["type"] in GREETINGS:
                    continue
                assert body["type"] == "order"
                data: dict[str, Any] = body["data"]
                return data


async def test_the_sdk_reads_every_mode_of_stocks_and_indices() -> None:
    wishes = (f"ltp:{SBIN.token}", f"quote:{FUTURE.token}", f"full:{INFY.token}", f"full:{NIFTY.token}")
    async with serving() as served, ticker(served, *wishes) as client:
        found: dict[int, dict[str, Any]] = {}
        wanted = {SBIN.token: "ltp", FUTURE.token: "quote", INFY.token: "full", NIFTY.token: "full"}
        while {token: tick["mode"] for token, tick in found.items()} != wanted:
            tick = await client.next("tick")
            found[tick["instrument_token"]] = tick
        served.tick(quote_of(INFY, "1487.35", asks=(("1487.40", 7),), bids=(("1487.30", 9),), at_ms=1_795_000_000_000))
        while (full := await client.next("tick"))["last_price"] == 1500:
            pass

    assert found[SBIN.token] == {"tradable": True, "mode": "ltp", "instrument_token": SBIN.token, "last_price": 1500.0}
    assert found[FUTURE.token]["volume_traded"] == 100_000
    assert found[NIFTY.token]["tradable"] is False
    assert found[NIFTY.token]["ohlc"] == {"open": 1500.0, "high": 1505.0, "low": 1495.0, "close": 1500.0}
    assert full["last_price"] == 1487.35
    assert full["depth"]["sell"][0] == {"quantity": 7, "price": 1487.4, "orders": 1}
    assert full["depth"]["buy"][0] == {"quantity": 9, "price": 1487.3, "orders": 1}
    assert full["change"] == pytest.approx(-0.84333, abs=1e-4)


async def test_the_sdk_receives_an_order_update_with_an_empty_checksum() -> None:
    async with serving() as served, ticker(served) as client:
        await client.next("connected")
        order_id = served.desk.place(order(tag="HELLO"))

        update = await client.next("order")

    assert (update["order_id"], update["tag"], update["status"]) == (order_id, "HELLO", "COMPLETE")
    assert (update["filled_quantity"], update["average_price"], update["checksum"]) == (10, 1500.0, "")
    assert update["order_timestamp"] == "2026-11-23 10:00:00"


async def test_the_sdk_is_told_403_when_its_token_is_dead() -> None:
    async with serving() as served, ticker(served, token="dead") as client:
        assert "403" in str(await client.next("close"))


async def test_an_idle_socket_gets_heartbeats_of_one_byte(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "HEARTBEAT_S", 0.05)
    async with serving() as served, aiohttp.ClientSession() as http, http.ws_connect(url(served)) as ws:
        await greeted(ws)
        beats = [await ws.receive(timeout=30) for _ in range(3)]

    assert [(beat.type, beat.data) for beat in beats] == [(aiohttp.WSMsgType.BINARY, b"\x00")] * 3


async def test_the_fourth_socket_of_a_key_is_refused_until_one_closes() -> None:
    async with serving() as served, aiohttp.ClientSession() as http:
        sockets = [await http.ws_connect(url(served)) for _ in range(3)]
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await http.ws_connect(url(served))
        other = await http.ws_connect(url(served, "AB1002"))
        await sockets.pop().close()
        sockets.append(await http.ws_connect(url(served)))
        for one in (*sockets, other):
            await one.close()

    assert refused.value.status == 429


async def test_one_step_is_one_frame_with_a_packet_for_each_subscribed_instrument() -> None:
    async with serving() as served, aiohttp.ClientSession() as http, http.ws_connect(url(served)) as ws:
        await ws.send_json({"a": "subscribe", "v": [INFY.token, SBIN.token]})
        await next_binary(ws)
        quotes = [quote_of(one, 1501) for one in (INFY, SBIN, NIFTY)]
        served.face.send_ticks(quotes)
        frame = await next_binary(ws)

        assert struct.unpack(">H", frame[:2]) == (2,)
        assert len(frame) == 2 + 2 * (2 + 44)
        assert served.face.tick_frames == {"AB1001": 2}

        await ws.send_json({"a": "unsubscribe", "v": [SBIN.token]})
        await ws.send_json({"a": "mode", "v": ["ltp", [INFY.token]]})
        assert len(await next_binary(ws)) == 2 + 2 + 8
        served.face.send_ticks(quotes)
        assert len(await next_binary(ws)) == 2 + 2 + 8


async def test_a_connection_begins_with_the_two_text_frames_of_the_real_socket() -> None:
    async with serving() as served, aiohttp.ClientSession() as http, http.ws_connect(url(served)) as ws:
        meta, code = await greeted(ws)

    assert (meta["type"], meta["data"]["count"]) == ("instruments_meta", 4)
    assert re.fullmatch(r'W/"[0-9a-f]+-[0-9a-f]+"', meta["data"]["etag"])
    assert code["type"] == "app_code"
    assert datetime.fromisoformat(code["timestamp"]).utcoffset() == timedelta(hours=5, minutes=30)


async def test_a_mode_message_alone_subscribes_as_the_php_client_does() -> None:
    async with serving() as served, aiohttp.ClientSession() as http, http.ws_connect(url(served)) as ws:
        await ws.send_json({"a": "mode", "v": ["ltp", [INFY.token]]})
        present = await next_binary(ws)
        served.face.send_ticks([quote_of(INFY, 1501)])
        tick = await next_binary(ws)

    assert (len(present), len(tick)) == (2 + 2 + 8, 2 + 2 + 8)


async def test_counters_begin_anew_with_a_new_connection_and_follow_the_newest_order_socket() -> None:
    async with serving() as served, aiohttp.ClientSession() as http:
        ticker_socket = await http.ws_connect(url(served))
        await ticker_socket.send_json({"a": "subscribe", "v": [INFY.token]})
        await next_binary(ticker_socket)
        served.desk.trade(order(tag="1"))
        await next_order(ticker_socket)
        on_ticker = dict(served.face.order_frames)
        order_socket = await http.ws_connect(url(served))
        fresh = dict(served.face.order_frames)
        served.desk.trade(order(tag="2"))
        heard = [(await next_order(one))["tag"] for one in (ticker_socket, order_socket)]

        assert (on_ticker, fresh, served.face.order_frames) == ({"AB1001": 1}, {"AB1001": 0}, {"AB1001": 1})
        assert heard == ["2", "2"]
        assert served.face.tick_frames == {"AB1001": 1}
        await ticker_socket.close()
        await order_socket.close()


async def test_nobody_hears_of_another_users_orders() -> None:
    async with serving() as served, aiohttp.ClientSession() as http, http.ws_connect(url(served, "AB1002")) as ws:
        served.desk.trade(order(tag="MINE"), user_id="AB1001")
        served.desk.trade(order(tag="YOURS"), user_id="AB1002")

        assert (await next_order(ws))["tag"] == "YOURS"


@pytest.mark.parametrize(
    "said", ["junk", '{"a":"subscribe","v":["408065"]}', '{"a":"mode","v":["fast",[1]]}', "[]", "[" * 100_000]
)
async def test_a_message_that_makes_no_sense_is_answered_by_an_error_frame(said: str) -> None:
    async with serving() as served, aiohttp.ClientSession() as http, http.ws_connect(url(served)) as ws:
        await greeted(ws)
        await ws.send_str(said)

        assert json.loads((await ws.receive(timeout=30)).data)["type"] == "error"


@pytest.mark.parametrize(
    ("rule", "tags"),
    [
        ({"action": "dup"}, ["1", "1", "2", "2"]),
        ({"action": "drop", "match": {"method": "UPDATE"}, "n": 1}, ["2"]),
        ({"action": "reorder", "n": 1, "seconds": 30}, ["2", "1"]),
        ({"action": "delay", "match": {"method": "UPDATE"}, "n": 1, "seconds": 0.2}, ["2", "1"]),
        ({"action": "drop", "match": {"method": "UPDATE", "user_id": "AB1002"}}, ["1", "2"]),
    ],
)
async def test_scripted_faults_double_lose_delay_and_reorder_order_messages(
    rule: dict[str, Any], tags: list[str]
) -> None:
    async with serving() as served, aiohttp.ClientSession() as http, http.ws_connect(url(served)) as ws:
        served.faults.add(rule)
        served.desk.trade(order(tag="1"))
        served.desk.trade(order(tag="2"))

        assert [(await next_order(ws))["tag"] for _ in tags] == tags


async def test_a_silent_socket_still_takes_part_but_gets_no_ticks() -> None:
    async with serving() as served, aiohttp.ClientSession() as http, http.ws_connect(url(served)) as ws:
        served.faults.add({"action": "drop", "match": {"method": "TICK"}})
        await ws.send_json({"a": "subscribe", "v": [INFY.token]})
        served.desk.trade(order(tag="A"))
        await next_order(ws)
        served.face.send_ticks([quote_of(INFY, 1501)])

        assert served.face.tick_frames == {"AB1001": 0}
        assert served.faults.report()["injected"]["drop"] == 2


@pytest.mark.parametrize(
    ("rule", "prices"),
    [
        ({"action": "reorder", "n": 1, "seconds": 30}, [1502, 1501, 1503]),
        ({"action": "dup", "n": 1}, [1501, 1501, 1502, 1503]),
        ({"action": "drop", "n": 1}, [1502, 1503]),
    ],
)
async def test_scripted_faults_reorder_double_and_lose_ticks(rule: dict[str, Any], prices: list[int]) -> None:
    async with serving() as served, aiohttp.ClientSession() as http, http.ws_connect(url(served)) as ws:
        await greeted(ws)
        await ws.send_json({"a": "subscribe", "v": [INFY.token]})
        await ws.receive(timeout=30)
        served.faults.add(rule | {"match": {"method": "TICK"}})
        for price in (1501, 1502, 1503):
            served.face.send_ticks([quote_of(INFY, price)])
        seen = [struct.unpack(">I", (await ws.receive(timeout=30)).data[8:12])[0] / 100 for _ in prices]

        assert seen == prices
        assert served.face.tick_frames == {"AB1001": 1 + len(prices)}


def narrow_session() -> aiohttp.ClientSession:
    """Give a client whose connections take little before they are read."""

    def made(address: Any) -> stdlib_socket.socket:
        one = stdlib_socket.socket(address[0], address[1])
        one.setsockopt(stdlib_socket.SOL_SOCKET, stdlib_socket.SO_RCVBUF, 4096)
        one.setblocking(False)
        return one

    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(socket_factory=made))


async def flooded(served: Served, frames: int, behind: Callable[[], Awaitable[object]]) -> None:
    """Send so many frames of 20 kB; `behind` is awaited after each."""
    for step in range(1, frames + 1):
        served.face.send_ticks([quote_of(one, 1000 + step) for one in (INFY, SBIN, NIFTY)] * 50)
        await behind()


def last_price(frame: bytes) -> float:
    """Give the last price of a frame's first packet."""
    return float(struct.unpack(">I", frame[8:12])[0] / 100)


async def test_a_slow_reader_delays_nobody_and_finds_the_newest_prices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "MOST_TICKS_WAITING", 100_000)
    said = {"a": "mode", "v": ["full", [INFY.token, SBIN.token, NIFTY.token]]}
    async with (
        serving() as served,
        aiohttp.ClientSession() as http,
        http.ws_connect(url(served)) as quick,
        narrow_session() as narrow,
        narrow.ws_connect(url(served, "AB1002")) as slow,
    ):
        for one in (quick, slow):
            await one.send_json(said)
            await next_binary(one)
        heard: list[float] = []

        async def hear() -> None:
            heard.append(last_price(await next_binary(quick)))

        await flooded(served, 600, hear)
        sent = served.face.tick_frames["AB1002"]
        seen = [last_price(await next_binary(slow)) for _ in range(sent - 1)]

    assert heard == [1000 + step for step in range(1, 601)]
    assert sent < 600
    assert seen == sorted(seen)
    assert seen[-1] == 1600


async def test_a_reader_that_takes_nothing_any_more_is_cut_off_and_its_place_is_free(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(socket, "TAKES_NOTHING_S", 0.2)
    async with serving() as served, narrow_session() as http:
        dead = await http.ws_connect(url(served))
        await dead.send_json({"a": "mode", "v": ["full", [INFY.token, SBIN.token, NIFTY.token]]})
        await next_binary(dead)

        async with asyncio.timeout(60):
            while served.face.tick_frames:
                await flooded(served, 100, lambda: asyncio.sleep(0))

        assert served.face.tick_frames == {}
