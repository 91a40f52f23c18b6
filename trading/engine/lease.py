"""The right to speak for a shard. Judged by a counter that moves and by wire time, never by time stamps."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import date
from typing import TypeVar

from trading.domain.errors import ConfigurationError, StoreUnavailable
from trading.domain.timezone import ist_day
from trading.engine.crash_points import crash_at
from trading.engine.deps import EngineDeps
from trading.engine.stand_in import OutageWatch
from trading.engine.tools import STORE_ANSWERS_WITHIN_S, Way
from trading.engine.waiting_words import WaitingWords, why_waiting
from trading.engine.work import first_of, within
from trading.ports import LeaseView, build_of

logger = logging.getLogger(__name__)

T = TypeVar("T")

RENEWS_EVERY_S = 0.5
STOPS_AFTER_S = 2.0
"""A holder sends nothing this long after its last good renewal; an observer waits longer than that."""
TAKES_OVER_AFTER_S = 3.0
JOURNAL_AFTER_S = 3.0
"""The database has not answered a holder for so long: exits go by the exit journal, and nothing else goes."""
STOOD_STILL_S = 1.5
"""A holder that did not look for so long was stopped itself; what it knew before proves nothing any more."""
YIELDS_FOR_S = 10.0
"""An engine that stood down takes the lease again when nobody did within this time."""
SEEN_MOVING_S = 1.0
STANDBY_PREFIX = "standby:"


class LeaseKeeper:
    """Waits for the lease, renews it, and knows whether this process may send.

    A standby waits until the counter stood still before its own eyes; an engine also takes the lease over
    from a standby at once, because a standby only exits. While the database is away a standby that `can_stand_in`
    (it knows the day) may act without the lease, by the exit journal alone; see `stand_in`.
    """

    def __init__(self, deps: EngineDeps, *, standby: bool, can_stand_in: Callable[[], bool] = lambda: False) -> None:
        self._deps = deps
        self._is_standby = standby
        self._name = f"{STANDBY_PREFIX if standby else ''}{deps.holder}"
        self._epoch = 0
        self._last_good = self._silent_since = self._looked_at = float("-inf")
        self._is_lost = True
        self._seen: LeaseView | None = None
        self._still_since = 0.0
        self._stood_down_on: date | None = None
        self._yields_until = float("-inf")
        self._words = ""
        self._waiting = WaitingWords(deps, self._name)
        self._can_stand_in = can_stand_in
        self._outage = OutageWatch(deps)
        self._stands_in = False
        self._left_behind: LeaseView | None = None
        """What the row must still be, after an outage, for the lease to be taken at once."""
        self.lost_reason = ""
        self.gone = asyncio.Event()

    # -- SendRight ---------------------------------------------------------------------------------------------

    @property
    def epoch(self) -> int:
        """The epoch under which orders are claimed."""
        return self._epoch

    @property
    def may_enter(self) -> bool:
        """A standby only exits."""
        return not self._is_standby

    def may_send(self) -> bool:
        """True while the last good renewal is young enough."""
        return not self._is_lost and self._deps.clock.monotonic() - self._last_good < STOPS_AFTER_S

    def way(self) -> Way:
        """Say how an exit may leave now. See `Way`."""
        if self._is_lost:
            return Way.NONE
        if self.may_send():
            return Way.STORE
        now = self._deps.clock.monotonic()
        is_awake = now - self._looked_at < STOOD_STILL_S
        return Way.JOURNAL if is_awake and now - self._silent_since >= JOURNAL_AFTER_S else Way.NOT_YET

    def lost(self, reason: str) -> None:
        """Somebody else has the lease: send nothing any more."""
        if not self._is_lost:
            self._is_lost, self.lost_reason = True, reason
            self.gone.set()
            logger.warning("the lease of %s was lost: %s", self._deps.shard, reason)

    def stand_down(self, reason: str) -> None:
        """Let the counter stand, so that the standby takes over, and do not take the lease back from it today."""
        clock = self._deps.clock
        self._stood_down_on, self._yields_until = ist_day(clock.now()), clock.monotonic() + YIELDS_FOR_S
        self.lost(reason)

    # -- waiting and holding -----------------------------------------------------------------------------------

    @property
    def is_waiting(self) -> bool:
        """True while somebody else speaks for the shard, or nobody."""
        return self._is_lost

    @property
    def stands_in(self) -> bool:
        """True while this standby acts without the lease, because the database is away and the holder is dead."""
        return self._stands_in and not self._is_lost

    @property
    def holds_market(self) -> bool:
        """While waiting: true when a market that can wait should, because nobody is seen to work on it.

        A standby that never saw a holder has nobody to replace and does not hold the market up.
        """
        if not self._is_lost:
            return True
        seen = self._seen
        is_moving = self._deps.clock.monotonic() - self._still_since < SEEN_MOVING_S
        if seen is not None and seen.holder and is_moving:
            return False
        return seen is not None or not self._is_standby

    async def acquire(self) -> None:
        """Return once the lease is ours, or once a standby has to act without it."""
        left, self._left_behind = self._left_behind, None
        self._seen, self._still_since = left, self._deps.clock.monotonic() if left is None else float("-inf")
        self._stands_in, is_first_look = False, left is None
        while not await self._try(is_first_look=is_first_look):
            is_first_look = False
            await self._waiting.tell(self._words, is_away=self._outage.is_on)
            await self._deps.clock.sleep(RENEWS_EVERY_S)
        if not self._stands_in:
            await self._waiting.done()

    async def _try(self, *, is_first_look: bool) -> bool:
        clock = self._deps.clock
        asked_at = clock.monotonic()
        try:
            view = await self._within(self._deps.leases.observe(self._deps.shard))
            if view != self._seen or is_first_look:
                self._seen, self._still_since = view, clock.monotonic()
                self._outage.over()
            is_of_another_build = self._is_of_another_build(view)
            self._words = why_waiting(self._deps.shard, view, is_of_another_build=is_of_another_build)
            if not self._is_free(view) or is_of_another_build:
                if self._outage.is_on:
                    await self._outage.why_not(view)  # it reads and may not take anything: the holder is watched on
                return False
            epoch = await self._within(self._deps.leases.acquire(self._deps.shard, self._name, seen=view))
        except ConfigurationError as error:
            self._words = f"refuses to trade: {error}"
            return False
        except StoreUnavailable as error:
            self._words = f"waits for the database: {error}"
            self._still_since = clock.monotonic()  # nobody was seen to stand still meanwhile
            return await self._try_to_stand_in()
        self._outage.over()
        if epoch is None:
            return False
        crash_at("lease_taken")
        self._hold(epoch, last_good=asked_at, silent_since=clock.monotonic())
        logger.info("%s holds the lease of %s with epoch %s", self._name, self._deps.shard, epoch)
        return True

    def _hold(self, epoch: int, *, last_good: float, silent_since: float) -> None:
        self._epoch, self._last_good, self._is_lost = epoch, last_good, False
        self._silent_since, self._looked_at = silent_since, self._deps.clock.monotonic()
        self.gone.clear()

    async def _within(self, asked: Awaitable[T]) -> T:
        return await within(self._deps.clock, STORE_ANSWERS_WITHIN_S, asked)

    # -- without the database ----------------------------------------------------------------------------------

    async def _try_to_stand_in(self) -> bool:
        """Act in the place of a dead holder, by the exit journal alone, where that is sure to be right."""
        seen = self._seen
        why_not = await self._outage.why_not(seen)
        if not self._is_standby or seen is None:
            return False
        if self._is_of_another_build(seen):
            why_not = "the holder is of another build"
        elif not self._can_stand_in():
            why_not = "this standby has no copy of the day"
        if why_not:
            self._words += f"; it does not stand in: {why_not}"
            return False
        self._stands_in = True
        self._hold(seen.epoch, last_good=float("-inf"), silent_since=self._outage.since)
        logger.error("%s stands in for %s without the lease: the database is away", self._name, seen.holder)
        return True

    async def _come_home(self) -> None:
        """Take the lease once the database can be written to. Raises StoreUnavailable while it cannot."""
        seen, leases, shard = self._seen, self._deps.leases, self._deps.shard
        view, epoch = await leases.observe(shard), None
        if seen is not None and view == seen:
            epoch = await leases.acquire(shard, self._name, seen=seen)
        if seen is not None and epoch is not None:
            self._left_behind = LeaseView(epoch, self._name, seen.counter + 1)
        elif view is not None and view.holder == self._name:  # a question of ours that was answered too late
            self._left_behind = view
        self._outage.over()
        self.lost("the database is back: the day is read anew")

    def _is_of_another_build(self, view: LeaseView | None) -> bool:
        """Say whether this is a standby of other code than the holder's: it must not go on with what it does not know.

        An engine may: it is how a build follows another, once that one was stopped.
        """
        return self._is_standby and view is not None and view.build != build_of(self._name)

    def _is_free(self, view: LeaseView | None) -> bool:
        clock = self._deps.clock
        stood_still = clock.monotonic() - self._still_since >= TAKES_OVER_AFTER_S
        if self._stood_down_on == ist_day(clock.now()):
            return stood_still and clock.monotonic() >= self._yields_until
        if self._is_standby:
            return view is not None and stood_still
        is_unheld = view is None or not view.holder
        return is_unheld or stood_still or (view is not None and view.holder.startswith(STANDBY_PREFIX))

    async def keep(self) -> None:
        """Renew until the lease is lost, and notice whether the database answers and whether we stood still."""
        renewing: asyncio.Task[None] | None = None
        beating: asyncio.Task[None] | None = None
        try:
            while not self._is_lost:
                if renewing is None or renewing.done():
                    renewing = asyncio.create_task(self._renew(), name="renew")
                if beating is None or beating.done():
                    beating = asyncio.create_task(self._beat(), name="pulse")
                await first_of(_ended(renewing), self._deps.clock.sleep(RENEWS_EVERY_S))
                self._look()
                if renewing.done() and not self._is_lost:
                    await self._deps.clock.sleep(RENEWS_EVERY_S)
                    self._look()
        finally:
            for task in (renewing, beating):
                if task is not None:
                    task.cancel()

    async def _beat(self) -> None:
        """Give a sign of life that needs no database."""
        if self._deps.pulse is not None:
            await self._deps.pulse.beat(self._deps.shard, self._name, self._epoch)

    def _look(self) -> None:
        now = self._deps.clock.monotonic()
        if now - self._looked_at >= STOOD_STILL_S:
            self._silent_since = now
        self._looked_at = now

    async def _renew(self) -> None:
        asked_at = self._deps.clock.monotonic()
        try:
            if self._stands_in:
                await self._come_home()
                return
            is_ours = await self._deps.leases.renew(self._deps.shard, self._epoch)
        except StoreUnavailable as error:
            logger.warning("the lease was not renewed: %s", error)
            return
        if is_ours:
            self._last_good, self._silent_since = asked_at, self._deps.clock.monotonic()
        else:
            self.lost("another process took it over")

    async def release(self) -> None:
        """Give the lease back on a clean stop."""
        if self._is_lost:
            return
        self._is_lost = True
        if self._stands_in:
            return
        try:
            await self._deps.leases.release(self._deps.shard, self._epoch)
        except StoreUnavailable as error:
            logger.warning("the lease was not released: %s", error)


async def _ended(task: "asyncio.Task[None]") -> None:
    await asyncio.wait([task])
