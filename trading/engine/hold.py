"""Answers a market that waits for us: busy while work goes on, done when everything up to the round is decided."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any

from trading.engine.lease import LeaseKeeper
from trading.engine.session import Session
from trading.ports import Clock, MarketHold, MarketRound

logger = logging.getLogger(__name__)

BUSY_EVERY_S = 1.0
LOOKS_EVERY_S = 0.05
STANDS_BY_FOR = timedelta(minutes=10)
"""Market time that is answered in advance by who has nothing to decide, so that it need not hear of every step."""


class RoundDesk:
    """Lives as long as the process; the session it speaks for comes and goes with the lease."""

    def __init__(
        self, clock: Clock, hold: MarketHold, keeper: LeaseKeeper, present: Callable[[], Session | None]
    ) -> None:
        self._clock = clock
        self._hold = hold
        self._keeper = keeper
        self._present = present
        self._latest: MarketRound | None = None
        self._deciding = asyncio.Lock()
        self._stands_by = False

    async def run(self) -> None:
        """Answer every round, for ever."""
        async for round_ in self._hold.rounds():
            self._latest = round_
            async with self._deciding:
                try:
                    await self._answer(round_)
                except Exception:
                    logger.exception("round %s of step %s could not be decided", round_.round, round_.step)

    async def watch(self, session: Session) -> None:
        """Take an answer back when work begins outside of a round, and give it again when that is done."""
        work = session.tools.work
        while True:
            if work.is_idle:
                await work.began.wait()
            async with self._deciding:  # what begins while a round is decided belongs to it, unless it outlasts it
                latest = self._latest
                if latest is not None and latest.waits and not work.is_idle:
                    await self._hold.busy(latest)
                    await self._busy_while(latest, session.settle(), session)
                    if self._present() is session:
                        await self._hold.answer(latest, next_due=session.tools.timers.next_due())
                    continue
            if not work.is_idle:
                await self._clock.sleep(LOOKS_EVERY_S)

    async def _answer(self, round_: MarketRound) -> None:
        session = await self._session(round_)
        if session is None:
            self._stands_by = True
            await self._hold.answer(round_, next_due=None, until=round_.at + STANDS_BY_FOR)
            return
        if self._stands_by:
            self._stands_by = False
            await self._hold.busy(round_)
        if not round_.waits:
            session.pass_round()
        else:
            await self._busy_while(round_, session.decide(round_), session)
            if self._present() is session:
                await self._hold.answer(round_, next_due=session.tools.timers.next_due())
            else:
                await self._answer(round_)

    async def _session(self, round_: MarketRound) -> Session | None:
        """Give the session, waiting for it while nobody else is seen to hold the lease."""
        said_at = float("-inf")
        while (session := self._present()) is None and round_.waits and self._keeper.holds_market:
            if self._clock.monotonic() - said_at >= BUSY_EVERY_S:
                said_at = self._clock.monotonic()
                await self._hold.busy(round_)
            await self._clock.sleep(LOOKS_EVERY_S)
        return session

    async def _busy_while(self, round_: MarketRound, work: Coroutine[Any, Any, object], session: Session) -> None:
        task = asyncio.ensure_future(work)
        over = asyncio.ensure_future(session.over.wait())
        try:
            while not (task.done() or over.done()):
                pause = asyncio.ensure_future(self._clock.sleep(BUSY_EVERY_S))
                await asyncio.wait([task, over, pause], return_when=asyncio.FIRST_COMPLETED)
                pause.cancel()
                if not (task.done() or over.done()):
                    await self._hold.busy(round_)
            if task.done():
                task.result()
        finally:
            task.cancel()
            over.cancel()
