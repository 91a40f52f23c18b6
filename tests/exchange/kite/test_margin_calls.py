"""What orders would block and cost, asked by the unmodified SDK, against what then is blocked."""

import json
from typing import Any

import pytest
from kiteconnect import exceptions as kite_errors

from tests.exchange.fakes import FUTURE, INFY, Desk, FakeMarket, order, quote_of
from tests.exchange.kite.served import Served, serving
from trading.domain.orders import Side
from trading.exchange.venue import margin

BUY_TEN = {
    "exchange": "NSE",
    "tradingsymbol": "INFY",
    "transaction_type": "BUY",
    "variety": "regular",
    "product": "MIS",
    "order_type": "LIMIT",
    "quantity": 10,
    "price": 1490.05,
    "trigger_price": 0,
}
EXECUTED = {"order_id": "1", "average_price": 1490.05} | {
    key: value for key, value in BUY_TEN.items() if key not in ("price", "trigger_price")
}


def blocked(served: Served, user_id: str = "AB1001") -> float:
    """Give what the account has blocked, in rupees."""
    return margin.used(served.desk.venue.books.accounts[user_id]) / 10_000


async def place(served: Served, row: dict[str, Any], **more: Any) -> str:
    """Place what was asked about."""
    wire = {key: value for key, value in row.items() if value}
    protection = {"market_protection": -1} if row["order_type"] in ("MARKET", "SL-M") else {}
    return str(await served.call(served.kite().place_order, **wire | protection | more))


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"product": "CNC"},
        {"price": 1490.05, "quantity": 7},
        {"transaction_type": "SELL", "price": 1512.35},
        {"order_type": "MARKET", "price": 0},
        {"order_type": "MARKET", "price": 0, "transaction_type": "SELL"},
        {"order_type": "SL", "trigger_price": 1510, "price": 1515},
        {"order_type": "SL-M", "trigger_price": 1510, "price": 0},
        {"exchange": "NFO", "tradingsymbol": "NIFTY26NOVFUT", "product": "NRML", "quantity": 75},
    ],
)
async def test_what_is_quoted_is_what_is_then_blocked_to_the_paisa(change: dict[str, Any]) -> None:
    async with serving() as served:
        for instrument in (INFY, FUTURE):
            served.desk.market.put(quote_of(instrument, 1500, asks=(), bids=()))
        (row,) = await served.call(served.kite().order_margins, [BUY_TEN | change])
        await place(served, BUY_TEN | change)

        assert row["total"] > 0
        assert row["total"] == blocked(served)
        assert row["total"] == row["var"] + row["span"] + row["option_premium"]


async def test_only_the_part_beyond_position_and_orders_needs_margin() -> None:
    async with serving() as served:
        kite = served.kite()
        served.desk.trade(order(quantity=10))
        exit_row = BUY_TEN | {"transaction_type": "SELL", "price": 1600}
        free, beyond = await served.call(kite.order_margins, [exit_row, exit_row | {"quantity": 25}])
        served.desk.market.put(quote_of(INFY, 1500, bids=()))
        await place(served, exit_row)
        (second,) = await served.call(kite.order_margins, [exit_row])

    assert (free["total"], beyond["total"]) == (0, 4800)
    assert second["total"] == 3200  # the position is promised to the first exit


async def test_an_order_margin_has_the_brokers_shape_and_charges() -> None:
    async with serving() as served:
        kite = served.kite()
        (mis,) = await served.call(kite.order_margins, [BUY_TEN])
        (cnc,) = await served.call(kite.order_margins, [BUY_TEN | {"product": "CNC"}])
        (future,) = await served.call(
            kite.order_margins,
            [BUY_TEN | {"exchange": "NFO", "tradingsymbol": "NIFTY26NOVFUT", "product": "NRML", "quantity": 75}],
        )

    assert (mis["leverage"], mis["var"], mis["type"]) == (5, 2980.1, "equity")
    assert (cnc["leverage"], cnc["var"]) == (1, 14900.5)
    assert cnc["charges"]["transaction_tax"] == 14.9005
    assert (future["span"], future["var"], future["leverage"]) == (22350.75, 0, 1)


async def test_a_basket_nets_what_its_orders_do_and_leaves_it_blocked() -> None:
    async with serving() as served:
        kite = served.kite()
        basket = [BUY_TEN | {"price": 1500}, BUY_TEN | {"price": 1500, "transaction_type": "SELL", "quantity": 4}]
        answer = await served.call(kite.basket_order_margins, basket)
        compact = await served.call(kite.basket_order_margins, basket, mode="compact")
        for row in basket:
            await place(served, row)

        assert answer["final"]["total"] == 1800 == blocked(served)
    assert answer["initial"]["total"] == sum(one["total"] for one in answer["orders"]) == 4200
    assert answer["charges"]["total"] == pytest.approx(sum(one["charges"]["total"] for one in answer["orders"]))
    assert compact["orders"] == []
    assert compact["final"] == answer["final"]


