"""How each named fault shows: one scenario a number, against the unmodified SDK or a raw socket.

`test_named_faults` runs them all; a number without a scenario fails there.
"""

import asyncio
import json
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import time
from typing import Any

import aiohttp
import pytest
import requests
from aiohttp import web
from kiteconnect import exceptions as kite_errors

from tests.exchange.fakes import CSV_HEADER, FUTURE, INFY, SBIN, Desk, FakeMarket, limit, order, quote_of
from tests.exchange.kite.served import Served, serving
from tests.exchange.kite.test_rest import MARKET
from trading.domain.orders import Side
from trading.exchange.kite.postbacks import checksum_of

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


# -- what the scenarios share ------------------------------------------------------------------------


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


async def frame(ws: aiohttp.ClientWebSocketResponse, within_s: float = 5) -> bytes:
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
    async with asyncio.timeout(5):
        while until not in tags:
            message = await ws.receive()
            said = json.loads(message.data) if message.type is aiohttp.WSMsgType.TEXT else {}
            if said.get("type") == "order":
                tags.append(said["data"]["tag"])
    return tags


async def is_cut(ws: aiohttp.ClientWebSocketResponse) -> bool:
    async with asyncio.timeout(5):
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


# -- market data ---------------------------------------------------------------------------------------


@shows("F01")
async def every_socket_is_cut_and_no_new_one_opens_for_a_minute(served: Served) -> None:
    async with socket(served) as ws, socket(served, BOB) as bobs:
        served.set({"preset": "F01", "user_id": ALICE})
        assert await is_cut(ws)
        for _ in range(2):
            with pytest.raises(aiohttp.WSServerHandshakeError, match="502"):
                async with socket(served):
                    pass
        assert not bobs.closed
        served.desk.times.wire_s += 60
        async with socket(served) as again:
            await subscribed(again)


@shows("F02")
async def a_subscription_is_answered_by_yesterday_and_then_nothing_comes(served: Served) -> None:
    served.tick(quote_of(INFY, 1520, at_ms=served.desk.times.now_ms()))
    async with socket(served) as ws:
        served.set({"preset": "F02"})
        await ws.send_json({"a": "subscribe", "v": [INFY.token]})
        assert price_in(await frame(ws)) == 1500
        await ws.send_json({"a": "mode", "v": ["full", [INFY.token]]})
        full = await frame(ws)
        assert struct.unpack(">I", full[64:68])[0] == served.desk.times.now_ms() // 1000 - 86_400
        served.tick(quote_of(INFY, 1521))
        served.desk.trade(order(tag="STILL"))
        message = await ws.receive(timeout=5)
        assert json.loads(message.data)["type"] == "order"


@shows("F03")
async def some_frames_come_twice_and_each_twin_is_the_same(served: Served) -> None:
    async with socket(served) as ws:
        await subscribed(ws)
        served.set({"preset": "F03"})
        for step in range(40):
            served.tick(quote_of(INFY, 1500 + step))
        doubled = served.faults.counts["dup"]
        seen = await prices(ws, 40 + doubled)
        assert 5 <= doubled <= 20
        assert seen == sorted(seen)
        assert len(seen) - len(set(seen)) == doubled


@shows("F04")
async def ticks_come_out_of_order_within_their_window(served: Served) -> None:
    async with socket(served) as ws:
        await subscribed(ws)
        served.set({"preset": "F04", "seconds": 0.2})
        for step in range(20):
            served.tick(quote_of(INFY, 1500 + step))
        seen = await prices(ws, 20)
        assert sorted(seen) == [1500 + step for step in range(20)]
        assert seen != sorted(seen)


@shows("F05")
async def forty_absurd_prices_come_as_single_ticks_among_true_ones(served: Served) -> None:
    async with socket(served) as ws:
        await subscribed(ws)
        served.set({"preset": "F05"})
        for _ in range(400):
            served.tick(quote_of(INFY, 1500))
        seen = await prices(ws, 400)
        absurd = seen[::10]
        assert len(set(absurd)) >= 35  # what the wire cannot say comes as all ones
        assert 1500 not in absurd
        assert {0.0, 15.0, 150_000.0, 1800.15, 1499.99} <= set(absurd)
        assert set(seen) - set(absurd) == {1500.0}
    served.set({"match": {"path": "/quote"}, "action": "price", "kind": "list"})
    rest = [(await served.call(served.kite().ltp, "NSE:INFY"))["NSE:INFY"]["last_price"] for _ in range(40)]
    assert len({repr(one) for one in rest}) == 40
    assert {"nan", "inf", "-inf", "0.0", "-1500.0", "150000.0"} <= {repr(float(one)) for one in rest}


