"""Named faults of the feed: gaps, old, doubled, shuffled and absurd prices, wrong instruments."""

import json
import struct

import aiohttp
import pytest

from tests.exchange.fakes import FUTURE, INFY, order, quote_of
from tests.exchange.kite.served import Served
from tests.exchange.named.sharing import (
    ALICE,
    BOB,
    frame,
    is_cut,
    price_in,
    prices,
    shows,
    socket,
    subscribed,
    url,
)


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
        message = await ws.receive(timeout=30)
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
