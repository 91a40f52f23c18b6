"""A market participant for a synchronous process: Beat. The web socket lives in a thread of its own."""

import asyncio
import threading
from concurrent.futures import Future
from datetime import datetime

from trading.clock.live import LiveClock
from trading.clock.simulated import MarketParticipant
from trading.ports import MarketRound


class ThreadedParticipant(LiveClock):
    """Market time and answers, callable from one synchronous thread.

    `start` returns once market time is known. Answers are sent in the background; one that is
    lost with the connection is asked for again by the exchange.
    """

    def __init__(self, control_url: str, *, name: str, role: str) -> None:
        self._participant = MarketParticipant(control_url, name=name, role=role)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"market-{name}", daemon=True)
        self._latest: MarketRound | None = None
        self._following: Future[None] | None = None

    def start(self) -> None:
        """Connect and wait for market time; for ever when no exchange is there."""
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._participant.start(), self._loop).result()
        self._following = asyncio.run_coroutine_threadsafe(self._follow(), self._loop)

    def now(self) -> datetime:
        """Give market time, aware UTC."""
        return self._participant.now()

    @property
    def latest_round(self) -> MarketRound | None:
        """Give the newest round that was asked about, None before the first."""
        return self._latest

    def answer(self, round_: MarketRound, *, until: datetime) -> None:
        """Say that nothing is left to do before `until`, at which the exchange must stop by."""
        asyncio.run_coroutine_threadsafe(self._participant.answer(round_, next_due=until, until=until), self._loop)

    def busy(self, round_: MarketRound) -> None:
        """Say that work on `round_` goes on."""
        asyncio.run_coroutine_threadsafe(self._participant.busy(round_), self._loop)

    def close(self) -> None:
        """Leave the market and end the thread."""
        if self._following is not None:
            self._following.cancel()
        asyncio.run_coroutine_threadsafe(self._participant.close(), self._loop).result(timeout=5)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=5)
        self._loop.close()

    async def _follow(self) -> None:
        async for round_ in self._participant.rounds():
            self._latest = round_
