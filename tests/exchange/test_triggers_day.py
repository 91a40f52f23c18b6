"""Triggers and alerts in a running exchange: market time moves them, a stop loses none, days repeat."""

import asyncio
import json
from pathlib import Path
from typing import Any

import requests

from tests.exchange.running import Running, running

LEG = {"transaction_type": "BUY", "order_type": "LIMIT", "product": "CNC"}


def _set(run: Running, *, backwards: bool) -> None:
    """Set two triggers and an alert with an order, all near the price of the open, by the blocking SDK."""
    kite = run.kite()
    price = kite.ltp("NSE:RELIANCE")["NSE:RELIANCE"]["last_price"]
    for share, quantity in ((0.003, 3), (0.004, 4))[:: -1 if backwards else 1]:
        values = [round(price * (1 - share), 1), round(price * (1 + share), 1)]
        legs = [LEG | {"quantity": quantity, "price": round(value * 1.01, 1)} for value in values]
        kite.place_gtt("two-leg", "RELIANCE", "NSE", values, price, legs)
    params = {"transaction_type": "BUY", "product": "MIS", "order_type": "MARKET", "quantity": 2, "tags": ["ATO"]}
    form = {
        "name": "moves",
        "type": "ato",
        "lhs_exchange": "NSE",
        "lhs_tradingsymbol": "RELIANCE",
        "lhs_attribute": "HighPrice",
        "operator": ">=",
        "rhs_type": "constant",
        "rhs_constant": str(price * 1.001),
        "basket": json.dumps({"items": [{"exchange": "NSE", "tradingsymbol": "RELIANCE", "params": params}]}),
    }
    headers = {"Authorization": f"token {kite.api_key}:{kite.access_token}"}
    reply = requests.post(f"{run.info['rest']}/alerts", data=form, headers=headers, timeout=30)
    reply.raise_for_status()


async def _truth(run: Running) -> tuple[str, dict[str, Any]]:
    _, answer = await run.ask("GET", "/ledger/hash")
    _, ledger = await run.ask("GET", "/ledger")
    return str(answer["hash"]), dict(ledger["AB1001"])


async def test_a_morning_with_triggers_is_the_same_unbroken_stopped_in_between_and_set_in_another_order(
    tmp_path: Path,
) -> None:
    async with running(tmp_path / "whole") as run:
        await asyncio.to_thread(_set, run, backwards=False)
        await run.go_to("09:45:00")
        whole, ledger = await _truth(run)
    async with running(tmp_path / "parts") as run:
        await asyncio.to_thread(_set, run, backwards=True)
        await run.go_to("09:15:40")
    async with running(tmp_path / "parts") as run:
        await run.go_to("09:45:00")
        parts, _ = await _truth(run)

    assert [one["status"] for one in ledger["gtt"]] == ["triggered", "triggered"]
    assert [one["status"] for one in ledger["atos"]] == ["disabled"]
    assert {order["status"] for order in ledger["orders"]} == {"COMPLETE"}
    assert sorted(order["quantity"] for order in ledger["orders"]) == [2, 3, 4]
    assert parts == whole


async def test_the_broker_ends_a_trigger_by_the_control_port(tmp_path: Path) -> None:
    async with running(tmp_path) as run:
        await asyncio.to_thread(_set, run, backwards=False)
        first, _ = await asyncio.to_thread(run.kite().get_gtts)
        bad = [
            await run.ask("POST", "/gtt", body)
            for body in ({}, {"trigger_id": 1, "status": "disabled"}, {"trigger_id": first["id"], "status": "active"})
        ]
        done = await run.ask("POST", "/gtt", {"trigger_id": first["id"], "status": "disabled"})
        shown = await asyncio.to_thread(run.kite().get_gtt, first["id"])

    assert [status for status, _ in bad] == [400] * 3
    assert "trigger_id must be a whole number" in bad[0][1]["error"]
    assert "must be an active trigger's" in bad[1][1]["error"]
    assert "status must be one of disabled, cancelled, rejected" in bad[2][1]["error"]
    assert done == (200, {"trigger_id": first["id"], "status": "disabled"})
    assert shown["status"] == "disabled"
