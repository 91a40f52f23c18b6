"""Intents of another life: of this engine before a crash, or of a holder that lost the lease a moment ago.

A claim needs the lease's present epoch, so what another life left NEW was never sent and never will be. What it
left SENDING may have reached the broker and is looked up.
"""

import logging
from collections.abc import Callable

from trading.domain.errors import IllegalTransition
from trading.domain.orders import IntentState
from trading.engine.desk import AccountDesk
from trading.engine.orders import UNSETTLED, Working
from trading.engine.tools import STORE_ANSWERS_WITHIN_S, Tools
from trading.ports import StoredIntent

logger = logging.getLogger(__name__)


class Leftovers:
    """Settles one account's intents that this session did not send itself."""

    def __init__(self, tools: Tools, desk: AccountDesk, resolve_doubt: Callable[[Working], None]) -> None:
        self._tools = tools
        self._desk = desk
        self._resolve_doubt = resolve_doubt

    async def settle_all(self) -> None:
        """After a start, with the order book read: give every intent its state."""
        for working in list(self._desk.orders.by_tag.values()):
            await self.settle(working)

    async def settle(self, working: Working) -> None:
        """Expire what was never sent, adopt what the broker has, look up the rest."""
        if working.state is IntentState.NEW:
            await self._expire(working)
        elif working.state is IntentState.SENDING and working.order is not None:
            self._desk.adopt(working)
        elif working.state is IntentState.SENDING:
            working.state = IntentState.IN_DOUBT
            self._note("ORDER_IN_DOUBT", working)
            self._resolve_doubt(working)
            await self._tell(working, IntentState.IN_DOUBT, "the engine stopped while it was sent")
        elif working.state is IntentState.IN_DOUBT:
            self._resolve_doubt(working)

    async def take_over(self, instrument: str) -> None:
        """Make ours what another life wrote for this instrument after we loaded the day, and tell what is not told.

        Raises StoreUnavailable.
        """
        book = await self._tools.within(STORE_ANSWERS_WITHIN_S, self._tools.store.load_book(self._tools.day))
        for stored in book.intents:
            key = stored.intent.key
            if (key.account, key.instrument) == (self._desk.ref.key, instrument):
                await self._take_over(stored)
        self._desk.line(instrument).advance()

    async def _take_over(self, stored: StoredIntent) -> None:
        known = self._desk.orders.by_tag.get(stored.intent.tag)
        if known is None:
            await self._adopt_unknown(stored)
        elif self._desk.outcomes.comes_by_journal(known):
            return
        elif known.state not in UNSETTLED:
            await self._tell_again(known, stored)
        elif stored.state is not IntentState.NEW and known.state is IntentState.NEW:
            # The purpose that we were about to commit was sent by the former holder.
            known.intent, known.state = stored.intent, stored.state
            self._learn(known, stored)
            await self.settle(known)

    async def _tell_again(self, known: Working, stored: StoredIntent) -> None:
        """What the database was not told of an order of ours would keep every later exit of its line back."""
        if stored.state is IntentState.NEW:
            await self._desk.outcomes.never_sent(known, "left by a former holder, never sent")
        elif stored.state in UNSETTLED:
            for state in _on_the_way(stored.state, known.state):
                await self._tell(known, state, "told again")
        is_over = stored.order is not None and not stored.order.is_live
        if known.order is not None and not known.order.is_live and not is_over:
            await self._desk.outcomes.save_order(known.order)

    async def _adopt_unknown(self, stored: StoredIntent) -> None:
        working = Working(stored.intent, self._tools.now(), state=stored.state)
        self._learn(working, stored)
        self._desk.orders.add(working)
        await self.settle(working)
        self._desk.line(stored.intent.key.instrument).adopt(working)

    @staticmethod
    def _learn(working: Working, stored: StoredIntent) -> None:
        working.changes = max(working.changes, stored.changes)
        if stored.order is not None:
            working.order, working.order_id = stored.order, stored.order.order_id

    async def _expire(self, working: Working) -> None:
        working.state = IntentState.DENIED
        self._note("INTENT_EXPIRED", working)
        await self._tell(working, IntentState.DENIED, "never sent: the engine was restarted")

    async def _tell(self, working: Working, state: IntentState, reason: str) -> None:
        """Tell the database what an order is; where it knows better, that stays."""
        try:
            await self._desk.outcomes.settle(working, state, order_id=working.order_id, reason=reason)
        except IllegalTransition as error:
            logger.warning("%s of %s was not stored: %s", state, working.tag, error)

    def _note(self, kind: str, working: Working) -> None:
        ref, key = self._desk.ref, working.intent.key
        told = {"purpose": working.purpose.value, "quantity": working.intent.quantity}
        self._tools.journal.record(
            kind, ref.client_id, told, account=ref.key, instrument=key.instrument, tag=working.tag
        )


def _on_the_way(present: IntentState, wanted: IntentState) -> tuple[IntentState, ...]:
    """Give the states by which the table lets a row come to another one."""
    needs_doubt = present is IntentState.SENDING and wanted is IntentState.ABSENT
    return (IntentState.IN_DOUBT, wanted) if needs_doubt else (wanted,)
