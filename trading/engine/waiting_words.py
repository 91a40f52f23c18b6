"""Why a process waits for the lease, said in the log and on the status page."""

import logging

from trading.domain.errors import StoreUnavailable
from trading.engine.deps import EngineDeps
from trading.engine.work import within
from trading.ports import LeaseView

logger = logging.getLogger(__name__)

TELLS_EVERY_S = 5.0
MAY_TAKE_S = 3.0


class WaitingWords:
    """One process's. Telling is tried; it never fails and never holds anybody up for long."""

    def __init__(self, deps: EngineDeps, name: str) -> None:
        self._deps = deps
        self._name = name
        self._said = ""
        self._told_at = float("-inf")

    async def tell(self, words: str, *, is_away: bool) -> None:
        """Say it when it changed, and every few seconds; while the database `is_away` in the log alone."""
        now = self._deps.clock.monotonic()
        if words == self._said and now - self._told_at < TELLS_EVERY_S:
            return
        if words != self._said:
            logger.warning("%s %s", self._name, words)
        self._said, self._told_at = words, now
        if not is_away:
            await self._announce(words)

    async def done(self) -> None:
        """It waits no more."""
        await self._announce("")

    async def _announce(self, words: str) -> None:
        try:
            await within(self._deps.clock, MAY_TAKE_S, self._deps.leases.announce(self._name, words))
        except StoreUnavailable as error:
            logger.info("the status page was not told: %s", error)


def why_waiting(shard: str, view: LeaseView | None, *, is_of_another_build: bool) -> str:
    """Say what a lease's row means for who waits."""
    if view is None or not view.holder:
        return f"waits: nobody holds {shard}"
    words = f"waits: {shard} is held by {view.holder} with epoch {view.epoch}"
    if is_of_another_build:
        words += "; it is another build, and this standby does not take over from it: start it anew from the same code"
    return words
