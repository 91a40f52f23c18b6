"""The Kite face of a fake market on loopback, and the unmodified SDK in front of it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from kiteconnect import KiteConnect

from tests.exchange.fakes import Desk
from trading.exchange.faults import Faults
from trading.exchange.faults.scripts import parse_wish
from trading.exchange.kite import KiteFace


class Served:
    """One running face. Orders are matched at once, as the clock does when nobody holds the market."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.faults = Faults(now_ms=desk.times.now_ms, monotonic=desk.times.monotonic)
        self.face = KiteFace(desk.venue, self.faults, monotonic=desk.times.monotonic)
        self.rest = ""
        self.ws = ""

    def set(self, wish: Any) -> None:
        """Put a rule, a script or a preset in force, as the control port does."""
        self.faults.enforce(parse_wish(wish, self.faults.scripts()))
        self.face.look()

    def match_soon(self) -> None:
        asyncio.get_running_loop().call_soon(self.desk.venue.match_pending)

    def kite(self, user_id: str = "AB1001", **options: Any) -> KiteConnect:
        """Give the SDK with a valid token."""
        user = self.desk.venue.users[user_id]
        return KiteConnect(user.api_key, self.desk.venue.issue_token(user_id), root=self.rest, **options)

    async def call(self, method: Callable[..., Any], *arguments: Any, **words: Any) -> Any:
        """Call the blocking SDK from the loop, a second of wire time after the last call."""
        self.desk.times.wire_s += 1
        return await asyncio.to_thread(method, *arguments, **words)

    def tick(self, quote: Any) -> None:
        """Move one price as the market clock does: frames first, then resting orders."""
        quote = self.desk.market.put(quote)
        self.face.send_ticks([quote])
        self.desk.venue.on_quotes([quote])


@asynccontextmanager
async def serving(desk: Desk | None = None) -> AsyncIterator[Served]:
    """Serve REST and ticker on free ports."""
    served = Served(desk or Desk())
    served.desk.venue.wake = served.match_soon
    served.desk.venue.writing.later = asyncio.get_running_loop().call_soon
    runners = []
    for app in (served.face.rest_app(), served.face.ticker_app()):
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        runners.append(runner)
    served.rest, served.ws = (
        f"{scheme}://127.0.0.1:{runner.addresses[0][1]}" for scheme, runner in zip(("http", "ws"), runners, strict=True)
    )
    task = asyncio.create_task(served.face.run())
    try:
        yield served
    finally:
        task.cancel()
        for runner in runners:
            await runner.cleanup()
