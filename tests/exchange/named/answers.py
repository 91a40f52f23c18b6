"""Named faults of answers and reads: lost, misleading, unreadable, refused."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import time
from typing import Any

import aiohttp
import pytest
import requests
from kiteconnect import exceptions as kite_errors

from tests.exchange.fakes import CSV_HEADER, INFY, Desk, FakeMarket, quote_of
from tests.exchange.kite.samples import MARKET
from tests.exchange.kite.served import Served, serving
from tests.exchange.named.sharing import (
    ALICE,
    BOB,
    count_of,
    frame,
    is_cut,
    place,
    price_in,
    row_of,
    settled,
    shows,
    socket,
    subscribed,
)


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


class RememberingMarket(FakeMarket):
    """A fake market that still has the file of the day before."""

    def old_dump_csv(self, exchange: str | None) -> bytes:
        return f"{CSV_HEADER}\n1,1,OLD,OLD,0,,0,0.05,1,EQ,NSE,NSE\n".encode()


@asynccontextmanager
async def served_market() -> AsyncIterator[Served]:
    """Serve a fake market that the scenarios can move."""
    async with serving(Desk(market=RememberingMarket())) as served:
        yield served
