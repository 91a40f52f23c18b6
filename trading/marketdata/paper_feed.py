"""The feed's packets on to a paper exchange (docs/exchange/live-paper.md), beside the real ticks and never before them.

`put` only notes each instrument's newest packet; a task of its own sends them. A slow, absent or broken paper exchange
costs it prices, never the real ticks a moment: nothing here is waited for, and what waits is one packet an instrument.
"""

import asyncio
import logging
import random
import struct
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

import aiohttp

from trading.domain.backoff import Backoff
from trading.domain.instruments import Instrument
from trading.domain.timezone import ist_day
from trading.ports import Clock

logger = logging.getLogger(__name__)

BEAT_S = 1.0
"""An empty message after so much silence: the paper exchange hears the time."""
TAKES_WITHIN_S = 5.0
"""A paper exchange that takes no message for so long is connected to anew."""
SAYS_WHY_WITHIN_S = 0.5
RETRY = Backoff(first_s=0.2, most_s=5.0)

Packet = tuple[int, bytes]
"""An instrument's token, and its packet as the broker sent it."""
FindInstruments = Callable[[Iterable[int]], Awaitable[Sequence[Instrument]]]

_TIME, _SHORT = struct.Struct(">Q"), struct.Struct(">H")
MOST_A_FRAME = 4000


class PaperFeed:
    """One paper exchange's feeder. `url` is its control port's address, `find` reads instruments by token."""

    def __init__(self, url: str, clock: Clock, *, find: FindInstruments, retry: Backoff = RETRY) -> None:
        self._url = f"{url.rstrip('/')}/prices"
        self._clock = clock
        self._find = find
        self._retry = retry
        self._newest: dict[int, bytes] = {}
        self._moved: dict[int, None] = {}
        self._wanted: frozenset[int] = frozenset()
        self._named: frozenset[int] = frozenset()
        self._more = asyncio.Event()

    def put(self, packets: Iterable[Packet]) -> None:
        """Note packets; the newest of each token counts. Never waits, never raises."""
        for token, packet in packets:
            self._newest[token] = packet
            self._moved[token] = None
        self._more.set()

    def want(self, tokens: Iterable[int]) -> None:
        """Say what the feed brings now; what it brings no more is forgotten."""
        wanted = frozenset(tokens)
        if wanted == self._wanted:
            return
        self._wanted = wanted
        self._newest = {token: packet for token, packet in self._newest.items() if token in wanted}
        self._moved = {token: None for token in self._moved if token in wanted}
        self._more.set()

    async def run(self) -> None:
        """Feed until cancelled, whatever happens on the other side."""
        failures = 0
        while True:
            began = self._clock.monotonic()
            try:
                await self._feed()
            except Exception as error:
                if failures == 0:
                    logger.warning("the paper exchange gets no prices: %s", _words(error))
            lasted = self._clock.monotonic() - began
            failures = 1 if lasted > self._retry.most_s else failures + 1
            await self._clock.sleep(self._retry.wait_s(failures, random.random()))  # noqa: S311 (jitter)

    async def _feed(self) -> None:
        async with aiohttp.ClientSession() as session, session.ws_connect(self._url, heartbeat=10) as socket:
            reading = asyncio.create_task(_read_to_the_end(socket))
            sending = asyncio.create_task(self._send_all(socket))
            try:
                await asyncio.wait({reading, sending}, return_when=asyncio.FIRST_COMPLETED)
                await asyncio.wait({reading}, timeout=SAYS_WHY_WITHIN_S)  # its words say more than a failed write
                for task in (reading, sending):
                    if task.done():
                        task.result()
            finally:
                for task in (reading, sending):
                    task.cancel()
                await asyncio.gather(reading, sending, return_exceptions=True)

    async def _send_all(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._named = frozenset()
        await self._introduce(socket)
        self._moved = dict.fromkeys(self._newest)
        while True:
            if self._wanted != self._named:
                await self._introduce(socket)
            moved, self._moved = list(self._moved), {}
            self._more.clear()
            await self._send(socket, [self._newest[token] for token in moved if token in self._newest])
            try:
                async with asyncio.timeout(BEAT_S):
                    await self._more.wait()
            except TimeoutError:
                continue

    async def _introduce(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        """Name the day and every instrument."""
        wanted = self._wanted
        rows = [_row(one) for one in await self._find(wanted)]
        now = self._clock.now()
        day = ist_day(now).isoformat()
        async with asyncio.timeout(TAKES_WITHIN_S):
            await socket.send_json({"day": day, "now_ms": _ms(now), "instruments": rows})
        self._named = wanted
        logger.info("the paper exchange gets the prices of %d instruments", len(rows))

    async def _send(self, socket: aiohttp.ClientWebSocketResponse, packets: Sequence[bytes]) -> None:
        for start in range(0, max(1, len(packets)), MOST_A_FRAME):
            part = packets[start : start + MOST_A_FRAME]
            body = b"".join(_SHORT.pack(len(one)) + one for one in part)
            async with asyncio.timeout(TAKES_WITHIN_S):
                await socket.send_bytes(_TIME.pack(_ms(self._clock.now())) + _SHORT.pack(len(part)) + body)


async def _read_to_the_end(socket: aiohttp.ClientWebSocketResponse) -> None:
    """Read until the other side hangs up. Raises ConnectionError with its reason."""
    message = await socket.receive()
    while message.type not in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR):
        message = await socket.receive()
    raise ConnectionError(f"it hung up ({message.extra or 'without a word'})")


def _row(one: Instrument) -> dict[str, Any]:
    return {
        "exchange": one.exchange,
        "tradingsymbol": one.tradingsymbol,
        "token": one.token,
        "tick_size": str(one.tick_size),
        "lot_size": one.lot_size,
        "instrument_type": one.instrument_type.value,
        "segment": one.segment,
        "name": one.name,
        "expiry": one.expiry.isoformat() if one.expiry else None,
        "strike": str(one.strike),
        "has_derivatives": one.has_derivatives,
    }


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def _words(error: Exception) -> str:
    return str(error) or type(error).__name__
