"""Where a session's day comes from: the database, or while that is away the standby's copy and the exit journals.

Only a standby has a copy. What an account's exit journal holds beyond the copy is put into its book, so that an exit
that a dead engine sent is known, is counted, and is not sent a second time.
"""

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import replace

from trading.domain.errors import JournalUnavailable, StoreUnavailable
from trading.domain.exit_journal import JournaledExit, is_news
from trading.engine.day_copy import CopiedDay, DayCopy
from trading.engine.locking import Locking
from trading.engine.outcomes import journal_of
from trading.engine.tools import Tools, Way
from trading.engine.work import first_of
from trading.ports import ControlView, DayBook, StoredIntent

logger = logging.getLogger(__name__)

LOOKS_EVERY_S = 0.5
TRIES_AGAIN_AFTER_S = 1.0


class DaySource:
    """Of one session. `locking` makes sure that nobody else speaks for the accounts whose day is given."""

    def __init__(self, tools: Tools, locking: Locking, copy: DayCopy | None) -> None:
        self._tools = tools
        self._locking = locking
        self._copy = copy

    async def day(self) -> tuple[DayBook, ControlView]:
        """Give book and control rows, with every account locked that can be; tries until there is an answer."""
        while True:
            try:
                return await self.locked_book(), await self.control()
            except StoreUnavailable as error:
                logger.warning("the day cannot be loaded: %s", error)
                await self._tools.clock.sleep(TRIES_AGAIN_AFTER_S)

    async def control(self) -> ControlView:
        """Give the control rows. Raises StoreUnavailable."""
        copied = self._copied()
        return await self._tools.store.control() if copied is None else copied.control

    async def locked_book(self) -> DayBook:
        """Give the day's book as it is once nobody else speaks for its accounts any more. Raises StoreUnavailable."""
        book = await self.book()
        if all(self._locking.is_ours(ref) for ref in book.accounts):
            return book
        await self._locking.lock(book.accounts)
        return await self.book()

    async def book(self) -> DayBook:
        """Give the day's book as it is. Raises StoreUnavailable."""
        reading: asyncio.Task[DayBook] | None = None
        try:
            while (copied := self._copied()) is None:
                reading = reading or asyncio.create_task(self._from_store(), name="load the day")
                await first_of(_ended(reading), self._tools.clock.sleep(LOOKS_EVERY_S))
                if reading.done():
                    return reading.result()
            return await self._with_journals(copied.book)
        finally:
            if reading is not None:
                reading.cancel()

    # -- inside ------------------------------------------------------------------------------------------------

    def _copied(self) -> CopiedDay | None:
        """Give the copy where it is all that there is."""
        return self._copy.today if self._copy is not None and self._tools.right.way() is Way.JOURNAL else None

    async def _from_store(self) -> DayBook:
        book = await self._tools.store.load_book(self._tools.day)
        await self._tools.deps.learn_brokers(book.accounts)
        return book

    async def _with_journals(self, book: DayBook) -> DayBook:
        intents = {stored.intent.tag: stored for stored in book.intents}
        for ref in book.accounts:
            for exit_ in await self._journaled(ref.key):
                intents[exit_.tag] = _stored(exit_, intents.get(exit_.tag))
        return replace(book, intents=tuple(intents.values()))

    async def _journaled(self, account_key: str) -> Iterable[JournaledExit]:
        """Give today's exits that the database does not have; a journal that cannot be read is told by `Locking`."""
        try:
            pending = await journal_of(self._tools).pending(account_key)
        except JournalUnavailable as error:
            logger.error("the exit journal of %s cannot be read: %s", account_key, error)
            return ()
        return [exit_ for exit_ in pending if exit_.intent.key.day == self._tools.day]


def _stored(exit_: JournaledExit, known: StoredIntent | None) -> StoredIntent:
    if known is None:
        return StoredIntent(exit_.intent, exit_.state, decided_at=exit_.decided_at, by_journal=True)
    state = exit_.state if is_news(known.state, exit_.state) else known.state
    sent = exit_.intent if known.order is None else known.intent
    return replace(known, intent=sent, state=state, by_journal=True)


async def _ended(task: "asyncio.Task[DayBook]") -> None:
    await asyncio.wait([task])
