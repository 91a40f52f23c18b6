"""Postbacks to an app's URL, in the background."""

import asyncio
from hashlib import sha256
from typing import Any

from aiohttp import web

from tests.exchange.fakes import INFY, limit, order, quote_of
from tests.exchange.kite.served import serving
from trading.domain.orders import Side


async def test_postbacks_follow_the_life_of_an_order_with_a_checksum_that_the_app_can_verify() -> None:
    received: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def receive(request: web.Request) -> web.Response:
        received.put_nowait(await request.json())
        return web.Response()

    app = web.Application()
    app.add_routes([web.post("/postback", receive)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with serving() as served:
        served.desk.venue.postback_url = f"http://127.0.0.1:{runner.addresses[0][1]}/postback"
        served.desk.tick(quote_of(INFY, 1500, asks=((1500, 4),)))
        served.desk.trade(limit(Side.BUY, 10, 1500, tag="A"))
        served.desk.tick(quote_of(INFY, 1500))
        served.desk.trade(limit(Side.BUY, 10, 1400, tag="RESTS"))
        served.desk.venue.by_hand.trade("AB1001", INFY.key, Side.BUY, 1, "MIS")  # in the broker's own app: no postback
        bodies = [await asyncio.wait_for(received.get(), 5) for _ in range(2)]
        await asyncio.sleep(0.1)
    await runner.cleanup()

    assert [(body["tag"], body["status"], body["filled_quantity"]) for body in bodies] == [
        ("A", "UPDATE", 4),
        ("A", "COMPLETE", 10),
    ]
    assert received.empty()
    body, secret = bodies[1], served.desk.venue.users["AB1001"].api_secret
    assert body["checksum"] == sha256(f"{body['order_id']}{body['order_timestamp']}{secret}".encode()).hexdigest()
    assert (body["app_id"], body["user_id"], body["unfilled_quantity"]) == (1002, "AB1001", 0)


async def test_a_dead_receiver_does_not_stop_the_next_postback() -> None:
    received: list[str] = []

    async def receive(request: web.Request) -> web.Response:
        received.append((await request.json())["tag"])
        return web.Response(status=500 if len(received) == 1 else 200)

    app = web.Application()
    app.add_routes([web.post("/", receive)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    async with serving() as served:
        served.desk.venue.postback_url = "http://127.0.0.1:9/"
        served.desk.trade(order(tag="LOST"))
        await asyncio.sleep(0.2)
        served.desk.venue.postback_url = url
        served.desk.trade(order(tag="A"))
        served.desk.trade(order(tag="B"))
        await asyncio.sleep(0.3)
    await runner.cleanup()

    assert received == ["A", "B"]
