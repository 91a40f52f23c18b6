"""Killed while many accounts place orders at once: whatever was answered or told is in the ledger."""

import asyncio
import json
import signal
from pathlib import Path
from typing import Any

import aiohttp

from tests.exchange.test_command import Process, exchange

ACCOUNTS = 40
ORDER = {
    "exchange": "NSE",
    "tradingsymbol": "INFY",
    "transaction_type": "BUY",
    "quantity": "1",
    "product": "MIS",
    "order_type": "MARKET",
    "market_protection": "-1",
}


async def keep_placing(http: aiohttp.ClientSession, market: Process, user: dict[str, str], answered: set[str]) -> None:
    """Place orders until the exchange is gone; note the ids that were answered."""
    headers = {"Authorization": f"token {user['api_key']}:{user['access_token']}"}
    while True:
        try:
            async with http.post(f"{market.info['rest']}/orders/regular", data=ORDER, headers=headers) as reply:
                body = await reply.json()
        except (aiohttp.ClientError, OSError):
            return
        if reply.status == 200:
            answered.add(body["data"]["order_id"])
        await asyncio.sleep(0.11)  # ten a second are the limit of a key


async def keep_listening(http: aiohttp.ClientSession, market: Process, user: dict[str, str], told: set[str]) -> None:
    """Note the ids of the orders that the socket called complete."""
    where = f"{market.info['ws']}/?api_key={user['api_key']}&access_token={user['access_token']}"
    async with http.ws_connect(where) as socket:
        async for message in socket:
            if message.type is aiohttp.WSMsgType.TEXT:
                said: dict[str, Any] = json.loads(message.data)
                if said["type"] == "order" and said["data"]["status"] == "COMPLETE":
                    told.add(said["data"]["order_id"])


async def test_every_order_that_was_answered_or_told_is_there_after_a_kill(tmp_path: Path) -> None:
    answered: set[str] = set()
    told: set[str] = set()
    connector = aiohttp.TCPConnector(limit=0)
    words = ("--state-dir", str(tmp_path), "--accounts", str(ACCOUNTS), "--day", "2026-11-23")
    async with exchange(*words) as market, aiohttp.ClientSession(connector=connector) as http:
        users = market.info["users"][-ACCOUNTS:]
        jobs = [asyncio.create_task(keep_placing(http, market, user, answered)) for user in users]
        jobs += [asyncio.create_task(keep_listening(http, market, user, told)) for user in users[:10]]
        async with asyncio.timeout(240):
            while len(answered) < 400 or len(told) < 50:  # noqa: ASYNC110 (it comes over many sockets)
                await asyncio.sleep(0.01)
        await market.end(signal.SIGKILL)
        await asyncio.gather(*jobs)

    async with exchange("--state-dir", str(tmp_path)) as again:
        await again.control("POST", "/clock", {"hold": True})
        ledger = await again.control("GET", "/ledger")

    kept = {row["order_id"]: row["status"] for account in ledger.values() for row in account["orders"]}
    assert answered <= kept.keys()
    assert {kept[order_id] for order_id in told} == {"COMPLETE"}