@shows("F06")
async def the_instrument_file_is_wrong_in_one_field_cut_or_yesterdays(served: Served) -> None:
    kite = served.kite()
    true = {row["tradingsymbol"]: row for row in await served.call(kite.instruments)}
    for kind, field, wrong in (
        ("lot_size", "lot_size", 10),
        ("tick_size", "tick_size", 1.5),
        ("token", "instrument_token", INFY.token + 256),
    ):
        served.faults.clear()
        served.set({"preset": "F06", "kind": kind, "instrument": "NSE:INFY"})
        rows = {row["tradingsymbol"]: row for row in await served.call(kite.instruments)}
        assert rows.pop("INFY")[field] == wrong
        assert rows == {symbol: row for symbol, row in true.items() if symbol != "INFY"}
    served.faults.clear()
    served.set({"preset": "F06", "kind": "expiry", "instrument": FUTURE.key})
    (future,) = [row for row in await served.call(kite.instruments) if row["tradingsymbol"] == FUTURE.tradingsymbol]
    assert future["expiry"] < served.desk.market.day
    served.faults.clear()
    served.set({"preset": "F06", "kind": "truncated"})
    try:
        cut = await served.call(kite.instruments)
    except (ValueError, TypeError, KeyError):
        cut = []
    assert len(cut) < len(true)
    served.faults.clear()
    served.set({"preset": "F06", "kind": "yesterday"})
    assert [row["tradingsymbol"] for row in await served.call(kite.instruments)] == ["OLD"]


@shows("F07")
async def the_socket_is_one_percent_above_rest(served: Served) -> None:
    async with socket(served) as ws:
        await subscribed(ws)
        served.set({"preset": "F07", "instrument": "NSE:INFY"})
        served.tick(quote_of(INFY, 1500))
        assert price_in(await frame(ws)) == 1515
        assert (await served.call(served.kite().ltp, "NSE:INFY"))["NSE:INFY"]["last_price"] == 1500
    served.faults.clear()
    served.set({"match": {"path": "/quote", "instrument": "NSE:INFY"}, "action": "price", "factor": 0.9})
    prices_now = await served.call(served.kite().ltp, "NSE:INFY", "NSE:SBIN")
    assert [prices_now[key]["last_price"] for key in ("NSE:INFY", "NSE:SBIN")] == [1350, 1500]


@shows("F08")
async def sockets_are_cut_again_and_again_and_a_fourth_throws_the_first_out(served: Served) -> None:
    served.set({"preset": "F08", "every_s": 0.2})
    for _ in range(3):
        async with socket(served) as ws:
            assert await is_cut(ws)
    served.faults.remove(1)
    async with aiohttp.ClientSession() as http:
        sockets = [await http.ws_connect(url(served)) for _ in range(4)]
        assert await is_cut(sockets[0])
        await subscribed(sockets[3])
        assert not sockets[1].closed
        for one in sockets:
            await one.close()


@shows("F09")
async def one_frame_becomes_thousands_with_the_true_price_last(served: Served) -> None:
    async with socket(served) as ws:
        await subscribed(ws)
        served.set({"preset": "F09", "n": 1})
        served.tick(quote_of(INFY, 1500))
        seen = await prices(ws, 2000)
        assert set(seen[:-1]) == {1499.95, 1500.05}
        assert seen[-1] == 1500
        served.tick(quote_of(INFY, 1501))
        assert price_in(await frame(ws)) == 1501


# -- orders: lost and misleading answers -----------------------------------------------------------------


@shows("F11")
async def the_answer_never_comes_and_the_order_is_there(served: Served) -> None:
    served.set({"preset": "F11", "user_id": ALICE, "seconds": 3})
    with pytest.raises(requests.ReadTimeout):
        await place(served)
    assert count_of(served) == 1
    await place(served)
    assert count_of(served) == 2


@shows("F12")
async def the_answer_never_comes_and_there_is_no_order(served: Served) -> None:
    served.set({"preset": "F12", "user_id": ALICE, "seconds": 3})
    with pytest.raises(requests.ReadTimeout):
        await place(served)
    assert count_of(served) == 0
    await place(served)
    assert count_of(served) == 1


@shows("F13")
async def a_400_is_accepted_seconds_later(served: Served) -> None:
    served.set({"preset": "F13", "accept_after_s": 0.2})
    with pytest.raises(kite_errors.InputException, match="Order request timed out"):
        await place(served)
    assert count_of(served) == 0
    await asyncio.sleep(0.4)
    assert count_of(served) == 1


@shows("F14")
async def six_orders_are_taken_under_six_kinds_of_error(served: Served) -> None:
    served.set({"preset": "F14"})
    met = []
    for _ in range(6):
        try:
            await place(served)
        except (kite_errors.KiteException, requests.RequestException) as error:
            met.append((type(error).__name__, getattr(error, "code", None)))
    assert [code for _, code in met[:4]] == [500, 502, 503, 504]
    assert issubclass(getattr(requests, met[4][0], requests.RequestException), requests.RequestException)
    assert met[5][0] == "DataException"
    assert count_of(served) == 6
    await place(served)


@shows("F15")
async def orders_are_refused_with_429_for_half_a_minute(served: Served) -> None:
    served.set({"preset": "F15", "user_id": ALICE})
    for _ in range(3):
        with pytest.raises(kite_errors.NetworkException, match="Too many requests") as refused:
            await place(served)
        assert refused.value.code == 429
    assert await served.call(served.kite().orders) == []
    assert await place(served, user_id=BOB)
    served.desk.times.wire_s += 30
    assert await place(served)


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


