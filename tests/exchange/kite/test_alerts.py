"""Alerts over plain HTTP: the SDK has no methods for them."""

import json
from typing import Any

import pytest

from tests.exchange.fakes import quote_of
from tests.exchange.kite.samples import ALERT, BASKET, World
from tests.exchange.kite.served import serving

ITEM = BASKET["items"][0]


def with_params(**change: Any) -> dict[str, Any]:
    return BASKET | {"items": [ITEM | {"params": ITEM["params"] | change}]}


async def test_an_alert_is_created_shown_modified_and_deleted() -> None:
    async with serving() as served:
        world = World(served)
        created = await world.raw("POST", "/alerts", data=ALERT)
        path = f"/alerts/{created['uuid']}"
        shown = await world.raw("GET", path)
        modified = await world.raw("PUT", path, data=ALERT | {"rhs_constant": "1600", "operator": "<"})
        listed = await world.raw("GET", "/alerts")
        other = (await world.raw("POST", "/alerts", data=ALERT))["uuid"]
        deleted = await world.raw("DELETE", "/alerts", params=[("uuid", created["uuid"]), ("uuid", other)])
        after = await world.raw("GET", "/alerts")

    assert created == shown
    assert (created["status"], created["alert_count"], created["rhs_constant"]) == ("enabled", 0, 1520.5)
    assert (modified["operator"], modified["rhs_constant"]) == ("<", 1600)
    assert listed == [modified]
    assert (deleted, after) == (None, [])


async def test_history_tells_what_was_seen() -> None:
    async with serving() as served:
        world = World(served)
        uuid = (await world.raw("POST", "/alerts", data=ALERT))["uuid"]
        before = await world.raw("GET", f"/alerts/{uuid}/history")
        world.tick("1520.50")
        (line,) = await world.raw("GET", f"/alerts/{uuid}/history")
        shown = await world.raw("GET", f"/alerts/{uuid}")

    assert before == []
    assert (shown["status"], shown["alert_count"]) == ("disabled", 1)
    assert line["condition"] == 'LastTradedPrice("NSE:INFY") >= 1520.5'
    assert (line["created_at"], line["order_meta"]) == ("2026-11-23 10:00:00", None)
    assert [sight["last_price"] for sight in line["meta"]] == [1520.5]


async def test_an_ato_places_its_basket() -> None:
    async with serving() as served:
        world = World(served)
        form = ALERT | {"type": "ato", "basket": json.dumps(BASKET)}
        uuid = (await world.raw("POST", "/alerts", data=form))["uuid"]
        shown = await world.raw("GET", f"/alerts/{uuid}")
        world.tick(1521)
        (order,) = await world.do(world.kite.orders)
        (line,) = await world.raw("GET", f"/alerts/{uuid}/history")

    assert shown["basket"]["items"][0]["params"]["price"] == 1520.5
    assert (order["status"], order["tag"], order["quantity"]) == ("COMPLETE", "DEAR", 5)
    assert [one["order_id"] for one in line["order_meta"]] == [order["order_id"]]


async def test_an_index_is_found_by_the_word_indices_and_by_its_exchange() -> None:
    async with serving() as served:
        world = World(served)
        for exchange in ("INDICES", "NSE"):
            index = {"lhs_exchange": exchange, "lhs_tradingsymbol": "NIFTY 50", "rhs_constant": "1510"}
            shown = await world.raw("POST", "/alerts", data=ALERT | index)
            assert shown["lhs_exchange"] == exchange
        served.tick(quote_of(served.desk.market.by_key("NSE:NIFTY 50"), 1510))  # type: ignore[arg-type]

        assert [one["alert_count"] for one in await world.raw("GET", "/alerts")] == [1, 1]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": ""}, "Missing or empty field `name`"),
        ({"name": "x" * 101}, "Invalid `name`."),
        ({"type": "loud"}, "Invalid `type`."),
        ({"lhs_tradingsymbol": "NOPE"}, "Invalid `lhs_tradingsymbol`."),
        ({"lhs_exchange": "INDICES"}, "Invalid `lhs_tradingsymbol`."),
        ({"lhs_attribute": "Mood"}, "Invalid `lhs_attribute`."),
        ({"operator": "!="}, "Invalid `operator`."),
        ({"rhs_type": "feeling"}, "Invalid `rhs_type`."),
        ({"rhs_constant": ""}, "Missing or empty field `rhs_constant`"),
        ({"rhs_constant": "NaN"}, "Invalid `rhs_constant`."),
        ({"rhs_constant": "1e99"}, "Invalid `rhs_constant`."),
        ({"rhs_type": "instrument"}, "Missing or empty field `rhs_exchange`"),
        ({"type": "ato"}, "Missing or empty field `basket`"),
        ({"type": "ato", "basket": "{"}, "Invalid `basket`. It should be JSON."),
        ({"type": "ato", "basket": '{"items": []}'}, "Invalid `basket`. It should have 1 to 20 orders."),
        ({"type": "ato", "basket": json.dumps({"items": [ITEM] * 21})}, "Invalid `basket`. It should have 1 to 20"),
        ({"type": "ato", "basket": '{"items": [1]}'}, "Invalid `basket`."),
        ({"type": "ato", "basket": json.dumps({"items": [ITEM | {"params": None}]})}, "Invalid `params`."),
        ({"type": "ato", "basket": json.dumps(with_params(quantity=0))}, "Invalid `quantity`."),
        ({"type": "ato", "basket": json.dumps(with_params(variety="amo"))}, "Invalid `variety`."),
        ({"type": "ato", "basket": json.dumps(with_params(tags=["x" * 21]))}, "Invalid `tags`."),
        ({"type": "ato", "basket": json.dumps(with_params(gtt={"target": 5}))}, "Invalid `gtt`."),
        ({"type": "ato", "basket": json.dumps(with_params(market_protection=101))}, "Invalid `market_protection`."),
    ],
)
async def test_a_bad_alert_is_refused_in_kites_shape(change: dict[str, str], words: str) -> None:
    async with serving() as served:
        world = World(served)
        await world.raw("POST", "/alerts", data=ALERT | change)
        reply = world.answers[-1]

        assert (reply.status_code, reply.json()["error_type"]) == (400, "InputException")
        assert reply.json()["message"].startswith(words)
        assert await world.raw("GET", "/alerts") == []


async def test_an_unknown_alert_and_somebody_elses_are_not_found() -> None:
    async with serving() as served:
        world = World(served)
        uuid = (await world.raw("POST", "/alerts", data=ALERT))["uuid"]
        charlie = World(served, "AB1003")
        for method, path, who in (
            ("GET", "/alerts/nobody", world),
            ("GET", f"/alerts/{uuid}", charlie),
            ("GET", f"/alerts/{uuid}/history", charlie),
            ("PUT", f"/alerts/{uuid}", charlie),
            ("DELETE", f"/alerts?uuid={uuid}", charlie),
        ):
            await who.raw(method, path, **({"data": ALERT} if method == "PUT" else {}))
            assert who.answers[-1].status_code == 404
            assert who.answers[-1].json()["message"] == "Alert not found."
        assert await charlie.raw("GET", "/alerts") == []
