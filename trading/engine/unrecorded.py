"""Orders of ours of which a session has no record: a dead engine sent them after the standby's copy of the day.

Two things keep them from being doubled. The lines wait until the broker's book was read clean for as long as an exit
in doubt takes to be proved absent: what left in the dead engine's last moment shows by then. And an order that shows
is known by its tag, which follows from its purpose: it is ours, counts as ours, is cancelled and re-priced as ours.
"""

from collections.abc import Iterator

from trading.domain.orders import (
    TAG_ALPHABET,
    TAG_LENGTH,
    BrokerOrder,
    IntentState,
    OrderIntent,
    OrderType,
    Product,
    Purpose,
    PurposeKey,
)
from trading.engine.desk import AccountDesk
from trading.engine.in_doubt import EXIT_PROOF_S, CleanReads
from trading.engine.line_orders import ROUNDS_APART
from trading.engine.orders import Working
from trading.engine.tools import Tools

LOOKS_EVERY_S = 2.5
POSITIONS_BEYOND = 2
"""Positions of one instrument that can have been opened since the copy, or were closed just before it."""
MOST_ATTEMPTS, MOST_SLICES, MOST_TARGETS = 6, 20, 10


class UnrecordedOrders:
    """One account's."""

    def __init__(self, tools: Tools, desk: AccountDesk) -> None:
        self._tools = tools
        self._desk = desk
        self._clean = CleanReads()
        self._strangers: set[str] = set()

    async def until_all_show(self) -> None:
        """Return once nothing that was sent before can still be missing in the book. Raises BrokerError."""
        clock = self._tools.clock
        while True:
            began = clock.monotonic()
            await self._desk.read_orders()
            self._clean.add(began)
            if self._clean.prove_absence(EXIT_PROOF_S):
                return
            await clock.sleep(LOOKS_EVERY_S)

    def recognise(self, order: BrokerOrder) -> Working | None:
        """Give an order of the broker's book as ours, None where it is somebody else's."""
        if order.order_id in self._strangers or not _may_be_ours(order):
            return None
        key = next((key for key in self._candidates(order.instrument) if key.tag() == order.tag), None)
        if key is None:
            self._strangers.add(order.order_id)
            return None
        return Working(_intent_of(key, order), order.placed_at or self._tools.now(), state=IntentState.IN_DOUBT)

    def _candidates(self, instrument: str) -> Iterator[PurposeKey]:
        """Give every purpose that may have been acted on lately, the usual ones first."""
        known = [working.intent.key.position for working in self._desk.orders.of(instrument)]
        newest = max(known, default=0)
        positions = range(max(1, newest - POSITIONS_BEYOND), newest + POSITIONS_BEYOND + 1)
        for attempt in range(MOST_ATTEMPTS):
            for slice_ in range(MOST_SLICES):
                for position in positions:
                    for purpose in Purpose:
                        for target in range(MOST_TARGETS + 1 if purpose is Purpose.TARGET else 1):
                            round_ = target + attempt * ROUNDS_APART
                            yield PurposeKey(
                                self._tools.day, self._desk.ref.key, instrument, position, purpose, round_, slice_
                            )


def _may_be_ours(order: BrokerOrder) -> bool:
    is_tag = len(order.tag) == TAG_LENGTH and set(order.tag) <= set(TAG_ALPHABET)
    return is_tag and order.product == Product.MIS


def _intent_of(key: PurposeKey, order: BrokerOrder) -> OrderIntent:
    """Give the intent as far as the broker's row tells it."""
    is_stop = order.price is not None and order.trigger_price is not None
    kind = OrderType.SL if is_stop else OrderType.MARKET if order.price is None else OrderType.LIMIT
    trigger = order.trigger_price if is_stop else None
    return OrderIntent(key, order.side, order.quantity, kind, order.price, trigger_price=trigger)
