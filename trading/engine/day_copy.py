"""What a waiting standby knows of the day, for the case that the database is gone when it is needed.

Read again and again while the database is there, kept in memory only: the accounts' sessions at their brokers are
secrets, and stand on no disk because of this. What happened after the newest copy is told by the exit journals and by
the brokers' own books.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace

from trading.domain.errors import StoreUnavailable
from trading.domain.orders import IntentState
from trading.domain.timezone import ist_day
from trading.engine.deps import EngineDeps
from trading.ports import ControlView, DayBook, StoredIntent

logger = logging.getLogger(__name__)

COPIES_EVERY_S = 5.0
RESTS_TIMES_ITS_WORK = 20
"""However long a copy takes, it may not keep the database busy for more than a twentieth of the time."""


@dataclass(frozen=True, slots=True)
class CopiedDay:
    """The day's book and the control rows of one moment, which lies up to some seconds back."""

    book: DayBook
    control: ControlView


class DayCopy:
    """The newest copy. Every part of it is of one and the same round of reading."""

    def __init__(self, deps: EngineDeps) -> None:
        self._deps = deps
        self._newest: CopiedDay | None = None

    async def run(self, is_wanted: Callable[[], bool]) -> None:
        """Copy for ever, while somebody wants it."""
        while True:
            began = self._deps.clock.monotonic()
            if is_wanted():
                try:
                    await self.refresh()
                except StoreUnavailable as error:
                    logger.info("the copy of the day stays as it is: %s", error)
            took_s = self._deps.clock.monotonic() - began
            await self._deps.clock.sleep(max(COPIES_EVERY_S, RESTS_TIMES_ITS_WORK * took_s))

    async def refresh(self) -> None:
        """Read everything anew. Raises StoreUnavailable; then the copy before stays."""
        day = ist_day(self._deps.clock.now())
        book = await self._deps.store.copy_book(day)
        control = await self._deps.store.control()
        await self._deps.learn_brokers(book.accounts)
        intents = tuple(_may_be_sent(one) for one in book.intents)
        self._newest = CopiedDay(replace(book, intents=intents, is_copy=True), control)

    @property
    def today(self) -> CopiedDay | None:
        """The copy, None where it is of another day or there is none."""
        newest = self._newest
        return newest if newest is not None and newest.book.day == ist_day(self._deps.clock.now()) else None


def _may_be_sent(stored: StoredIntent) -> StoredIntent:
    """Take what was not claimed when it was copied for sent: it may have been, a moment later."""
    return replace(stored, state=IntentState.SENDING) if stored.state is IntentState.NEW else stored