# -- orders: what happens to them later ------------------------------------------------------------------


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
    received: list[dict[str, Any]] = []

    async def receive(request: web.Request) -> web.Response:
        received.append(await request.json())
        return web.Response()

    app = web.Application()
    app.add_routes([web.post("/", receive)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    served.desk.venue.postback_url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    async with socket(served) as ws:
        served.set({"preset": "F26"})
        for number in range(40):
            served.desk.trade(order(tag=f"{number}"))
        await asyncio.sleep(2.2)  # the window in which what is shuffled comes
        served.faults.clear()
        served.desk.trade(order(tag="LAST"))
        heard = (await tags_heard(ws, "LAST"))[:-1]
    await runner.cleanup()
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


@shows("F28")
async def reads_disagree_with_each_other(served: Served) -> None:
    served.set({"preset": "F28"})
    kite = served.kite()
    order_id = await place(served)
    await settled()
    assert (await row_of(served, order_id))["status"] == "COMPLETE"
    assert await served.call(kite.trades) == []
    assert await served.call(kite.positions) == {"net": [], "day": []}
    served.desk.times.wire_s += 11
    assert [one["quantity"] for one in await served.call(kite.trades)] == [10]
    assert await served.call(kite.positions) == {"net": [], "day": []}
    served.desk.times.wire_s += 10
    assert [one["quantity"] for one in (await served.call(kite.positions))["net"]] == [10]
    served.faults.clear()
    error = '{"status":"error","message":"Something went wrong","data":null,"error_type":"GeneralException"}'
    served.set({"match": {"path": "/portfolio/positions"}, "phase": "reply", "action": "body", "body": error})
    with pytest.raises(kite_errors.GeneralException):
        await served.call(kite.positions)


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


@shows("F31")
async def the_token_is_dead_and_ticks_go_on(served: Served) -> None:
    kite = served.kite()
    async with socket(served) as ws:
        await subscribed(ws)
        served.set({"preset": "F31", "user_id": ALICE, "at": "11:20:00"})
        await served.call(kite.profile)
        served.desk.times.go_to(time(11, 20))
        served.face.look()
        for call in (kite.profile, kite.orders, kite.positions):
            with pytest.raises(kite_errors.TokenException):
                await served.call(call)
        served.tick(quote_of(INFY, 1501))
        assert price_in(await frame(ws)) == 1501


@shows("F32")
async def orders_from_an_unregistered_address_are_refused(served: Served) -> None:
    served.set({"preset": "F32"})
    with pytest.raises(kite_errors.PermissionException, match=r"IP \(127\.0\.0\.1\) is not allowed to place orders"):
        await place(served)
    assert await served.call(served.kite().orders) == []
    kite = served.kite()
    kite.reqsession.mount("http://", FromAddress("127.0.0.2"))
    assert await served.call(kite.place_order, **MARKET)


class FromAddress(requests.adapters.HTTPAdapter):
    """Sends from a given address of this machine."""

    def __init__(self, address: str) -> None:
        self._address = address
        super().__init__()

    def init_poolmanager(self, *arguments: Any, **words: Any) -> None:
        super().init_poolmanager(*arguments, source_address=(self._address, 0), **words)


@shows("F33")
async def bodies_cannot_be_read_or_say_what_cannot_be(served: Served) -> None:
    await place(served)
    await settled()
    true = await served.call(served.kite().orders)
    for kind in ("html", "truncated", "empty"):
        served.faults.clear()
        served.set({"preset": "F33", "prob": 1, "kind": kind})
        with pytest.raises((kite_errors.DataException, kite_errors.GeneralException)):
            await served.call(served.kite().orders)
    for kind in ("new_enum", "huge_number", "missing_field", "wrong_type"):
        served.faults.clear()
        served.set({"preset": "F33", "prob": 1, "kind": kind})
        (row,) = await served.call(served.kite().orders)
        changed = {name for name in true[0] if name not in row or row[name] != true[0][name]}
        assert len(changed) == 1, kind


@shows("F34")
async def the_broker_is_gone_for_a_span_of_the_day(served: Served) -> None:
    kite = served.kite()
    async with socket(served) as ws:
        served.set({"preset": "F34"})
        await served.call(kite.orders)
        served.desk.times.go_to(time(15, 8))
        served.face.look()
        assert await is_cut(ws)
        with pytest.raises(requests.ConnectionError):
            await served.call(kite.orders)
        with pytest.raises(aiohttp.WSServerHandshakeError, match="503"):
            async with socket(served):
                pass
        served.desk.times.go_to(time(15, 22))
        assert await served.call(kite.orders) == []
    async with socket(served) as again:
        await subscribed(again)


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


class RememberingMarket(FakeMarket):
    """A fake market that still has the file of the day before."""

    def old_dump_csv(self, exchange: str | None) -> bytes:
        return f"{CSV_HEADER}\n1,1,OLD,OLD,0,,0,0.05,1,EQ,NSE,NSE\n".encode()


@asynccontextmanager
async def served_market() -> AsyncIterator[Served]:
    """Serve a fake market that the scenarios can move."""
    async with serving(Desk(market=RememberingMarket())) as served:
        yield served
