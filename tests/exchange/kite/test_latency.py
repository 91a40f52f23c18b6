"""Acknowledgements and messages that take their time, over real sockets."""

import asyncio
import json

import aiohttp

from tests.exchange.fakes import INFY, order, quote_of
from tests.exchange.kite.samples import MARKET
from tests.exchange.kite.served import Served, serving

LATE = 0.4


def address(served: Served) -> str:
    user = served.desk.venue.users["AB1001"]
    return f"{served.ws}/?api_key={user.api_key}&access_token={served.desk.venue.issue_token('AB1001')}"


async def test_an_order_is_carried_out_before_its_acknowledgement_comes() -> None:
    async with serving() as served:
        served.desk.venue.behaviour.set({"latency": {"ack": {"fixed_s": LATE}}})
        traded = asyncio.Event()
        served.desk.venue.listeners.append(lambda updates: traded.set())
        call = asyncio.create_task(served.call(served.kite().place_order, **MARKET))
        await asyncio.wait_for(traded.wait(), 30)
        was_answered = call.done()
        order_id = await call

    assert not was_answered
    assert served.desk.venue.books.orders[order_id].status == "COMPLETE"


async def test_a_message_comes_after_its_delay_and_those_of_one_user_in_their_order() -> None:
    async with serving() as served, aiohttp.ClientSession() as session, session.ws_connect(address(served)) as socket:
        venue = served.desk.venue
        venue.behaviour.set({"latency": {"update": {"median_s": 0.05, "p99_s": 1}}})
        for units in (1, 2, 3, 4):
            served.tick(quote_of(INFY, 1500, asks=((1500, units),)))
            if units == 1:
                served.desk.trade(order(quantity=10))
        sent_at_once = dict(served.face.order_frames)
        is_held = venue.transit.left_s() > 0
        filled: list[int] = []
        while len(filled) < 4:
            message = await socket.receive(timeout=30)
            said = json.loads(message.data) if message.type is aiohttp.WSMsgType.TEXT else {}
            if said.get("type") == "order":
                filled.append(said["data"]["filled_quantity"])

    assert sent_at_once == {"AB1001": 0}
    assert is_held
    assert filled == [1, 3, 6, 10]
