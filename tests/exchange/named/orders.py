"""Named faults of what happens to an order after it was taken, and of what people do beside the API."""

import asyncio
from datetime import time
from typing import Any

import aiohttp
import pytest
from kiteconnect import exceptions as kite_errors

from tests.exchange.fakes import FUTURE, INFY, SBIN, limit, order, quote_of
from tests.exchange.kite.postback_receiver import receiving
from tests.exchange.kite.samples import MARKET
from tests.exchange.kite.served import Served
from tests.exchange.named.sharing import (
    ALICE,
    LIMIT,
    count_of,
    net,
    pass_seconds,
    place,
    row_of,
    settled,
    shows,
    socket,
    tags_heard,
)
from trading.domain.orders import Side
from trading.exchange.kite.postbacks import checksum_of


@shows("F16")
async def an_order_with_an_id_is_rejected_two_seconds_later(served: Served) -> None:
    served.set({"preset": "F16"})
    order_id = await place(served)
    await settled()
    assert (await row_of(served, order_id))["status"] == "VALIDATION PENDING"
    pass_seconds(served, 1)
    assert (await row_of(served, order_id))["status"] == "VALIDATION PENDING"
    pass_seconds(served, 1)
    row = await row_of(served, order_id)
    assert (row["status"], row["filled_quantity"]) == ("REJECTED", 0)
    assert row["status_message"].startswith("RMS:")
    assert net(served) == 0


@shows("F17")
async def an_order_is_filled_long_before_the_book_shows_it(served: Served) -> None:
    served.set({"preset": "F17", "user_id": ALICE})
    await place(served, tag="HIDDEN")
    await settled()
    kite = served.kite()
    assert await served.call(kite.orders) == []
    assert [one["quantity"] for one in await served.call(kite.trades)] == [10]
    served.desk.times.wire_s += 90
    assert [row["tag"] for row in await served.call(kite.orders)] == ["HIDDEN"]


@shows("F18")
async def thirty_seven_percent_fill_and_the_rest_rests(served: Served) -> None:
    served.set({"preset": "F18", "user_id": ALICE})
    first, second = await place(served, quantity=100), await place(served, quantity=100)
    for _ in range(3):
        served.tick(quote_of(INFY, 1500))
    row = await row_of(served, first)
    assert (row["status"], row["filled_quantity"], row["pending_quantity"]) == ("OPEN", 37, 63)
    assert (await row_of(served, second))["status"] == "COMPLETE"


@shows("F19")
async def exits_are_rejected_three_times_and_entries_are_not(served: Served) -> None:
    served.set({"preset": "F19"})
    await place(served)
    await settled()
    statuses = []
    for _ in range(4):
        order_id = await place(served, transaction_type="SELL")
        await settled()
        statuses.append((await row_of(served, order_id))["status"])
    assert statuses == ["REJECTED"] * 3 + ["COMPLETE"]
    assert net(served) == 0


@shows("F20")
async def the_second_leg_is_rejected_for_its_margin(served: Served) -> None:
    served.set({"preset": "F20", "after": 1})
    legs = [await place(served), await place(served, tradingsymbol="SBIN")]
    await settled()
    rows = [await row_of(served, one) for one in legs]
    assert [row["status"] for row in rows] == ["COMPLETE", "REJECTED"]
    assert rows[1]["status_message"].startswith("Insufficient funds. Required margin is")


@shows("F21")
async def the_second_of_three_slices_fails_beside_the_others(served: Served) -> None:
    served.desk.venue.books.accounts[ALICE].cash *= 10
    served.set({"preset": "F21"})
    user = served.desk.venue.users[ALICE]
    headers = {"Authorization": f"token {user.api_key}:{served.desk.venue.issue_token(ALICE)}", "X-Kite-Version": "3"}
    form = MARKET | {"exchange": "NFO", "tradingsymbol": FUTURE.tradingsymbol, "quantity": 5400, "autoslice": "true"}
    fields = {name: str(value) for name, value in form.items() if value is not None and name != "variety"}
    async with (
        aiohttp.ClientSession(headers=headers) as http,
        http.post(f"{served.rest}/orders/regular", data=fields) as reply,
    ):
        children = (await reply.json())["data"]["children"]
    assert [list(child) for child in children] == [["order_id"], ["error"], ["order_id"]]
    await settled()
    assert net(served) == 3600


@shows("F24")
async def a_cancel_loses_against_a_fill_and_a_cancelled_order_fills_later(served: Served) -> None:
    served.set({"preset": "F24"})
    kite = served.kite()
    first, second = await place(served, **LIMIT), await place(served, **LIMIT)
    await settled()
    for one in (first, second):
        await served.call(kite.cancel_order, "regular", one)
        await settled()
    assert [(await row_of(served, one))["status"] for one in (first, second)] == ["COMPLETE", "CANCELLED"]
    assert net(served) == 10
    pass_seconds(served, 60)
    row = await row_of(served, second)
    assert (row["status"], row["filled_quantity"], row["cancelled_quantity"]) == ("COMPLETE", 10, 0)
    assert [one["order_id"] for one in await served.call(kite.trades)] == [first, second]
    assert net(served) == 20


