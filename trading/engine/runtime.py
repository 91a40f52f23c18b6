"""The strategy process: take the lease, reign over the day, stop cleanly."""

import asyncio
import contextlib
import logging
import signal
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from trading.domain.timezone import ist_day
from trading.engine.day_copy import DayCopy
from trading.engine.deps import EngineDeps
from trading.engine.hold import RoundDesk
from trading.engine.lease import LeaseKeeper
from trading.engine.session import EndOfSession, Session
from trading.engine.tools import BEGINS_AGAIN_AFTER_S
from trading.engine.work import first_of, happened
from trading.ports import TickBatch

logger = logging.getLogger(__name__)

BEGINS_ANEW = frozenset({EndOfSession.NEW_DAY, EndOfSession.NOT_BEGUN})
"""Ends of a session that leave the lease with us."""
FINISHES_WITHIN_S = 2.0
"""Wire seconds that orders on their way get at a clean stop; what is cut off then is looked up by the next start."""

STANDS_IN = "the engine gives no sign of life and the database is away: this standby only exits, by the exit journal"
IS_ANSWERED_WITHIN_S = 1.0
"""Wire seconds that orders on their way get when the database is back; less than a lock's next holder waits."""


async def run_engine(deps: EngineDeps, *, standby: bool = False, stop: asyncio.Event | None = None) -> None:
    """Trade until `stop` is set; without one SIGTERM and SIGINT stop it.

    A standby waits, takes over when the holder's counter stands still before its eyes, and then only exits.
    Clock, stores and feed stay open: whoever made them closes them.
    """
    if stop is None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
    engine = Engine(deps, standby=standby)
    running = asyncio.create_task(engine.run(), name="engine")
    try:
        await first_of(happened(stop), _ended(running))
    finally:
        await engine.stop()
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


class Engine:
    """Waits for the lease, runs a session, and begins again: a new day, or a lease that was lost."""

    def __init__(self, deps: EngineDeps, *, standby: bool = False) -> None:
        self._deps = deps
        self._copy = DayCopy(deps) if standby else None
        self._keeper = LeaseKeeper(deps, standby=standby, can_stand_in=self._knows_the_day)
        self.session: Session | None = None
        self._starting: Session | None = None
        self._is_stopping = False
        self._newest: TickBatch | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._rounds = (
            RoundDesk(deps.clock, deps.hold, self._keeper, lambda: self.session) if deps.hold is not None else None
        )

    async def run(self) -> None:
        """Go on for ever; ends by cancellation."""
        self._keep(self._feed, "feed")
        if self._rounds is not None:
            self._keep(self._rounds.run, "rounds")
        if self._copy is not None:
            self._keep(partial(self._copy.run, lambda: self._keeper.is_waiting), "copy of the day")
        while not self._is_stopping:
            await self._keeper.acquire()
            keeping = asyncio.create_task(self._keeper.keep(), name="lease")
            try:
                while (ended := await self._reign()) in BEGINS_ANEW and not self._is_stopping:
                    logger.info("the day begins: %s", ended)
            finally:
                keeping.cancel()
                await asyncio.gather(keeping, return_exceptions=True)
            await self._deps.locks.release()

    async def stop(self) -> None:
        """Send nothing more, commit what is left to say, and give the lease back."""
        self._is_stopping = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        session = self.session or self._starting
        self.session = self._starting = None
        if session is not None:
            session.end(EndOfSession.STOPPED)
            await first_of(session.tools.work.settled(), self._deps.clock.sleep(FINISHES_WITHIN_S))
            await session.stop()
        await self._deps.locks.release()  # first: whoever gets the lease finds the accounts free
        await self._keeper.release()

    def _knows_the_day(self) -> bool:
        return self._copy is not None and self._copy.today is not None

    async def _reign(self) -> EndOfSession:
        session = Session(self._deps, self._keeper, ist_day(self._deps.clock.now()), self._copy)
        self._starting = session
        if self._keeper.stands_in:
            session.tools.alarm(None, "STANDBY_STANDS_IN", STANDS_IN)
        watching: asyncio.Task[None] | None = None
        starting: asyncio.Task[None] | None = None
        losing = asyncio.create_task(self._end_when_lost(session))
        try:
            if self._newest is not None:
                session.ticks.take(self._newest)
            starting = asyncio.create_task(self._start(session), name="start")
            await first_of(_ended(starting), happened(session.over))
            if not session.over.is_set():
                self.session, self._starting = session, None
                if self._rounds is not None:
                    watching = asyncio.create_task(self._rounds.watch(session), name="watch work")
                await session.over.wait()
        finally:
            self.session = self._starting = None
            for task in (starting, losing, watching):
                if task is not None:
                    task.cancel()
        return await session.stop()

    async def _start(self, session: Session) -> None:
        """Start a session. One that fails to is ended and begun anew: nobody else would, while we hold the lease."""
        try:
            await session.start()
        except Exception as error:
            logger.exception("the day could not be begun and is begun again")
            text = f"the engine could not begin the day and tries again, nothing is watched meanwhile: {error!r}"
            session.tools.alarm(None, "ENGINE_PART_FAILED", text)
            await self._deps.clock.sleep(BEGINS_AGAIN_AFTER_S)
            session.end(EndOfSession.NOT_BEGUN)

    async def _end_when_lost(self, session: Session) -> None:
        was_standing_in = self._keeper.stands_in
        await self._keeper.gone.wait()
        if was_standing_in:  # nobody took it over: what is on its way may be answered
            await first_of(session.tools.work.settled(), self._deps.clock.sleep(IS_ANSWERED_WITHIN_S))
        session.end(EndOfSession.LEASE_LOST)

    async def _feed(self) -> None:
        """Hand every batch of ticks to the session of the moment."""
        async for batch in self._deps.feed.batches():
            self._newest = batch
            session = self.session or self._starting
            if session is not None:
                session.ticks.take(batch)

    def _keep(self, run: Callable[[], Coroutine[Any, Any, None]], name: str) -> None:
        self._tasks.append(asyncio.create_task(self._kept(run, name), name=name))

    async def _kept(self, run: Callable[[], Coroutine[Any, Any, None]], name: str) -> None:
        """Keep a part running for ever: without ticks or rounds nothing would be decided any more."""
        while True:
            try:
                await run()
            except Exception:
                logger.exception("the engine's part %s failed and is begun again", name)
                if self.session is not None:
                    text = f"the engine's part {name} failed and was begun again; see the log"
                    self.session.tools.alarm(None, "ENGINE_PART_FAILED", text)
            await self._deps.clock.sleep(BEGINS_AGAIN_AFTER_S)


async def _ended(task: "asyncio.Task[None]") -> None:
    await asyncio.wait([task])
