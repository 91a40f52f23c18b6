"""Zerodha's recorded answers and the exchange's, each read through the official SDK and through our adapter.

test_fixtures compares the bytes on the wire; here is what a program gets to see of them.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from kiteconnect import KiteConnect

from tests.exchange.fakes import DAY, INFY
from tests.exchange.kite.recorded import recorded
from tests.exchange.kite.samples import CALLS, World
from tests.exchange.kite.served import serving
from tests.exchange.kite.test_fixtures import OTHER_CALLS, SDK, unexplained
from tests.exchange.kite.wire_shapes import differences
from tests.mocks import needs_mocks
from trading.brokers.kite.client import KiteBroker
from trading.clock.live import LiveClock
from trading.domain.orders import OrderChange, OrderIntent, OrderType, Purpose, PurposeKey, Side
from trading.domain.timezone import IST

INTENT = OrderIntent(key=PurposeKey(DAY, "kite:AB1001", "NSE:INFY", 1, Purpose.ENTRY), side=Side.BUY, quantity=10)
OPEN, LATER = (datetime(DAY.year, DAY.month, DAY.day, 9, minute, tzinfo=IST) for minute in (15, 20))

Read = Callable[[KiteBroker, str], Awaitable[Any]]

ADAPTER: dict[str, Read] = {
    "historical_minute.json": lambda broker, _: broker.candles(INFY.token, OPEN, LATER, "minute"),
    "instruments_all.csv": lambda broker, _: broker.instrument_dump(),
    "ltp.json": lambda broker, _: broker.last_prices(["NSE:INFY"]),
    "margins_equity.json": lambda broker, _: broker.funds(),
    "order_cancel.json": lambda broker, order_id: broker.cancel(order_id),
    "order_modify.json": lambda broker, order_id: broker.modify(order_id, OrderChange(OrderType.LIMIT, Decimal(1400))),
    "order_response.json": lambda broker, _: broker.place(INTENT),
    "orders.json": lambda broker, _: broker.orders(),
    "positions.json": lambda broker, _: broker.positions(),
    "profile.json": lambda broker, _: broker.profile(),
    "quote.json": lambda broker, _: broker.quotes(["NSE:INFY"]),
    "trades.json": lambda broker, _: broker.trades(),
}
"""Every call that our adapter makes, and whose answer it reads; the order id is one that rests at the exchange."""


def adapter_at(root: str, login: KiteConnect) -> KiteBroker:
    """Give our adapter in front of a broker."""
    return KiteBroker(
        account="kite:AB1001",
        api_key=login.api_key,
        access_token=login.access_token,
        root=root,
        ws_root="ws://127.0.0.1:1",
        clock=LiveClock(),
    )


@needs_mocks
@pytest.mark.parametrize("name", sorted(SDK))
async def test_the_sdk_makes_the_same_of_zerodhas_answer_and_of_ours(name: str) -> None:
    method, sample = SDK[name], OTHER_CALLS.get(name, CALLS[SDK[name]])
    async with serving() as served:
        world = World(served)
        ours = await sample(world, getattr(world.kite, method))
    async with serving() as served, recorded(name) as root:
        theirs = await sample(World(served), getattr(KiteConnect("key", "token", root=root), method))

    assert type(ours) is type(theirs)
    assert unexplained(name, differences([theirs], [ours])) == []


@needs_mocks
@pytest.mark.parametrize("name", sorted(ADAPTER))
async def test_the_adapter_reads_zerodhas_answer_and_ours(name: str) -> None:
    async with serving() as served, recorded(name) as root:
        world = World(served)
        await world.busy_day()
        resting = (await world.do(world.kite.orders))[1]["order_id"]
        ours, theirs = adapter_at(served.rest, world.kite), adapter_at(root, world.kite)
        try:
            of_ours, of_theirs = await ADAPTER[name](ours, resting), await ADAPTER[name](theirs, resting)
        finally:
            await ours.close()
            await theirs.close()

    assert type(of_ours) is type(of_theirs)
    if isinstance(of_ours, list | dict):
        assert of_ours
        assert of_theirs
        assert {type(one) for one in of_ours} == {type(one) for one in of_theirs}
