"""The entry of one line: one order, or slices of it one after the other, until it is done or out of time."""

from collections.abc import Callable
from datetime import datetime, timedelta

from trading.domain.orders import IntentState, OrderIntent, OrderStatus, Purpose
from trading.engine.line_orders import LineOrders
from trading.engine.orders import Working
from trading.engine.tools import Tools
from trading.engine.wishes import EntryWish

ENTRY_WAITS = timedelta(seconds=5)
"""Market time from the first ack after which the unfilled rest of an entry is cancelled, and no slice follows."""


class EntryPursuit:
    """What is to be opened and how far it came. `on_finished` is told the units that all its slices filled."""

    def __init__(self, tools: Tools, orders: LineOrders, on_finished: Callable[[int], None]) -> None:
        self.wish: EntryWish | None = None
        """Wanted, and not sent to its last slice yet."""
        self._tools = tools
        self._orders = orders
        self._on_finished = on_finished
        self._sent = self._slice = 0
        self._until: datetime | None = None

    def want(self, wish: EntryWish) -> None:
        """Open a new position. Counts it at once, so that its number is never used again."""
        self._orders.position += 1
        self._sent = self._slice = 0
        self._until = None
        self.wish = wish

    def drop(self) -> None:
        """Send no more of it. What is alive is left to the caller."""
        if self.wish is None:
            return
        self.wish = None
        if not self._orders.entries:
            self._on_finished(self._orders.entered(self._orders.position))

    @property
    def ends_at(self) -> datetime:
        """The market moment at which the entry ends; the first ack sets it."""
        if self._until is None:
            self._until = self._tools.now() + ENTRY_WAITS
        return self._until

    def pursue(self) -> None:
        """Send the next slice."""
        wish = self.wish
        if wish is None:
            return
        quantity = self._orders.at_most(wish.quantity - self._sent)
        key = self._orders.key(Purpose.ENTRY, self._orders.position, 0, self._slice)
        self._slice += 1
        self._sent += quantity
        if self._sent >= wish.quantity:
            self.wish = None
        intent = OrderIntent(key, wish.side, quantity, algo_id=self._orders.ref.algo_id)
        self._orders.send(intent, wish.reason, whole=wish.quantity)

    def finished(self, working: Working) -> None:
        """A slice can fill no more: go on with the next, or tell what all of them came to."""
        if self.wish is not None and self._goes_on(working):
            return
        self.wish = None
        self._on_finished(self._orders.entered(working.intent.key.position))

    def _goes_on(self, working: Working) -> bool:
        """A slice that filled, or that the broker refused, does not stop the others; a no of ours, or doubt, does."""
        if self._until is not None and self._tools.now() >= self._until:
            return False
        is_rejected = working.order is not None and working.order.status is OrderStatus.REJECTED
        return working.filled >= working.intent.quantity or is_rejected or working.state is IntentState.REFUSED
