"""Every method of `ports.Broker` against the simulated exchange: what its rules, books and socket really say."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import time
from decimal import Decimal

import pytest

from tests.exchange.fakes import DAY, INFY, quote_of
from tests.exchange.kite.served import Served, serving
from trading.brokers.kite.client import KiteBroker
from trading.brokers.kite.instruments import parse_dump
from trading.clock.live import LiveClock
from trading.domain.errors import BrokerAuthError, BrokerRejected, BrokerUnavailable, OrderOutcomeUnknown
from trading.domain.orders import OrderIntent, OrderStatus, OrderType, Purpose, PurposeKey, Side
from trading.domain.timezone import at_ist
from trading.ports import Broker, OrderUpdate

BUY = OrderIntent(key=PurposeKey(DAY, "kite:AB1001", "NSE:INFY", 1, Purpose.ENTRY), side=Side.BUY, quantity=10)
SELL = replace(BUY, key=replace(BUY.key, purpose=Purpose.STOP), side=Side.SELL)
RESTS = replace(BUY, order_type=OrderType.LIMIT, price=Decimal(1490))
ORDERS = {"method": "POST", "path": "/orders"}


@asynccontextmanager
async def account(served: Served, *, user_id: str = "AB1001", token: str | None = None) -> AsyncIterator[KiteBroker]:
    """Give one user's account at the exchange."""
    venue = served.desk.venue
    broker = KiteBroker(
        account=f"kite:{user_id}",
        api_key=venue.users[user_id].api_key,
        access_token=token or venue.issue_token(user_id),
        root=served.rest,
        ws_root=served.ws,
        clock=LiveClock(),
        call_deadline_s=2,
    )
    try:
        yield broker
    finally:
        await broker.close()


def is_a_broker(broker: KiteBroker) -> Broker:
    """Let the type checker say that the adapter keeps the port's promise."""
    return broker


async def test_an_order_is_found_in_book_trades_and_positions_under_its_tag() -> None:
    async with serving() as served, account(served) as broker:
        order_id = await broker.place(BUY)
        (order,) = await broker.orders()
        (trade,) = await broker.trades()
        (position,) = await broker.positions()

    assert (order.order_id, order.tag, order.status) == (order_id, BUY.tag, OrderStatus.COMPLETE)
    assert (order.filled_quantity, order.average_price, order.instrument) == (10, Decimal("1500.0"), "NSE:INFY")
    assert order.placed_at == at_ist(DAY, time(10, 0))
    assert (trade.order_id, trade.quantity, trade.side, trade.product) == (order_id, 10, Side.BUY, "MIS")
    assert (position.net_quantity, position.average_price) == (10, Decimal("1500.0"))


@pytest.mark.proves("I9", "I11")
async def test_a_round_trip_is_flat_and_its_profit_is_exact() -> None:
    async with serving() as served, account(served) as broker:
        await broker.place(BUY)
        served.tick(quote_of(INFY, "1507.05"))
        await broker.place(SELL)
        (position,) = await broker.positions()

    assert (position.net_quantity, position.pnl) == (0, Decimal("70.5"))


async def test_a_resting_order_is_open_until_it_is_cancelled() -> None:
    async with serving() as served, account(served) as broker:
        order_id = await broker.place(RESTS)
        (resting,) = await broker.orders()
        await broker.cancel(order_id)
        await asyncio.sleep(0.05)
        (cancelled,) = await broker.orders()
        with pytest.raises(BrokerUnavailable):  # the broker says the same of a final order and of one on its way
            await broker.cancel(order_id)
        with pytest.raises(BrokerRejected):
            await broker.cancel("404")

    assert (resting.status, resting.is_live) == (OrderStatus.OPEN, True)
    assert (cancelled.status, cancelled.filled_quantity) == (OrderStatus.CANCELLED, 0)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (replace(RESTS, price=Decimal("1490.01")), "Tick size"),
        (replace(RESTS, price=Decimal(900)), "circuit limit"),
        (replace(BUY, quantity=10_000_000), "higher than the maximum quantity"),
        (replace(BUY, key=replace(BUY.key, instrument="NSE:NOBODY")), "tradingsymbol"),
        (replace(BUY, key=replace(BUY.key, instrument="NSE:NIFTY 50")), "index"),
        (replace(BUY, protection_percent=Decimal(0)), "market protection"),
    ],
)
async def test_what_the_exchange_refuses_at_once_is_final_and_in_no_book(wrong: OrderIntent, words: str) -> None:
    async with serving() as served, account(served) as broker:
        with pytest.raises(BrokerRejected, match=words):
            await broker.place(wrong)

        assert await broker.orders() == []


