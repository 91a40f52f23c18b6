"""A whole exchange in the test's own event loop, with its control port at hand."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import aiohttp
from kiteconnect import KiteConnect

from tests.exchange.known_days import ExchangeOfKnownDays
from trading.exchange.days import DayWish
from trading.exchange.server import Exchange, ExchangeOptions

DAY = date(2026, 11, 23)
NOBODY_WISHES = DayWish(None, None, None)


def options(state_dir: Path, **more: Any) -> ExchangeOptions:
    """Give the options of a start on 2026-11-23, seed 1, at full speed."""
    return replace(ExchangeOptions(state_dir, DAY, DayWish(DAY, 1, None), speed=600), **more)


def make(state_dir: Path, **more: Any) -> Exchange:
    """Build an exchange and start nothing."""
    return ExchangeOfKnownDays(options(state_dir, **more), monotonic=time.monotonic)


class Running:
    """An exchange that runs, and calls to its control port."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.info = exchange.info

    def kite(self, user_id: str = "AB1001", **more: Any) -> KiteConnect:
        """Give the SDK with the token of the first line."""
        user = next(one for one in self.info["users"] if one["user_id"] == user_id)
        return KiteConnect(user["api_key"], user["access_token"], root=self.info["rest"], **more)

    async def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Call the control port and give status and JSON."""
        url = f"{self.info['control']}{path}"
        said: Any = {"json": body} if method != "DELETE" else {"headers": {"Content-Type": "application/json"}}
        async with aiohttp.ClientSession() as session, session.request(method, url, **said) as reply:
            return reply.status, await reply.json()

    async def clock(self, **orders: object) -> dict[str, Any]:
        """Give an order to the clock, or none, and its answer."""
        _, answer = await self.ask("POST", "/clock", orders)
        return dict(answer)

    async def go_to(self, moment: str) -> dict[str, Any]:
        """Let the market run until `moment` and wait for it."""
        await self.clock(run_until=moment)
        while not ((now := await self.clock())["held"] or now["finished"]):  # noqa: ASYNC110 (asked over HTTP)
            await asyncio.sleep(0.01)
        return now


@asynccontextmanager
async def running(state_dir: Path, **more: Any) -> AsyncIterator[Running]:
    """Run an exchange that stands at its first moment until the test moves it."""
    exchange = make(state_dir, **more)
    exchange.clock.hold()
    await exchange.start()
    try:
        yield Running(exchange)
    finally:
        await exchange.stop()
