"""Changing an order that rests: an exit that nobody takes goes further through the market, instead of a second one.

A change says where the order is to stand, so it is never more than one order. It is counted in the database before
it leaves, and never sent again blindly: after a lost answer the order's row in the book says what came of it.
"""

import logging
from collections.abc import Callable
from decimal import Decimal

from trading.domain.errors import BrokerRejected, StoreUnavailable
from trading.domain.instruments import Instrument
from trading.domain.orders import OrderChange, OrderType, Side
from trading.domain.repricing import WIDENINGS, PriceQuote, next_limit, widening
from trading.engine.crash_points import crash_at
from trading.engine.desk import AccountDesk
from trading.engine.orders import MOST_CHANGES, Working
from trading.engine.quote_reads import QuoteReads
from trading.engine.tools import STORE_ANSWERS_WITHIN_S, Tools, Way

logger = logging.getLogger(__name__)

LOOKS_AFTER_S = (0.5, 1.0, 2.0, 4.0, 8.0)
CAP_WORDS = "maximum allowed order modifications"


class Changer:
    """Changes one account's orders. `queue` brings a change into the rate budget's queue."""

    def __init__(
        self,
        tools: Tools,
        desk: AccountDesk,
        *,
        instrument_of: Callable[[str], Instrument | None],
        queue: Callable[[Working, OrderChange], None],
    ) -> None:
        self._tools = tools
        self._desk = desk
        self._instrument_of = instrument_of
        self._queue = queue
        self._quotes = QuoteReads(tools, desk)

    # -- where to ----------------------------------------------------------------------------------------------

    async def reprice(self, working: Working, step: int) -> None:
        """Take an exit one step further through the market, or tell that it stands at the end of its circuit."""
        if working.is_changing or not _is_changeable(working):
            return
        working.is_changing = True
        quote = await self._quotes.of(working.intent.key.instrument)
        change = self._step(working, step, quote)
        if change is not None and _is_changeable(working):
            self._queue(working, change)
            return
        working.is_changing = False
        if change is None and quote is not None and _stands_at(working) == quote.farthest(working.intent.side):
            self._locked(working)

    def _step(self, working: Working, step: int, quote: PriceQuote | None) -> OrderChange | None:
        """Give the change, None where the order stands as far as it can. Without a price the broker sets the limit."""
        instrument, side = self._instrument_of(working.intent.key.instrument), working.intent.side
        if quote is None or quote.last <= 0 or instrument is None:
            return OrderChange(OrderType.MARKET, protection_percent=_blind_percent(step))
        percent, present = widening(step, instrument.instrument_type, quote.last), _stands_at(working)
        limit = next_limit(side, quote, percent, instrument.tick_size, present)
        return None if limit == present else OrderChange(OrderType.LIMIT, price=limit)

    def _locked(self, working: Working) -> None:
        if working.is_locked:
            return
        working.is_locked = True
        name = working.intent.key.instrument
        what = f"cannot exit {working.remaining} {name}: it is locked at its circuit limit of {_stands_at(working)}"
        self._desk.alarm(working, "EXIT_LOCKED", f"{what}; the order rests there and fills when somebody trades")

    # -- on the wire -------------------------------------------------------------------------------------------

    async def send(self, working: Working, change: OrderChange) -> None:
        """Count a change and send it, once."""
        try:
            if _is_changeable(working) and await self._may_send(working):
                await self._send(working, change)
        finally:
            working.is_changing = False

    async def _may_send(self, working: Working) -> bool:
        right, shard = self._tools.right, self._tools.deps.shard
        if right.way() is Way.JOURNAL:  # not counted in the database then: the broker's own refusal tells of the cap
            working.changes += 1
            return self._tools.deps.locks.holds(self._desk.ref.key)
        try:
            asked = self._tools.store.claim_change(working.tag, shard=shard, epoch=right.epoch)
            claim = await self._tools.within(STORE_ANSWERS_WITHIN_S, asked)
        except StoreUnavailable as error:
            logger.warning("a change of %s waits for the database: %s", working.tag, error)
            return False
        if claim.denied:
            right.lost(claim.message)
            return False
        working.changes += 1
        return right.may_send()

    async def _send(self, working: Working, change: OrderChange) -> None:
        self._desk.note(working, "CHANGE_SENT", change.as_dict())
        try:
            await self._desk.broker.modify(working.order_id, change)
        except BrokerRejected as error:
            self._refused(working, error)
        except Exception as error:
            self._desk.heard_error(error)
            self._desk.note(working, "CHANGE_IN_DOUBT", {"reason": str(error)})
            await self._look_up(working, change)
        else:
            crash_at("change_sent")
            working.limit = change.price
            self._desk.note(working, "CHANGE_TAKEN", {"order_id": working.order_id})
            self._tools.work.spawn(self._look_after(working, change), f"look after {working.tag}", counts=False)

    def _refused(self, working: Working, error: BrokerRejected) -> None:
        """It stands as it stood, or has ended meanwhile: the book tells."""
        self._desk.heard_error(error)
        self._desk.note(working, "CHANGE_REFUSED", {"reason": str(error)})
        if CAP_WORDS in str(error).lower():
            working.changes = max(working.changes, MOST_CHANGES)
        self._tools.work.spawn(self._look_up(working, None), f"look up {working.tag}", counts=False)

    async def _look_after(self, working: Working, change: OrderChange) -> None:
        """The answer means received only: read the book where no message tells of the change soon."""
        await self._tools.clock.sleep(1.0)
        if working.may_fill and not (working.order is not None and change.is_seen_in(working.order)):
            await self._look_up(working, change)

    async def _look_up(self, working: Working, change: OrderChange | None) -> None:
        """Read the book until one read was clean: only then may another change go out."""
        looks = 0
        while working.may_fill:
            await self._tools.clock.sleep(LOOKS_AFTER_S[min(looks, len(LOOKS_AFTER_S) - 1)])
            looks += 1
            try:
                await self._desk.read_orders()
            except Exception as error:
                logger.info("look-up of %s failed: %r", working.tag, error)
                continue
            break
        if change is not None and working.order is not None:
            told = {"is_in_book": change.is_seen_in(working.order), "looks": looks}
            self._desk.note(working, "CHANGE_LOOKED_UP", told)


def _is_changeable(working: Working) -> bool:
    return working.is_resting and not working.is_withdrawn and bool(working.order_id)


def _stands_at(working: Working) -> Decimal | None:
    """Give the limit at which an order stands, by the book or by what the broker took."""
    by_book = working.order.price if working.order else None
    known = [price for price in (by_book, working.limit) if price is not None]
    return (max if working.intent.side is Side.BUY else min)(known, default=None)


def _blind_percent(step: int) -> Decimal:
    return WIDENINGS[min(step, len(WIDENINGS) - 1)]