@shows("F25")
async def modifications_are_refused_by_the_words_of_the_cap(served: Served) -> None:
    served.set({"preset": "F25", "after": 2})
    kite = served.kite()
    order_id = await place(served, **LIMIT)
    for price in (1401, 1402):
        await settled()
        await served.call(kite.modify_order, "regular", order_id, price=price)
    with pytest.raises(kite_errors.InputException, match="Maximum allowed order modifications exceeded"):
        await served.call(kite.modify_order, "regular", order_id, price=1403)


@shows("F26")
async def order_messages_are_lost_doubled_and_shuffled_and_a_postback_is_forged(served: Served) -> None:
    async with receiving() as receiver, socket(served) as ws:
        served.desk.venue.postback_url = receiver.url
        served.set({"preset": "F26"})
        for number in range(40):
            served.desk.trade(order(tag=f"{number}"))
        await asyncio.sleep(2.2)  # the window in which what is shuffled comes
        served.faults.clear()
        served.desk.trade(order(tag="LAST"))
        heard = (await tags_heard(ws, "LAST"))[:-1]
    received = receiver.heard
    assert 5 <= len(set(heard)) <= 35
    assert max(heard.count(tag) for tag in heard) == 5
    assert heard != sorted(heard, key=int)
    forged = [one for one in received if one["checksum"] != true_checksum(served, one)]
    assert 0 < len(forged) < len(received)


def true_checksum(served: Served, message: dict[str, Any]) -> str:
    secret = served.desk.venue.users[ALICE].api_secret
    return checksum_of(message["order_id"], message["order_timestamp"], secret)


@shows("F27")
async def an_order_stands_still_until_it_is_thawed(served: Served) -> None:
    served.set({"preset": "F27"})
    kite = served.kite()
    order_id = await place(served)
    for _ in range(3):
        pass_seconds(served, 3600)
    assert (await row_of(served, order_id))["status"] == "OPEN PENDING"
    with pytest.raises(kite_errors.InputException, match="modified as it is being processed"):
        await served.call(kite.modify_order, "regular", order_id, price=1501)
    with pytest.raises(kite_errors.InputException, match="cancelled as it is being processed"):
        await served.call(kite.cancel_order, "regular", order_id)
    assert (await row_of(served, await place(served)))["status"] != "OPEN PENDING"
    served.set({"action": "thaw"})
    assert (await row_of(served, order_id))["status"] == "COMPLETE"


@shows("F29")
async def the_client_trades_in_the_brokers_app(served: Served) -> None:
    async with socket(served) as ws:
        served.set({"preset": "F29", "user_id": ALICE, "instrument": "NSE:INFY", "quantity": 7})
        assert await tags_heard(ws, None) == [None]  # type: ignore[arg-type]
        rows = await served.call(served.kite().orders)
        assert [(row["tag"], row["status"], row["filled_quantity"]) for row in rows] == [(None, "COMPLETE", 7)]
        assert net(served) == 7
    served.set({"preset": "F29", "user_id": ALICE, "instrument": "NSE:INFY", "kind": "close"})
    assert (net(served), count_of(served)) == (0, 2)


@shows("F30")
async def the_risk_desk_is_faster_than_the_clients_own_exit(served: Served) -> None:
    await place(served)
    resting = await place(served, **LIMIT)
    await settled()
    served.set({"preset": "F30", "user_id": ALICE})
    await place(served, transaction_type="SELL")
    await settled()
    rows = await served.call(served.kite().orders)
    assert [(row["transaction_type"], row["filled_quantity"]) for row in rows[2:]] == [("SELL", 10), ("SELL", 10)]
    assert (await row_of(served, resting))["status"] == "CANCELLED"
    assert net(served) == -10


@shows("F35")
async def every_stop_that_rests_is_cancelled_by_the_exchange(served: Served) -> None:
    stop = limit(Side.SELL, 10, 1440, order_type="SL", trigger_price=1450, tag="STOP")
    served.desk.trade(order())
    order_id = served.desk.trade(stop)
    resting = served.desk.trade(limit(Side.SELL, 5, 1600, instrument=SBIN))
    served.set({"preset": "F35", "at": "14:59:30"})
    served.desk.times.go_to(time(14, 59, 29))
    served.face.look()
    assert (await row_of(served, order_id))["status"] == "TRIGGER PENDING"
    served.desk.times.go_to(time(14, 59, 30))
    served.face.look()
    assert (await row_of(served, order_id))["status"] == "CANCELLED"
    assert (await row_of(served, resting))["status"] == "OPEN"
    assert net(served) == 10