async def test_a_basket_counts_positions_only_when_asked_to() -> None:
    async with serving() as served:
        kite = served.kite()
        served.desk.trade(order(quantity=10))
        sale = [BUY_TEN | {"transaction_type": "SELL", "price": 1500}]
        with_positions = await served.call(kite.basket_order_margins, sale, consider_positions=True)
        without = await served.call(kite.basket_order_margins, sale, consider_positions=False)

    assert (with_positions["initial"]["total"], with_positions["final"]["total"]) == (0, -3000)
    assert (without["initial"]["total"], without["final"]["total"]) == (3000, 3000)


@pytest.mark.parametrize(
    ("query", "words"),
    [("consider_positions=perhaps", "consider_positions"), ("mode=loud", "mode")],
)
async def test_a_bad_query_of_a_basket_is_refused(query: str, words: str) -> None:
    async with serving() as served:
        status, body = await raw(served, f"/margins/basket?{query}", json.dumps([BUY_TEN]))

    assert (status, body["error_type"], body["message"]) == (400, "InputException", f"Invalid `{words}`.")


async def test_a_contract_note_has_the_brokers_shape_and_exact_charges() -> None:
    async with serving() as served:
        kite = served.kite()
        rows = await served.call(
            kite.get_virtual_contract_note,
            [EXECUTED, EXECUTED | {"transaction_type": "SELL", "average_price": 1500.3333}],
        )

    bought, sold = rows
    assert (bought["price"], bought["quantity"], bought["product"]) == (1490.05, 10, "MIS")
    assert bought["charges"]["brokerage"] == 4.47015
    assert bought["charges"]["exchange_turnover_charge"] == 0.4574453500
    assert bought["charges"]["gst"]["total"] == pytest.approx(0.18 * (4.47015 + 0.442544850 + 0.01490050))
    assert (bought["charges"]["transaction_tax"], sold["charges"]["transaction_tax"]) == (0, 3.75083325)
    assert (bought["charges"]["stamp_duty"], sold["charges"]["stamp_duty"]) == (0, 0)


async def test_a_day_without_known_rates_is_refused_and_not_free() -> None:
    async with serving(Desk(market=FakeMarket(FakeMarket().day.replace(year=2022)))) as served:
        with pytest.raises(kite_errors.InputException, match="no charges are known for equity_intraday on NSE"):
            await served.call(served.kite().get_virtual_contract_note, [EXECUTED])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"tradingsymbol": "NOPE"}, "Invalid `tradingsymbol`"),
        ({"tradingsymbol": "NIFTY 50"}, "Invalid `tradingsymbol`"),
        ({"exchange": ""}, "Missing or empty field `exchange`"),
        ({"transaction_type": "HOLD"}, "Invalid `transaction_type`"),
        ({"variety": "bo"}, "Invalid `variety`"),
        ({"product": 5}, "Invalid `product`"),
        ({"order_type": "STOP"}, "Invalid `order_type`"),
        ({"quantity": 0}, "Invalid `quantity`"),
        ({"quantity": 1.5}, "Invalid `quantity`"),
        ({"quantity": True}, "Invalid `quantity`"),
        ({"quantity": 10**12}, "Invalid `quantity`"),
        ({"price": -1}, "Invalid `price`"),
        ({"price": "1e400"}, "Invalid `price`"),
        ({"price": 1490.00001}, "Invalid `price`"),
        ({"price": 0}, "Invalid `price`"),
        ({"order_type": "SL-M"}, "Invalid `trigger_price`"),
        ({"market_protection": 101}, "Invalid `market_protection`"),
    ],
)
async def test_a_malformed_order_in_a_list_is_an_input_exception(change: dict[str, Any], words: str) -> None:
    async with serving() as served:
        with pytest.raises(kite_errors.InputException, match=words):
            await served.call(served.kite().order_margins, [BUY_TEN | change])


@pytest.mark.parametrize("path", ["/margins/orders", "/margins/basket", "/charges/orders"])
@pytest.mark.parametrize("body", ["", "{}", "[1]", "[" * 100_000, "null", "[NaN]"])
async def test_a_body_that_is_no_list_of_orders_is_an_input_exception(path: str, body: str) -> None:
    async with serving() as served:
        status, answer = await raw(served, path, body)

    assert (status, answer["error_type"]) == (400, "InputException")


async def test_asking_changes_nothing() -> None:
    async with serving() as served:
        kite = served.kite()
        served.desk.trade(order(Side.SELL, 5))
        before = served.desk.venue.ledger_hash(), blocked(served)
        await served.call(kite.order_margins, [BUY_TEN])
        await served.call(kite.basket_order_margins, [BUY_TEN, BUY_TEN])
        await served.call(kite.get_virtual_contract_note, [EXECUTED])

        assert (served.desk.venue.ledger_hash(), blocked(served)) == before


async def raw(served: Served, path: str, body: str) -> tuple[int, dict[str, Any]]:
    """POST a body as it is."""
    kite = served.kite()
    headers = {"Authorization": f"token {kite.api_key}:{kite.access_token}", "Content-Type": "application/json"}
    reply = await served.call(kite.reqsession.post, f"{served.rest}{path}", data=body, headers=headers)
    return reply.status_code, reply.json()
