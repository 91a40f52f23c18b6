"""The simulated exchange's market time, followed over its control port.

The exchange moves time in steps and asks every participant about each of them (docs/architecture.md,
"Two kinds of time"). A `MarketParticipant` is one such participant and its clock.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import aiohttp

from trading.clock.live import LiveClock
from trading.clock.stepping import step
from trading.ports import MarketRound

logger = logging.getLogger(__name__)

RECONNECT_S = 0.2


def from_epoch_ms(epoch_ms: int) -> datetime:
    """Give aware UTC for the control port's milliseconds."""
    return datetime.fromtimestamp(epoch_ms / 1000, UTC)


def to_epoch_ms(moment: datetime) -> int:
    """Give the control port's milliseconds for an aware moment."""
    return round(moment.timestamp() * 1000)


class MarketParticipant(LiveClock):
    """One participant of a market that may wait: clock and answers on one web socket.

    Wire time stays the machine's; market time is what the last round said. While the exchange
    cannot be reached market time stands still, and `rounds` goes on when it is back.
    """

    def __init__(self, control_url: str, *, name: str, role: str) -> None:
        self._url = f"{control_url.rstrip('/')}/participate?name={name}&role={role}"
        self._now: datetime | None = None
        self._rounds: asyncio.Queue[MarketRound] = asyncio.Queue()
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._task: asyncio.Task[None] | None = None
        self._moved = asyncio.Event()
        self._last_asked: tuple[int, int] | None = None

    async def start(self) -> None:
        """Connect, and return once market time is known. Waits for ever for an exchange to appear."""
        self._task = asyncio.create_task(self._follow(), name="market-clock")
        while self._now is None:
            await self._next_move()

    async def close(self) -> None:
        """Leave the market and end the background task."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def now(self) -> datetime:
        """Give market time, aware UTC. Raises RuntimeError before `start`."""
        if self._now is None:
            raise RuntimeError("market time was asked for before the exchange told it; await start() first")
        return self._now + step()

    async def sleep_until(self, moment: datetime) -> None:
        """Return once market time is at or past `moment`."""
        while self.now() < moment:
            await self._next_move()

    async def rounds(self) -> AsyncIterator[MarketRound]:
        """Yield each round once a connection, in order; a new connection asks its present round again."""
        while True:
            yield await self._rounds.get()

    async def answer(
        self, round_: MarketRound, *, next_due: datetime | None = None, until: datetime | None = None
    ) -> None:
        """Say that everything up to `round_` is done.

        `next_due` names a market moment at which the exchange must stop by; `until` answers every
        step before that moment in advance.
        """
        await self._send(
            {
                "type": "done",
                "step": round_.step,
                "round": round_.round,
                "due_ms": None if next_due is None else to_epoch_ms(next_due),
                "until_ms": None if until is None else to_epoch_ms(until),
            }
        )

    async def busy(self, round_: MarketRound) -> None:
        """Say that work on `round_` goes on; takes an answer already given back."""
        await self._send({"type": "busy", "step": round_.step, "round": round_.round})

    async def _send(self, message: dict[str, Any]) -> None:
        socket = self._socket
        if socket is None or socket.closed:
            return  # the exchange asks again when it is back
        try:
            await socket.send_json(message)
        except (ConnectionError, aiohttp.ClientError):
            logger.info("the exchange's control port went away while answering")

    async def _follow(self) -> None:
        async with aiohttp.ClientSession() as session:
            while True:
                try:
                    async with session.ws_connect(self._url, heartbeat=10) as socket:
                        self._socket, self._last_asked = socket, None
                        async for message in socket:
                            if message.type is not aiohttp.WSMsgType.TEXT:
                                break  # the connection broke in the middle of a message
                            self._take(message.json())
                except (aiohttp.ClientError, OSError, TimeoutError):
                    logger.debug("control port not reachable yet")
                self._socket = None
                await asyncio.sleep(RECONNECT_S)

    def _take(self, message: dict[str, Any]) -> None:
        at = from_epoch_ms(message["epoch_ms"])
        self._now = at
        asked = (message["step"], message.get("round", 0))
        if message["type"] == "round" and asked != self._last_asked:
            self._last_asked = asked
            self._rounds.put_nowait(
                MarketRound(
                    step=message["step"],
                    round=message["round"],
                    at=at,
                    has_ticker="ticker" in message["roles"],
                    frames=message["frames"],
                    updates=message["updates"],
                    waits=message["waits"],
                )
            )
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()

    async def _next_move(self) -> None:
        await self._moved.wait()
