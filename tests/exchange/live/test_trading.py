"""What a paper account is filled at: real levels, fresh, in hours, and never anything else."""

import asyncio
from datetime import time
from pathlib import Path
from typing import Any

import pytest
from kiteconnect.exceptions import InputException

from tests.exchange.fakes import INFY, SBIN
from tests.exchange.live.paper import Paper, Wall, hello, live
from tests.exchange.running import Running

ASKS = (("1500.05", 100), ("1500.10", 200), ("1500.20", 300))
BIDS = (("1500.00", 50), ("1499.95", 60))
ORDER: dict[str, Any] = {
    "variety": "regular",
    "exchange": "NSE",
    "tradingsymbol": "INFY",
    "transaction_type": "BUY",
    "product": "MIS",
}
MARKET = ORDER | {"order_type": "MARKET", "market_protection": -1}


async def place(paper: Paper, **words: Any) -> str:
    """Place by the SDK and wait until it was matched."""
    order_id = await asyncio.to_thread(lambda: paper.kite().place_order(**words))
    await paper.settle()
    return str(order_id)


async def order_of(paper: Paper, order_id: str) -> dict[str, Any]:
    """Give an order's last state."""
    history = await asyncio.to_thread(paper.kite().order_history, order_id)
    return dict(history[-1])


async def fills_of(paper: Paper, order_id: str) -> list[tuple[float, int]]:
    """Give (price, units) of each fill."""
    trades = await asyncio.to_thread(paper.kite().order_trades, order_id)
    return [(trade["average_price"], trade["quantity"]) for trade in trades]


async def test_a_market_order_walks_the_real_levels(tmp_path: Path) -> None:
    async with live(tmp_path) as paper:
        await paper.tell(INFY, "1500.05", asks=ASKS, bids=BIDS)
        bought = await place(paper, **MARKET, quantity=250)

        assert await fills_of(paper, bought) == [(1500.05, 100), (1500.10, 150)]
        assert (await order_of(paper, bought))["status"] == "COMPLETE"


async def test_what_the_real_book_does_not_hold_rests_and_is_filled_by_the_next_prices(tmp_path: Path) -> None:
    async with live(tmp_path) as paper:
        await paper.tell(INFY, "1500.05", asks=ASKS, bids=BIDS)
        bought = await place(paper, **MARKET, quantity=700)
        assert (await order_of(paper, bought))["pending_quantity"] == 100

        await paper.tell(INFY, "1499", asks=(("1499", 1000),), bids=(("1498.95", 10),))
        assert (await order_of(paper, bought))["status"] == "COMPLETE"


async def test_nothing_is_filled_at_a_price_older_than_three_seconds(tmp_path: Path) -> None:
    wall = Wall()
    async with live(tmp_path, wall) as paper:
        await paper.tell(INFY, "1500.05", asks=ASKS, bids=BIDS)
        fresh = await place(paper, **MARKET, quantity=1)
        wall.go_to(time(10, 0, 4))
        late = await place(paper, **MARKET, quantity=1)

        assert (await order_of(paper, fresh))["status"] == "COMPLETE"
        assert (await order_of(paper, late))["status"] == "OPEN"
        quote = await asyncio.to_thread(paper.kite().quote, "NSE:INFY")
        assert str(quote["NSE:INFY"]["timestamp"]) == "2026-11-23 10:00:00"

        await paper.tell(INFY, "1500.05", asks=ASKS, bids=BIDS)
        assert (await order_of(paper, late))["status"] == "COMPLETE"


async def test_prices_that_arrive_late_or_from_the_future_fill_and_trigger_nothing(tmp_path: Path) -> None:
    async with live(tmp_path) as paper:
        await paper.tell(INFY, "1500", asks=ASKS, bids=BIDS)
        resting = await place(paper, **ORDER, order_type="LIMIT", price=1490, quantity=10)
        stop = await place(
            paper, **ORDER | {"transaction_type": "SELL"}, order_type="SL", price=1480, trigger_price=1495, quantity=10
        )
        await paper.tell(INFY, "1489", age_s=-10, asks=(("1489", 100),), bids=(("1488", 100),))
        assert (await order_of(paper, resting))["status"] == "OPEN"
        assert (await order_of(paper, stop))["status"] == "TRIGGER PENDING"

        paper.wall.go_to(time(10, 1))
        await paper.tell(INFY, "1489", age_s=5, asks=(("1489", 100),), bids=(("1488", 100),))
        assert (await order_of(paper, resting))["status"] == "OPEN"
        assert (await order_of(paper, stop))["status"] == "TRIGGER PENDING"

        await paper.tell(INFY, "1489", asks=(("1489", 100),), bids=(("1488", 100),))
        assert (await order_of(paper, resting))["status"] == "COMPLETE"
        assert (await order_of(paper, stop))["status"] == "COMPLETE"


