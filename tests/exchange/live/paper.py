"""An exchange at live prices in the test's own loop, its wall set by hand, and a feeder that sends what a test says."""

import asyncio
import struct
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, time
from pathlib import Path
from time import monotonic
from typing import Any

import aiohttp

from tests.exchange.fakes import DAY, FUTURE, INFY, NIFTY, SBIN, quote_of
from tests.exchange.running import Running
from trading.domain.instruments import Instrument
from trading.domain.timezone import at_ist
from trading.exchange.days import DayWish
from trading.exchange.kite import packets
from trading.exchange.live_server import LiveExchange
from trading.exchange.market.live_rows import row_of
from trading.exchange.market.quotes import Quote
from trading.exchange.server import ExchangeOptions

NOBODY_WISHES = DayWish(None, None, None)
ALL = (INFY, SBIN, NIFTY, FUTURE)
Price = str | int
Levels = tuple[tuple[Price, int], ...]


class Wall:
    """Real time by hand."""

    def __init__(self, moment: time = time(10, 0)) -> None:
        self.now = at_ist(DAY, moment)

    def __call__(self) -> datetime:
        return self.now

    def go_to(self, moment: time) -> None:
        self.now = at_ist(self.now.date(), moment)

    @property
    def ms(self) -> int:
        return int(self.now.timestamp() * 1000)


def full(
    instrument: Instrument, ltp: Price, at_ms: int, *, asks: Levels = (), bids: Levels = (), volume: int = 100_000
) -> bytes:
    """Encode a full packet as the broker sends it."""
    quote: Quote = quote_of(instrument, ltp, asks=asks, bids=bids, at_ms=at_ms)
    return packets.packet(replace(quote, volume=volume), packets.FULL)


def batch(now_ms: int, *some: bytes) -> bytes:
    """Join packets into one message of the way in."""
    return struct.pack(">Q", now_ms) + packets.frame(some)


def hello(wall: Wall, instruments: Sequence[Instrument] = ALL) -> dict[str, Any]:
    """Give a feeder's first message."""
    day = wall.now.date().isoformat()
    return {"day": day, "now_ms": wall.ms, "instruments": [row_of(one) for one in instruments]}


class Paper(Running):
    """A running exchange at live prices."""

    exchange: LiveExchange

    def __init__(self, exchange: LiveExchange, wall: Wall) -> None:
        super().__init__(exchange)
        self.wall = wall
        self.feeder: aiohttp.ClientWebSocketResponse

    async def tell(self, instrument: Instrument, ltp: Price, *, age_s: float = 0, **book: Any) -> None:
        """Send one price of this moment (or of some seconds ago) and wait until it was taken in."""
        before = (await self.clock_now())["feed"]["packets"]
        packet = full(instrument, ltp, self.wall.ms - int(age_s * 1000), **book)
        await self.feeder.send_bytes(batch(self.wall.ms, packet))
        while (await self.clock_now())["feed"]["packets"] == before:  # noqa: ASYNC110 (asked over HTTP)
            await asyncio.sleep(0)
        await self.settle()

    @asynccontextmanager
    async def new_feeder(self) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        """Connect a feeder that has said nothing yet; `tell` uses it from now on."""
        async with aiohttp.ClientSession() as session, session.ws_connect(self.info["prices"]) as feeder:
            self.feeder = feeder
            yield feeder

    async def clock_now(self) -> dict[str, Any]:
        """Give the clock's answer."""
        _, answer = await self.ask("GET", "/clock")
        return dict(answer)

    async def settle(self) -> None:
        """Return when the exchange has looked twice: what it knew has been matched."""
        for _ in range(2):
            looks = self.exchange.stepper.looks
            self.exchange.stepper.stir()
            while self.exchange.stepper.looks == looks:  # noqa: ASYNC110 (it looks in its own task)
                await asyncio.sleep(0)


@asynccontextmanager
async def live(state_dir: Path, wall: Wall | None = None, *, is_fed: bool = True, **more: Any) -> AsyncIterator[Paper]:
    """Run one; with a feeder that has named all instruments unless told otherwise."""
    wall = wall or Wall()
    options = ExchangeOptions(state_dir, wall.now.date(), NOBODY_WISHES, **more)
    exchange = LiveExchange(options, monotonic=monotonic, wall=wall)
    await exchange.start()
    try:
        paper = Paper(exchange, wall)
        if not is_fed:
            yield paper
            return
        async with paper.new_feeder() as feeder:
            await feeder.send_json(hello(wall))
            while not (await paper.clock_now())["feed"]["connected"]:  # noqa: ASYNC110 (asked over HTTP)
                await asyncio.sleep(0)
            yield paper
    finally:
        await exchange.stop()
