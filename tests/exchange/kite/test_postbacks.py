"""Postbacks to an app's URL, in the background."""

import asyncio
from hashlib import sha256

from tests.exchange.fakes import INFY, limit, order, quote_of
from tests.exchange.kite.postback_receiver import receiving
from tests.exchange.kite.served import serving
from trading.domain.orders import Side


async def test_postbacks_follow_the_life_of_an_order_with_a_checksum_that_the_app_can_verify() -> None:
    async with receiving() as receiver, serving() as served:
        served.desk.venue.postback_url = receiver.url
        served.desk.tick(quote_of(INFY, 1500, asks=((1500, 4),)))
        served.desk.trade(limit(Side.BUY, 10, 1500, tag="A"))
        served.desk.tick(quote_of(INFY, 1500))
        served.desk.trade(limit(Side.BUY, 10, 1400, tag="RESTS"))
        served.desk.venue.by_hand.trade("AB1001", INFY.key, Side.BUY, 1, "MIS")  # in the broker's own app: no postback
        await asyncio.sleep(0.3)

    bodies = receiver.heard
    assert [(body["tag"], body["status"], body["filled_quantity"]) for body in bodies] == [
        ("A", "UPDATE", 4),
        ("A", "COMPLETE", 10),
    ]
    body, secret = bodies[1], served.desk.venue.users["AB1001"].api_secret
    assert body["checksum"] == sha256(f"{body['order_id']}{body['order_timestamp']}{secret}".encode()).hexdigest()
    assert (body["app_id"], body["user_id"], body["unfilled_quantity"]) == (1002, "AB1001", 0)


async def test_a_dead_receiver_does_not_stop_the_next_postback() -> None:
    async with receiving() as receiver, serving() as served:
        receiver.statuses = [500]
        served.desk.venue.postback_url = "http://127.0.0.1:9/"
        served.desk.trade(order(tag="LOST"))
        await asyncio.sleep(0.2)
        served.desk.venue.postback_url = receiver.url
        served.desk.trade(order(tag="A"))
        served.desk.trade(order(tag="B"))
        await asyncio.sleep(0.3)

    assert [body["tag"] for body in receiver.heard] == ["A", "B"]