async def test_outside_hours_an_order_is_refused_and_says_why(tmp_path: Path) -> None:
    async with live(tmp_path, Wall(time(8, 59))) as paper:
        await paper.tell(INFY, "1500", asks=ASKS, bids=BIDS)

        with pytest.raises(InputException, match="markets are not open"):
            await place(paper, **MARKET, quantity=1)


async def test_an_instrument_whose_price_was_never_told_is_refused_and_says_why(tmp_path: Path) -> None:
    async with live(tmp_path) as paper:
        with pytest.raises(InputException, match="No price of NSE:SBIN has come in today"):
            await place(paper, **MARKET | {"tradingsymbol": "SBIN"}, quantity=1)


async def test_while_the_feed_is_gone_orders_rest_and_a_new_feed_fills_them(tmp_path: Path) -> None:
    async with live(tmp_path) as paper:
        await paper.tell(INFY, "1500", asks=ASKS, bids=BIDS)
        await paper.feeder.close()
        while (await paper.clock_now())["feed"]["connected"]:  # noqa: ASYNC110 (asked over HTTP)
            await asyncio.sleep(0)
        at_once = await place(paper, **MARKET, quantity=1)
        assert (await order_of(paper, at_once))["status"] == "OPEN"
        paper.wall.go_to(time(10, 5))
        bought = await place(paper, **MARKET, quantity=1)
        feed = (await paper.clock_now())["feed"]
        assert (feed["connected"], feed["newest"]) == (False, "2026-11-23T10:00:00+05:30")
        assert (await order_of(paper, bought))["status"] == "OPEN"

        async with paper.new_feeder() as feeder:
            await feeder.send_json(hello(paper.wall))
            await paper.tell(INFY, "1500", asks=ASKS, bids=BIDS)
            assert (await order_of(paper, bought))["status"] == "COMPLETE"


async def test_what_was_killed_goes_on_with_its_orders_before_any_feeder_comes(tmp_path: Path) -> None:
    async with live(tmp_path) as paper:
        await paper.tell(INFY, "1500", asks=ASKS, bids=BIDS)
        await place(paper, **MARKET, quantity=5)
        resting = await place(paper, **ORDER, order_type="LIMIT", price=1490, quantity=10)
    async with live(tmp_path, is_fed=False) as again:
        assert (await order_of(again, resting))["status"] == "OPEN"
        positions = await asyncio.to_thread(again.kite().positions)

    assert [(one["tradingsymbol"], one["quantity"]) for one in positions["net"]] == [("INFY", 5)]


async def test_the_next_trading_day_begins_by_itself(tmp_path: Path) -> None:
    wall = Wall(time(15, 0))
    async with live(tmp_path, wall) as paper:
        await paper.tell(SBIN, "1490", asks=(("1490", 10),), bids=(("1489", 10),))
        resting = await place(
            paper,
            **ORDER | {"tradingsymbol": "SBIN"},
            order_type="LIMIT",
            price=1450,
            quantity=1,
        )
        wall.go_to(time(16, 30))
        await paper.settle()
        assert (await order_of(paper, resting))["status"] == "CANCELLED"

        wall.now = wall.now.replace(day=25)  # the 24th is a holiday
        await paper.settle()
        assert (await paper.clock_now())["day"] == "2026-11-25"
        signed_in_again = Running(paper.exchange).kite()
        assert await asyncio.to_thread(signed_in_again.orders) == []


async def test_two_paper_orders_never_fill_each_other(tmp_path: Path) -> None:
    async with live(tmp_path) as paper:
        await paper.tell(INFY, "1500", asks=(("1502", 100),), bids=(("1498", 100),))
        resting = await place(paper, **ORDER, order_type="LIMIT", price=1500, quantity=10)
        charlie = paper.kite("AB1003")
        sell = ORDER | {"transaction_type": "SELL", "order_type": "LIMIT", "price": 1499, "quantity": 10}
        sold = str(await asyncio.to_thread(lambda: charlie.place_order(**sell)))
        await paper.settle()

        assert (await order_of(paper, resting))["status"] == "OPEN"
        assert (await asyncio.to_thread(charlie.order_history, sold))[-1]["status"] == "OPEN"


async def test_a_resting_order_waits_its_turn_behind_the_real_units_at_its_price(tmp_path: Path) -> None:
    async with live(tmp_path) as paper:
        book: dict[str, Any] = {"asks": (("1500.05", 100),), "bids": (("1500", 50),)}
        await paper.tell(INFY, "1500.05", volume=1000, **book)
        resting = await place(paper, **ORDER, order_type="LIMIT", price=1500, quantity=10)
        await paper.tell(INFY, "1500", volume=1040, **book)
        assert (await order_of(paper, resting))["filled_quantity"] == 0

        await paper.tell(INFY, "1500", volume=1055, **book)
        assert (await order_of(paper, resting))["filled_quantity"] == 5
        assert await fills_of(paper, resting) == [(1500, 5)]
