"""GTT by the unmodified SDK."""

import json
from typing import Any

import pytest
from kiteconnect import exceptions as kite_errors

from tests.exchange.fakes import INFY, quote_of
from tests.exchange.kite.served import Served, serving

LEG = {"transaction_type": "SELL", "quantity": 10, "order_type": "LIMIT", "product": "CNC"}
SINGLE = {
    "trigger_type": "single",
    "tradingsymbol": "INFY",
    "exchange": "NSE",
    "trigger_values": [1490],
    "last_price": 1500,
    "orders": [LEG | {"price": 1489.95}],
}
TWO_LEG = SINGLE | {
    "trigger_type": "two-leg",
    "trigger_values": [1480, 1530.5],
    "orders": [LEG | {"price": 1479}, LEG | {"price": 1530}],
}


async def raw(served: Served, method: str, path: str, **more: Any) -> Any:
    """Call as no SDK method does, and give the JSON."""
    kite = served.kite()
    headers = {"Authorization": f"token {kite.api_key}:{kite.access_token}", "X-Kite-Version": "3"}
    reply = await served.call(kite.reqsession.request, method, f"{served.rest}{path}", headers=headers, **more)
    return reply.json()


async def test_a_trigger_is_placed_shown_listed_modified_and_deleted() -> None:
    async with serving() as served:
        kite = served.kite()
        placed = await served.call(kite.place_gtt, **SINGLE)
        trigger_id = placed["trigger_id"]
        shown = await served.call(kite.get_gtt, trigger_id)
        modified = await served.call(kite.modify_gtt, trigger_id, **SINGLE | {"trigger_values": [1485.5]})
        (listed,) = await served.call(kite.get_gtts)
        deleted = await served.call(kite.delete_gtt, trigger_id)
        (after,) = await served.call(kite.get_gtts)

    assert placed == modified == deleted == {"trigger_id": trigger_id}
    assert isinstance(trigger_id, int)
    assert (shown["status"], shown["type"], shown["user_id"]) == ("active", "single", "AB1001")
    assert shown["created_at"] == "2026-11-23 10:00:00"
    assert shown["expires_at"] == "2027-11-23 10:00:00"
    assert shown["condition"] == {
        "exchange": "NSE",
        "tradingsymbol": "INFY",
        "trigger_values": [1490.0],
        "last_price": 1500.0,
        "instrument_token": INFY.token,
    }
    assert listed["condition"]["trigger_values"] == [1485.5]
    assert after["status"] == "deleted"


async def test_the_leg_that_was_met_carries_the_order() -> None:
    async with serving() as served:
        kite = served.kite()
        trigger_id = (await served.call(kite.place_gtt, **TWO_LEG))["trigger_id"]
        served.tick(quote_of(INFY, 1531))
        shown = await served.call(kite.get_gtt, trigger_id)
        (order,) = await served.call(kite.orders)

    assert shown["status"] == "triggered"
    lower, upper = shown["orders"]
    assert lower["result"] is None
    assert upper["result"]["triggered_at"] == 1531.0
    assert upper["result"]["order_result"] == {
        "status": "success",
        "order_id": order["order_id"],
        "rejection_reason": "",
    }
    assert json.loads(upper["result"]["meta"]) == {"app_id": 1002, "gtt": trigger_id}
    assert (order["status"], order["order_type"], order["price"], order["product"]) == (
        "COMPLETE", "LIMIT", 1530.0, "CNC",
    )  # fmt: skip


