"""The named faults that need a whole running exchange: bent prices, and a feed of somebody else."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest
import requests
from kiteconnect import KiteConnect

from tests.exchange.kite.samples import MARKET
from tests.exchange.running import Running

ORDER = MARKET | {"tradingsymbol": "RELIANCE"}
KEY = "NSE:RELIANCE"


async def placed(market: Running, **more: Any) -> str:
    return str(await asyncio.to_thread(lambda: market.kite().place_order(**ORDER | more)))


async def row_of(market: Running, order_id: str) -> dict[str, Any]:
    rows = await asyncio.to_thread(market.kite().orders)
    return next(dict(row) for row in rows if row["order_id"] == order_id)


async def quote(market: Running) -> dict[str, Any]:
    await asyncio.sleep(1.05)  # the limit is one a second
    return dict((await asyncio.to_thread(market.kite().quote, KEY))[KEY])


async def a_client_that_checks_certificates_is_not_taken_in(market: Running) -> None:
    _, answer = await market.ask("POST", "/faults", {"preset": "F10"})
    places = answer["impostor"]
    user = next(one for one in market.info["users"] if one["user_id"] == "AB1001")
    kite = KiteConnect(user["api_key"], user["access_token"], root=places["rest"])
    with pytest.raises(requests.exceptions.SSLError, match="self-signed certificate"):
        await asyncio.to_thread(kite.profile)
    url = f"{places['ws']}/?api_key={user['api_key']}&access_token={user['access_token']}"
    async with aiohttp.ClientSession() as http:
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await http.ws_connect(url)
        async with http.ws_connect(url, ssl=False) as ws:
            await ws.send_json({"a": "subscribe", "v": [738561]})
            assert len((await ws.receive(timeout=30)).data) > 1
    _, answer = await market.ask("DELETE", "/faults?script=F10")
    assert answer["impostor"] == {}
    with pytest.raises(requests.exceptions.ConnectionError, match="refused"):
        await asyncio.to_thread(kite.profile)


async def the_instrument_is_locked_at_its_circuit_and_nobody_buys(market: Running) -> None:
    await market.go_to("09:20:00")
    held = await placed(market)
    await market.go_to("09:20:10")
    assert (await row_of(market, held))["status"] == "COMPLETE"
    true = (await quote(market))["last_price"]
    status, _ = await market.ask("POST", "/faults", {"preset": "F22", "instrument": KEY, "at": {"until": "09:22"}})
    assert status == 200
    await market.go_to("09:20:20")
    locked = await quote(market)
    assert locked["last_price"] == locked["lower_circuit_limit"] < true
    assert [level["quantity"] for level in locked["depth"]["buy"]] == [0] * 5
    assert locked["depth"]["sell"][0]["price"] == locked["lower_circuit_limit"]
    exit_id = await placed(
        market, transaction_type="SELL", order_type="LIMIT", price=locked["last_price"], market_protection=None
    )
    await market.go_to("09:21:59")
    row = await row_of(market, exit_id)
    assert (row["status"], row["filled_quantity"]) == ("OPEN", 0)
    await market.go_to("09:22:30")
    assert (await row_of(market, exit_id))["status"] == "COMPLETE"
    assert (await quote(market))["last_price"] > locked["lower_circuit_limit"]


async def a_protected_market_order_rests_while_the_price_runs(market: Running) -> None:
    await market.go_to("09:20:00")
    true = (await quote(market))["last_price"]
    await market.ask("POST", "/faults", {"preset": "F23", "instrument": KEY, "user_id": "AB1001"})
    order_id = await placed(market)
    await market.go_to("09:20:30")
    row = await row_of(market, order_id)
    assert (row["status"], row["order_type"], row["filled_quantity"]) == ("OPEN", "LIMIT", 0)
    assert (await quote(market))["last_price"] > true * 1.02 > row["price"] * 0.99


MARKET_SCENARIOS: dict[str, Callable[[Running], Awaitable[None]]] = {
    "F10": a_client_that_checks_certificates_is_not_taken_in,
    "F22": the_instrument_is_locked_at_its_circuit_and_nobody_buys,
    "F23": a_protected_market_order_rests_while_the_price_runs,
}
