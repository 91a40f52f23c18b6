"""The lock file of every account this engine speaks for: taken with the lease, before anything is read or sent.

The lease says who should speak; the lock says that nobody else on this machine still does: whoever was stopped between
its claim and its socket, or is cut off from the database, is ended before the account is touched.
"""

import asyncio
import logging
from collections.abc import Iterable

from trading.domain.errors import JournalUnavailable, StoreUnavailable
from trading.engine.crash_points import crash_at
from trading.engine.outcomes import import_journal
from trading.engine.tools import Tools, Way
from trading.ports import AccountRef

logger = logging.getLogger(__name__)

TRIES_AGAIN_AFTER_S = 1.0
READS_AGAIN = 4
"""Times that an exit journal is read again which cannot be read: an exit of which we know nothing may be doubled."""


class Locking:
    """Takes the locks, and waits for those that another process will not give."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._told: set[str] = set()
        self._home: set[str] = set()
        """Accounts whose exit journal was brought home in this session."""

    async def lock(self, refs: Iterable[AccountRef]) -> None:
        """Try to lock every account, all at once; a person is called for those that stay with somebody else."""
        await asyncio.gather(*(self._lock(ref) for ref in refs))

    def is_ours(self, ref: AccountRef) -> bool:
        """Say whether this process may speak for an account, and its day is known."""
        return ref.key in self._home and self._tools.deps.locks.holds(ref.key)

    async def until_ours(self, ref: AccountRef) -> None:
        """Return once an account is locked by us. Nothing of it is read or sent before."""
        while not self.is_ours(ref):
            await self._tools.clock.sleep(TRIES_AGAIN_AFTER_S)
            try:
                await self._lock(ref)
            except StoreUnavailable as error:
                logger.warning("%s is not taken over yet: %s", ref.key, error)

    async def _lock(self, ref: AccountRef) -> None:
        crash_at("before_lock")
        hinders = await self._tools.deps.locks.take(ref.key, ousts=True)
        crash_at("lock_taken")
        if not hinders:
            await self._bring_home(ref)
        if hinders and ref.key not in self._told:
            self._told.add(ref.key)
            text = f"nothing is sent for {ref.key}: {hinders}. End that process; it is taken over by itself then."
            self._tools.alarm(ref.client_id, "ACCOUNT_LOCKED", text, account=ref.key)
        elif not hinders and ref.key in self._told:
            self._told.discard(ref.key)
            logger.warning("%s is ours now", ref.key)

    async def _bring_home(self, ref: AccountRef) -> None:
        """Store what another life sent by the exit journal, before the day is read. Raises StoreUnavailable.

        While the database is away it stays in the journal, from which the day is then read (`day_source`).
        """
        if self._tools.right.way() is Way.JOURNAL:
            self._home.add(ref.key)
            return
        count = 0
        for is_last in (*(False,) * READS_AGAIN, True):
            try:
                count = await import_journal(self._tools, ref.key)
                break
            except JournalUnavailable as error:
                if is_last:  # exits go on without it
                    text = f"the exit journal of {ref.key} cannot be read, what it sent may seem a stranger's: {error}"
                    self._tools.alarm(ref.client_id, "JOURNAL_UNAVAILABLE", text, account=ref.key)
                else:
                    await self._tools.clock.sleep(TRIES_AGAIN_AFTER_S)
        self._home.add(ref.key)
        if count:
            logger.warning("%s exits of %s came by the exit journal", count, ref.key)