@pytest.mark.proves("F16")
async def test_what_it_refuses_later_has_an_id_and_the_brokers_words() -> None:
    async with serving() as served, account(served) as broker:
        order_id = await broker.place(replace(BUY, quantity=4000))
        (order,) = await broker.orders()

    assert (order.order_id, order.status) == (order_id, OrderStatus.REJECTED)
    assert "Insufficient funds" in order.status_message


async def test_a_closed_market_refuses() -> None:
    async with serving() as served, account(served) as broker:
        served.desk.times.go_to(time(18, 0))
        with pytest.raises(BrokerRejected, match="markets are not open"):
            await broker.place(BUY)


async def test_order_messages_count_as_the_exchange_counts_them() -> None:
    async with serving() as served, account(served) as broker:
        updates = broker.order_updates()
        made = await asyncio.wait_for(anext(updates), timeout=30)
        order_id = await broker.place(BUY)
        heard = await asyncio.wait_for(anext(updates), timeout=30)
        counted = dict(served.face.order_frames)
        await updates.aclose()  # type: ignore[attr-defined]

    assert made == OrderUpdate(order=None, serial=0)
    assert heard.order is not None
    assert (heard.order.order_id, heard.order.status, heard.order.tag) == (order_id, OrderStatus.COMPLETE, BUY.tag)
    assert heard.serial == counted["AB1001"] == 1


@pytest.mark.proves("F31")
async def test_a_dead_session_asks_for_a_login_everywhere() -> None:
    async with serving() as served, account(served, token="dead") as broker:
        updates = broker.order_updates()
        calls = (broker.place(BUY), broker.cancel("1"), broker.orders(), broker.positions(), anext(updates))
        answers = await asyncio.gather(*calls, return_exceptions=True)

    assert [type(one) for one in answers] == [BrokerAuthError] * 5


async def test_last_prices_leave_strangers_out() -> None:
    async with serving() as served, account(served) as broker:
        assert await broker.last_prices(["NSE:INFY", "NSE:NOBODY"]) == {"NSE:INFY": Decimal("1500.0")}


async def test_candles_dump_profile_and_funds_are_read() -> None:
    async with serving() as served, account(served) as broker:
        candles = await broker.candles(INFY.token, at_ist(DAY, time(9, 15)), at_ist(DAY, time(9, 19)), "minute")
        dump = parse_dump(await broker.instrument_dump())
        profile = await broker.profile()
        funds = await broker.funds()

    assert [candle.start for candle in candles] == [at_ist(DAY, time(9, 15 + n)) for n in range(5)]
    assert candles[0].high == Decimal("1502.0")
    assert {one.key for one in dump.instruments} == {"NSE:INFY", "NSE:SBIN", "NSE:NIFTY 50"}
    assert [problem.split(":")[0] for problem in dump.problems] == ["line 5"]  # a future without an expiry
    assert profile.user_id == "AB1001"
    assert funds.available == funds.opening_balance == Decimal(1_000_000)


@pytest.mark.proves("F14", "I1")
@pytest.mark.parametrize(
    "fault",
    [
        {"phase": "after_accept", "action": "drop", "seconds": 5},
        {"phase": "reply", "action": "rst"},
        {"phase": "reply", "action": "status", "status": 502},
        {"phase": "reply", "action": "body", "body": "<html>gateway</html>", "content_type": "text/html"},
    ],
)
async def test_an_order_that_was_taken_behind_a_bad_answer_is_unknown_and_found_by_its_tag(
    fault: dict[str, object],
) -> None:
    async with serving() as served, account(served) as broker:
        served.faults.add({"match": ORDERS, "n": 1, **fault})
        with pytest.raises(OrderOutcomeUnknown, match=BUY.tag):
            await broker.place(BUY)

        assert [(one.tag, one.status) for one in await broker.orders()] == [(BUY.tag, OrderStatus.COMPLETE)]


@pytest.mark.proves("F15")
async def test_too_many_requests_are_told_as_what_they_are() -> None:
    async with serving() as served, account(served) as broker:
        for _ in range(10):
            await broker.orders()
        with pytest.raises(BrokerUnavailable, match="Too many requests") as refusal:
            await broker.orders()

    assert refusal.value.status == 429