async def test_a_refused_order_is_told_as_failed() -> None:
    async with serving() as served:
        kite = served.kite()
        off_tick = SINGLE | {"orders": [LEG | {"price": 1489.97}]}
        trigger_id = (await served.call(kite.place_gtt, **off_tick))["trigger_id"]
        served.tick(quote_of(INFY, 1490))
        shown = await served.call(kite.get_gtt, trigger_id)
        book = await served.call(kite.orders)

    assert book == []
    told = shown["orders"][0]["result"]["order_result"]
    assert (told["status"], told["order_id"]) == ("failed", "")
    assert told["rejection_reason"].startswith("Tick size for this script is 0.05.")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"tradingsymbol": "NOPE"}, "Invalid `tradingsymbol`"),
        ({"trigger_values": ["soon"]}, "Invalid `trigger_values`"),
        ({"trigger_values": [-1]}, "Invalid `trigger_values`"),
        ({"trigger_values": [True]}, "Invalid `trigger_values`"),
        ({"last_price": None}, "Invalid `last_price`"),
        ({"trigger_values": [1499.95]}, "too close"),
        ({"trigger_values": [1510], "last_price": 1520}, "Trigger already met"),
        ({"orders": []}, "Invalid `orders`"),
        ({"orders": [LEG | {"price": 1490}] * 2}, "Invalid `orders`"),
        ({"orders": [LEG | {"price": 1490, "order_type": "MARKET"}]}, "Only LIMIT"),
        ({"orders": [LEG | {"price": 0}]}, "Invalid `price`"),
        ({"orders": [LEG | {"price": 1490, "quantity": -1}]}, "Invalid `quantity`"),
        ({"orders": [LEG | {"price": 1490, "product": "MIS"}]}, "Invalid `product`"),
        ({"orders": [LEG | {"price": 1490, "transaction_type": "HOLD"}]}, "Invalid `transaction_type`"),
        (TWO_LEG | {"trigger_values": [1530, 1480]}, "between the two"),
    ],
)
async def test_a_bad_trigger_is_an_input_exception(change: dict[str, Any], words: str) -> None:
    async with serving() as served:
        kite = served.kite()
        with pytest.raises(kite_errors.InputException, match=words) as refused:
            await served.call(kite.place_gtt, **SINGLE | change)

        assert refused.value.code == 400
        assert await served.call(kite.get_gtts) == []


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({}, "Invalid `type`."),
        ({"type": "three-leg"}, "Invalid `type`."),
        ({"type": "single"}, "Missing or empty field `condition`"),
        ({"type": "single", "condition": "{"}, "Invalid `condition`. It should be JSON."),
        ({"type": "single", "condition": "[" * 100_000}, "Invalid `condition`. It should be JSON."),
        ({"type": "single", "condition": "[]"}, "Invalid `condition`."),
        ({"type": "single", "condition": "{}"}, "Missing or empty field `exchange`"),
        ({"type": "single", "condition": '{"exchange": 1}'}, "Invalid `exchange`."),
    ],
)
async def test_a_form_that_no_sdk_sends_is_refused_in_kites_shape(form: dict[str, str], words: str) -> None:
    async with serving() as served:
        reply = await raw(served, "POST", "/gtt/triggers", data=form)

    assert reply == {"status": "error", "message": words, "data": None, "error_type": "InputException"}


async def test_an_order_of_another_instrument_is_refused() -> None:
    async with serving() as served:
        condition = {"exchange": "NSE", "tradingsymbol": "INFY", "trigger_values": [1490], "last_price": 1500}
        orders = [LEG | {"exchange": "NSE", "tradingsymbol": "SBIN", "price": 1490}]
        form = {"type": "single", "condition": json.dumps(condition), "orders": json.dumps(orders)}
        reply = await raw(served, "POST", "/gtt/triggers", data=form)

    assert reply["message"].startswith("Invalid `tradingsymbol`. The orders and the condition")


async def test_an_unknown_trigger_and_somebody_elses_are_not_found() -> None:
    async with serving() as served:
        kite, charlie = served.kite(), served.kite("AB1003")
        trigger_id = (await served.call(kite.place_gtt, **SINGLE))["trigger_id"]

        for asking, wanted in ((kite, 1), (charlie, trigger_id)):
            with pytest.raises(kite_errors.GeneralException, match="Trigger not found") as missing:
                await served.call(asking.get_gtt, wanted)
            assert missing.value.code == 404
        with pytest.raises(kite_errors.InputException, match="Invalid `trigger_id`"):
            await served.call(kite.get_gtt, "soon")
        assert await served.call(charlie.get_gtts) == []
