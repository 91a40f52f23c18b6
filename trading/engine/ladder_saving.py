"""A ladder's state, kept in the database: whenever it changed, and only by whoever may speak for the account."""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from trading.domain.errors import StoreUnavailable
from trading.engine.line import PositionLine
from trading.engine.tools import Tools
from trading.ports import LadderRecord

logger = logging.getLogger(__name__)

SAVES_AGAIN_AFTER_S = 5.0


class LadderSaver:
    """Of one ladder. `kept` is the state that the database has or is about to have; `state` gives the present one."""

    def __init__(self, tools: Tools, line: PositionLine, state: Callable[[], Mapping[str, Any] | None]) -> None:
        self.kept: Mapping[str, Any] = {}
        self._tools = tools
        self._line = line
        self._state = state

    def save(self) -> None:
        """Commit the present state when it differs from the last one. Called before any order of it is submitted."""
        snapshot = self._state()
        if snapshot is not None and snapshot != self.kept:
            self.kept = snapshot
            self._tools.spawn(self._store(snapshot), "save ladder")

    async def _store(self, snapshot: Mapping[str, Any]) -> None:
        """Commit. A process that stood still would put an old state over the one of whoever took over from it."""
        try:
            await self._tools.journal.flush()  # a state may never be newer than the log of how it came about
            if snapshot is self.kept:  # else a newer one may have been stored meanwhile, which had no log to wait for
                await self._store_as_holder(snapshot)
        except StoreUnavailable as error:
            logger.warning("the ladder of %s was not saved: %s", self._line.instrument, error)
            self.kept = {}
            self._tools.work.spawn(self._again(), "save ladder again", counts=False)

    async def _store_as_holder(self, snapshot: Mapping[str, Any]) -> None:
        """Ask before, and let the store's transaction ask again: in between another may have taken over."""
        right, place = self._tools.right, (self._line.ref.key, self._line.instrument)
        is_kept = right.may_send() and await self._tools.store.save_ladder(
            self._tools.day, LadderRecord(*place, snapshot), shard=self._tools.deps.shard, epoch=right.epoch
        )
        if not is_kept:
            raise StoreUnavailable("the lease is not ours any more, or not known to be")

    async def _again(self) -> None:
        await self._tools.clock.sleep(SAVES_AGAIN_AFTER_S)
        self.save()
