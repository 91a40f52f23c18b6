"""Mutual funds by the unmodified SDK."""

from datetime import date, datetime
from typing import Any

import pytest
from kiteconnect import exceptions as kite_errors

from tests.exchange.kite.samples import FUND, World
from tests.exchange.kite.served import serving


async def test_the_list_of_funds_is_parsed_by_the_sdk() -> None:
    async with serving() as served:
        world = World(served)
        funds = {row["tradingsymbol"]: row for row in await world.do(world.kite.mf_instruments)}

    fund = funds[FUND]
    assert len(funds) == 6
    assert (fund["purchase_allowed"], fund["minimum_purchase_amount"]) == (True, 1000.0)
    assert fund["last_price_date"] == date(2026, 11, 20)
    assert 102 < fund["last_price"] < 107
    assert not funds["INF0SIM04GR5"]["redemption_allowed"]


async def test_an_order_is_open_for_its_day_and_then_allotted() -> None:
    async with serving() as served:
        world = World(served)
        kite = world.kite
        order_id = (await world.do(kite.place_mf_order, FUND, "BUY", amount=5000, tag="COIN"))["order_id"]
        today = await world.do(kite.mf_orders, order_id)
        (before,) = await world.do(kite.mf_holdings)
        world.next_day()
        settled = await world.do(kite.mf_orders, order_id)
        (after,) = await world.do(kite.mf_holdings)
        sale = (await world.do(kite.place_mf_order, FUND, "SELL", quantity=12.5))["order_id"]
        cancelled = await world.do(kite.cancel_mf_order, sale)
        listed = await world.do(kite.mf_orders)

    assert (today["status"], today["quantity"], today["exchange_order_id"], today["tag"]) == ("OPEN", 0, None, "COIN")
    assert today["order_timestamp"] == datetime(2026, 11, 23, 10, 0)  # noqa: DTZ001 - naive IST is Kite's way
    assert (settled["status"], settled["exchange_timestamp"]) == ("COMPLETE", "2026-11-23")
    assert settled["quantity"] == pytest.approx(5000 / settled["average_price"], abs=0.001)
    assert after["quantity"] == pytest.approx(before["quantity"] + settled["quantity"])
    assert cancelled == {"order_id": sale}
    assert [(one["order_id"], one["status"]) for one in listed] == [(sale, "CANCELLED"), (order_id, "COMPLETE")]


async def test_a_sip_is_registered_changed_paused_and_ended() -> None:
    async with serving() as served:
        world = World(served)
        kite = world.kite
        placed = await world.do(kite.place_mf_sip, FUND, 1000, 12, "monthly", initial_amount=5000, instalment_day=5)
        sip_id = placed["sip_id"]
        await world.do(kite.modify_mf_sip, sip_id, amount=2000, status="paused", frequency="weekly")
        changed = await world.do(kite.mf_sips, sip_id)
        (first,) = await world.do(kite.mf_orders)
        ended = await world.do(kite.cancel_mf_sip, sip_id)
        listed = await world.do(kite.mf_sips)

    assert (first["order_id"], first["amount"], first["variety"]) == (placed["order_id"], 5000, "sip")
    assert (changed["status"], changed["instalment_amount"], changed["frequency"]) == ("PAUSED", 2000, "weekly")
    assert (changed["instalment_day"], changed["pending_instalments"]) == (0, 12)
    assert changed["next_instalment"] == "2026-11-30"
    assert ended == {"sip_id": sip_id}
    assert listed == []


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ({"tradingsymbol": "NOPE"}, "Invalid `tradingsymbol`"),
        ({"transaction_type": "HOLD"}, "Invalid `transaction_type`"),
        ({"amount": None}, "Invalid `amount`"),
        ({"amount": "much"}, "Invalid `amount`"),
        ({"amount": "1e999999999"}, "Invalid `amount`"),
        ({"amount": -5000}, "Invalid `amount`"),
        ({"transaction_type": "SELL"}, "Invalid `quantity`"),
        ({"transaction_type": "SELL", "quantity": 0.0001}, "Invalid `quantity`"),
        ({"transaction_type": "SELL", "quantity": -1}, "Invalid `quantity`"),
        ({"tag": "x" * 21}, "Invalid `tag`"),
    ],
)
async def test_a_bad_fund_order_is_an_input_exception(words: dict[str, Any], text: str) -> None:
    async with serving() as served:
        world = World(served)
        good = {"tradingsymbol": FUND, "transaction_type": "BUY", "amount": 5000}
        with pytest.raises(kite_errors.InputException, match=text):
            await world.do(world.kite.place_mf_order, **good | words)

        assert await world.do(world.kite.mf_orders) == []


async def test_a_refused_sip_leaves_no_initial_order_behind() -> None:
    async with serving() as served:
        world = World(served)
        with pytest.raises(kite_errors.InputException, match="Invalid `frequency`"):
            await world.do(world.kite.place_mf_sip, FUND, 1000, 12, "daily", initial_amount=5000)

        assert await world.do(world.kite.mf_orders) == []


async def test_more_units_than_held_are_refused_by_the_brokers_word_for_holdings() -> None:
    async with serving() as served:
        world = World(served)
        with pytest.raises(kite_errors.GeneralException, match="Insufficient holdings"):
            await world.do(world.kite.place_mf_order, FUND, "SELL", quantity=1000)

    assert world.answers[-1].json()["error_type"] == "HoldingException"
    assert world.answers[-1].status_code == 400
