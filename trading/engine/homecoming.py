"""The database is away, and comes back: people are told, and what went past it is brought home before any entry.

Looking also pays what is owed after a short trouble that nobody would call an outage. Each account comes home by
itself: one whose journal cannot be read, or whose broker does not answer, delays no other.
"""

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
        self._held: set[str] = set()
        """Accounts that are not home since the latest outage."""
        self._outages = 0
        self._coming: set[str] = set()
        self._told: set[str] = set()

    async def run(self) -> None:
        """Look for ever."""
        while True:
            await self._tools.clock.sleep(LOOKS_EVERY_S)
            self.look()

    def look(self) -> None:
        """Note an outage, or bring every account home that is not."""
        way = self._tools.right.way()
        if way is Way.JOURNAL and not self._is_away:
            self._begin()
        elif way is Way.STORE:
            for key, parts in self._house.accounts.items():
                if key not in self._coming and (key in self._held or parts.desk.outcomes.is_owing):
                    self._coming.add(key)
                    self._tools.work.spawn(self._bring_home(key, parts), f"bring home {key}", counts=False)
            self._is_away = False

    def _begin(self) -> None:
        self._is_away = True
        self._outages += 1
        self._held = set(self._house.accounts)
        for parts in self._house.accounts.values():
            parts.desk.held_off = AWAY
        self._tools.alarm(None, "DATABASE_AWAY", f"{AWAY}. Bring the database back.")

    async def _bring_home(self, key: str, parts: AccountParts) -> None:
        """Store what went by the journal, pay what is owed; after an outage reconcile before any entry."""
        try:
            await parts.desk.outcomes.pay()
            self._told.discard(key)
            if key in self._held and not self._is_away:
                await self._tools.journal.flush()
                await self._reconcile(key, parts)
        except StoreUnavailable as error:
            logger.warning("what went past the database for %s is not there yet: %s", key, error)
        except JournalUnavailable as error:
            self._tell(key, parts, error)
        finally:
            self._coming.discard(key)

    async def _reconcile(self, key: str, parts: AccountParts) -> None:
        """Have entries again only after a look that agrees; where this one does not, a later one lifts it."""
        outage = self._outages
        parts.desk.is_reconciled, parts.desk.why_not = False, "the database was away: reconciled anew first"
        parts.desk.held_off = ""
        await parts.reconciler.look()
        if self._outages != outage:
            return  # it went away again meanwhile
        self._held.discard(key)
        if not self._held:
            text = "the database is back: exits of the journal are stored, accounts were reconciled anew"
            self._tools.journal.record("DATABASE_BACK", None, {"text": text})

    def _tell(self, key: str, parts: AccountParts, error: JournalUnavailable) -> None:
        logger.warning("the exit journal of %s is not brought home yet: %s", key, error)
        if key not in self._told:
            self._told.add(key)
            text = f"no entries of {key}: its exit journal cannot be brought to the database: {error}"
            self._tools.alarm(parts.desk.ref.client_id, "JOURNAL_UNAVAILABLE", text, account=key)
