"""After the close: ours and the broker's once more, fills, positions and P&L to the paisa (reliability 6.9).

A difference that nobody looked at must not be traded on: the client begins the next day REDUCING, until a person
raises the state.
"""

import logging
from datetime import time, timedelta

from trading.domain.closing import closing_differences
from trading.domain.control import TradingState
from trading.domain.timezone import at_ist
from trading.engine.house import AccountParts, House
from trading.engine.tools import Tools

logger = logging.getLogger(__name__)

CHECKED_AT = time(16, 0)
"""Market time: the post-close session is over then, and nothing of the day fills any more."""
TRIES = 5
AGAIN_AFTER = timedelta(seconds=60)


class ClosingCheck:
    """Checks every account of the house once, at the end of the day."""

    def __init__(self, tools: Tools, house: House) -> None:
        self._tools = tools
        self._house = house

    def arm(self) -> None:
        """Set the timer of the day; on a day without a session there is nothing to compare."""
        if self._tools.deps.calendar.day_begins_at(self._tools.day) is not None:
            self._tools.timers.set("closing check", at_ist(self._tools.day, CHECKED_AT), self._begin)

    def _begin(self) -> None:
        for parts in self._house.accounts.values():
            self._check_soon(parts, 1)

    def _check_soon(self, parts: AccountParts, tries: int) -> None:
        work = self._check(parts, tries)
        self._tools.work.spawn(work, f"closing check {parts.desk.ref.key}", counts=False)

    async def _check(self, parts: AccountParts, tries: int) -> None:
        desk = parts.desk
        await parts.reconciler.look()
        if not (desk.orders.by_tag or desk.orders.trade_ids()):
            return  # nothing was traded, as far as anybody told
        if parts.reconciler.unread:
            self._unread(parts, tries)
            return
        orders = desk.orders
        differences = closing_differences(orders.trades(), orders.rows, frozenset(orders.adoptions))
        told = {"differences": differences, "text": _words(differences)}
        self._tools.journal.record("CLOSING_CHECK", desk.ref.client_id, told, account=desk.ref.key)
        if differences:
            await self._differs(parts, "; ".join(differences))

    def _unread(self, parts: AccountParts, tries: int) -> None:
        desk, why = parts.desk, parts.reconciler.unread
        if tries < TRIES:
            key = ("closing check", desk.ref.key)
            again = self._tools.now() + AGAIN_AFTER
            self._tools.timers.set(key, again, lambda: self._check_soon(parts, tries + 1))
            return
        text = f"the day of {desk.ref.key} could not be compared with the broker's after the close: {why}"
        self._tools.alarm(desk.ref.client_id, "CLOSING_UNCHECKED", text, account=desk.ref.key)

    async def _differs(self, parts: AccountParts, what: str) -> None:
        ref, store = parts.desk.ref, self._tools.store
        text = f"after the close {ref.key} and we do not agree: {what}"
        self._tools.alarm(ref.client_id, "CLOSING_DIFFERS", text, account=ref.key)
        reason = f"closing check of {self._tools.day}: {what}"
        await self._tools.until_stored(
            lambda: store.lower_state(ref.client_id, TradingState.REDUCING, reason), "the closing check's state"
        )


def _words(differences: list[str]) -> str:
    if differences:
        return f"after the close ours and the broker's differ: {'; '.join(differences)}"
    return "after the close our fills, positions and P&L agree with the broker's to the paisa"
