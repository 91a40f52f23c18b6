"""What became of one account's orders, told to the database: owed, in order, for as long as it cannot be told.

An exit that went by the exit journal is told to the journal first, and comes to the database with it. Entries stay off
while anything is owed: what the database does not know, a limit or another process would not count.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from trading.domain.errors import JournalUnavailable, StoreUnavailable
from trading.domain.orders import BrokerOrder, BrokerTrade, IntentState
from trading.engine.crash_points import crash_at
from trading.engine.orders import Working
from trading.engine.tools import STORE_ANSWERS_WITHIN_S, Tools, Way
from trading.ports import ExitJournal

logger = logging.getLogger(__name__)

Telling = Callable[[], Awaitable[None]]


class Outcomes:
    """One account's. Every telling may be repeated: the stores take the same again for nothing."""

    def __init__(self, tools: Tools, account_key: str) -> None:
        self._tools = tools
        self._account = account_key
        self._owed: list[Telling] = []
        self._journaled: dict[str, Working] = {}
        self._notes = 0
        self._paying = asyncio.Lock()

    @property
    def is_owing(self) -> bool:
        """True while the database lacks something of this account."""
        return bool(self._owed or self._journaled)

    def went_by_journal(self, working: Working) -> None:
        """Remember that an order's row comes by the exit journal."""
        self._journaled[working.tag] = working

    def comes_by_journal(self, working: Working) -> bool:
        """Say whether the journal has news of an order that the database does not have yet."""
        return working.tag in self._journaled

    async def settle(self, working: Working, state: IntentState, *, order_id: str = "", reason: str = "") -> None:
        """Tell what an order is now. Raises only what is no question of availability (IllegalTransition)."""
        if working.tag in self._journaled:
            await self._note(working, state, order_id=order_id, reason=reason)
        elif state is IntentState.DENIED:
            await self.never_sent(working, reason)
        elif not working.is_unstored:
            resolve = self._tools.store.resolve
            await self._now_or_owed(partial(resolve, working.tag, state, order_id=order_id, reason=reason))

    async def never_sent(self, working: Working, reason: str) -> None:
        """Tell of an order whose commit or claim was not answered: either may be in the database all the same."""
        shard, epoch = self._tools.deps.shard, self._tools.right.epoch
        telling = partial(self._tools.store.never_sent, working.tag, shard=shard, epoch=epoch, reason=reason)
        await self._now_or_owed(telling)

    async def save_order(self, order: BrokerOrder) -> None:
        """Keep the broker's last word of an order; of one whose row comes by the journal not before that row."""
        telling = partial(self._tools.store.save_order, self._account, order)
        if order.tag in self._journaled:
            self._owed.append(telling)
        else:
            await self._now_or_owed(telling)

    async def save_trades(self, trades: Sequence[BrokerTrade]) -> None:
        """Keep fills; while the database is away they are not waited for: each later read has them again."""
        if self._tools.right.way() is Way.JOURNAL:
            return
        try:
            await self._tools.within(STORE_ANSWERS_WITHIN_S, self._tools.store.save_trades(self._account, trades))
        except StoreUnavailable as error:
            logger.warning("fills of %s were not saved: %s", self._account, error)

    async def pay(self) -> None:
        """Bring home what went by the journal, then what is owed. Raises StoreUnavailable or JournalUnavailable."""
        async with self._paying:
            while self.is_owing:
                await self._bring_home()  # before each: what is owed of an order counts nothing without its row
                if self._owed:
                    await self._pay_one(self._owed[0])
                    del self._owed[0]

    # -- inside ------------------------------------------------------------------------------------------------

    async def _pay_one(self, telling: Telling) -> None:
        try:
            await telling()
        except StoreUnavailable:
            raise
        except Exception:  # a state that cannot follow any more: the database knows better by now
            logger.exception("something owed for %s could not be told and is dropped", self._account)

    async def _bring_home(self) -> None:
        """Import until nothing is pending and nothing was noted meanwhile."""
        while self._journaled:
            noted = self._notes
            count = await import_journal(self._tools, self._account)
            if not count and noted == self._notes:
                for working in self._journaled.values():
                    working.is_unstored = False  # it may be on the wire still: its answer is told to the database
                self._journaled.clear()

    async def _note(self, working: Working, state: IntentState, *, order_id: str, reason: str) -> None:
        tag = working.tag
        try:
            await journal_of(self._tools).note(self._account, tag, state, order_id=order_id, words=reason)
        except JournalUnavailable as error:  # what was written ahead is enough: it is looked up by its tag
            logger.warning("%s of %s could not be noted: %s", state, tag, error)
            self._owed.append(partial(self._tools.store.resolve, tag, state, order_id=order_id, reason=reason))
        else:
            self._notes += 1
            # All may have been brought home while it was written: now there is news again.
            self._journaled[tag] = working

    async def _now_or_owed(self, telling: Telling) -> None:
        if self._owed or self._tools.right.way() is Way.JOURNAL:
            self._owed.append(telling)
            return
        try:
            await self._tools.within(STORE_ANSWERS_WITHIN_S, telling())
        except StoreUnavailable as error:
            logger.warning("something of %s is owed to the database: %s", self._account, error)
            self._owed.append(telling)


def journal_of(tools: Tools) -> ExitJournal:
    """Give the exit journal."""
    return tools.deps.exit_journal


async def import_journal(tools: Tools, account_key: str) -> int:
    """Take what an account's exit journal holds into the database; gives how many exits. A crash repeats it at most.

    One that cannot be taken in keeps the others not back: it stays in the journal, and a person is called. Raises
    StoreUnavailable or JournalUnavailable.
    """
    count = 0
    for exit_ in await journal_of(tools).pending(account_key):
        try:
            await tools.store.import_exit(exit_)
        except StoreUnavailable:
            raise
        except Exception as error:
            logger.exception("the journaled exit %s could not be imported", exit_.tag)
            text = f"an exit of {exit_.intent.key.instrument} that went by the exit journal cannot be stored: {error!r}"
            tools.alarm(None, "EXIT_NOT_IMPORTED", text, account=account_key, tag=exit_.tag)
            continue
        crash_at("journal_imported")
        await journal_of(tools).imported(account_key, exit_.tag, exit_.state)
        count += 1
    return count
