"""What the scenarios of the named faults share: sockets, orders, and the table that they put themselves into."""

import asyncio
import json
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import time
from typing import Any

import aiohttp

from tests.exchange.fakes import INFY, quote_of
from tests.exchange.kite.samples import MARKET
from tests.exchange.kite.served import Served

Scenario = Callable[[Served], Awaitable[None]]
SCENARIOS: dict[str, Scenario] = {}

ALICE, BOB = "AB1001", "AB1002"
LIMIT = MARKET | {"order_type": "LIMIT", "price": 1400, "market_protection": None}
PLACE_TIMEOUT_S = 1.0


def shows(number: str) -> Callable[[Scenario], Scenario]:
    def put(scenario: Scenario) -> Scenario:
        assert number not in SCENARIOS
        SCENARIOS[number] = scenario
        return scenario

    return put


def url(served: Served, user_id: str = ALICE) -> str:
    user = served.desk.venue.users[user_id]
    return f"{served.ws}/?api_key={user.api_key}&access_token={served.desk.venue.issue_token(user_id)}"


@asynccontextmanager
async def socket(served: Served, user_id: str = ALICE) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    async with aiohttp.ClientSession() as http, http.ws_connect(url(served, user_id)) as ws:
        yield ws


async def subscribed(ws: aiohttp.ClientWebSocketResponse, mode: str = "quote") -> None:
    """Subscribe INFY and read the frame that answers it."""
    await ws.send_json({"a": "subscribe", "v": [INFY.token]})
    await frame(ws)
    if mode != "quote":
        await ws.send_json({"a": "mode", "v": [mode, [INFY.token]]})
        await frame(ws)


async def frame(ws: aiohttp.ClientWebSocketResponse, within_s: float = 30) -> bytes:
    async with asyncio.timeout(within_s):
        while True:
            message = await ws.receive()
            assert message.type is not aiohttp.WSMsgType.CLOSED, "the socket was cut"
            if message.type is aiohttp.WSMsgType.BINARY and len(message.data) > 1:
                return bytes(message.data)


def price_in(binary: bytes) -> float:
    return float(struct.unpack(">I", binary[8:12])[0]) / 100


async def prices(ws: aiohttp.ClientWebSocketResponse, count: int) -> list[float]:
    return [price_in(await frame(ws)) for _ in range(count)]


async def tags_heard(ws: aiohttp.ClientWebSocketResponse, until: str) -> list[str]:
    """Read order messages up to the one with this tag."""
    tags: list[str] = []
    async with asyncio.timeout(30):
        while until not in tags:
            message = await ws.receive()
            said = json.loads(message.data) if message.type is aiohttp.WSMsgType.TEXT else {}
            if said.get("type") == "order":
                tags.append(said["data"]["tag"])
    return tags


async def is_cut(ws: aiohttp.ClientWebSocketResponse) -> bool:
    async with asyncio.timeout(30):
        while not ws.closed:
            await ws.receive()
    return ws.close_code == aiohttp.WSCloseCode.ABNORMAL_CLOSURE


async def place(served: Served, *, user_id: str = ALICE, **more: Any) -> Any:
    kite = served.kite(user_id, timeout=PLACE_TIMEOUT_S)
    return await served.call(kite.place_order, **MARKET | more)


async def row_of(served: Served, order_id: str) -> dict[str, Any]:
    rows = await served.call(served.kite().orders)
    return next(dict(row) for row in rows if row["order_id"] == order_id)


def count_of(served: Served) -> int:
    return len(served.desk.venue.books.orders)


def net(served: Served, user_id: str = ALICE) -> int:
    return sum(one.net_quantity for one in served.desk.venue.books.accounts[user_id].positions.values())


async def settled() -> None:
    """Let what was asked for be matched."""
    await asyncio.sleep(0.02)


def pass_seconds(served: Served, seconds: int) -> None:
    """Let market time pass, with a tick at its end."""
    moment = served.desk.times.market.time()
    total = moment.hour * 3600 + moment.minute * 60 + moment.second + seconds
    served.desk.times.go_to(time(total // 3600, total // 60 % 60, total % 60))
    served.face.look()
    served.tick(quote_of(INFY, 1500))
