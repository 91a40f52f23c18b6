"""The database is away, and comes back: people are told, and what went past it is brought home before any entry.

Looking also pays what is owed after a short trouble that nobody would call an outage.
"""

import asyncio
import logging

from trading.domain.errors import JournalUnavailable, StoreUnavailable
from trading.engine.house import AccountParts, House
from trading.engine.tools import Tools, Way

logger = logging.getLogger(__name__)

LOOKS_EVERY_S = 0.5
AWAY = "the database is away: no entries, exits go by the exit journal"


class Homecoming:
    """Watches the way to the database for one session."""

    def __init__(self, tools: Tools, house: House) -> None:
        self._tools = tools
        self._house = house
        self._is_away = False

    async def run(self) -> None:
        """Look for ever."""
        while True:
            await self._tools.clock.sleep(LOOKS_EVERY_S)
            try:
                await self.look()
            except (StoreUnavailable, JournalUnavailable) as error:
                logger.warning("what went past the database is not there yet: %s", error)

    async def look(self) -> None:
        """Note an outage, or bring everything home after one. Raises StoreUnavailable or JournalUnavailable."""
        way = self._tools.right.way()
        if way is Way.JOURNAL and not self._is_away:
            self._begin()
        elif way is Way.STORE:
            for parts in self._accounts():
                if parts.desk.outcomes.is_owing:
                    await parts.desk.outcomes.pay()
            if self._is_away:
                await self._end()

    def _begin(self) -> None:
        self._is_away = True
        for parts in self._accounts():
            parts.desk.held_off = AWAY
        self._tools.alarm(None, "DATABASE_AWAY", f"{AWAY}. Bring the database back.")

    async def _end(self) -> None:
        await self._tools.journal.flush()
        await asyncio.gather(*(self._reconcile(parts) for parts in self._accounts()))
        self._is_away = False
        text = "the database is back: exits of the journal are stored, accounts are reconciled anew before any entry"
        self._tools.journal.record("DATABASE_BACK", None, {"text": text})

    async def _reconcile(self, parts: AccountParts) -> None:
        """Have entries again only after a look that agrees; where this one does not, a later one lifts it."""
        parts.desk.is_reconciled, parts.desk.why_not = False, "the database was away: reconciled anew first"
        parts.desk.held_off = ""
        await parts.reconciler.look()

    def _accounts(self) -> list[AccountParts]:
        return list(self._house.accounts.values())
