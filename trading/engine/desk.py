"""One broker account: its orders and lines, what the broker says of them, and the tasks that listen."""

import logging
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

from trading.domain.errors import BrokerAuthError, BrokerError, BrokerForbids, StoreUnavailable
from trading.domain.orders import (
    BrokerOrder,
    BrokerPosition,
    BrokerTrade,
    IntentState,
    is_late_fill,
    merge_order,
)
from trading.domain.repricing import PriceQuote
from trading.engine.account_orders import AccountOrders
from trading.engine.auction_exits import AuctionExits
from trading.engine.line import PositionLine
from trading.engine.line_orders import InstrumentOf, OrderWire
from trading.engine.orders import Working
from trading.engine.outcomes import Outcomes
from trading.engine.rate import RateBudget
from trading.engine.reads import AccountReads, Urgency
from trading.engine.tools import STORE_ANSWERS_WITHIN_S, Tools
from trading.engine.unreadable import Unreadable
from trading.engine.work import first_of
from trading.ports import AccountRef, Broker

logger = logging.getLogger(__name__)

TOO_MANY_REQUESTS = 429
FRESH_WITHIN_S = 1.0
"""Wire seconds that an exit waits for a look at the positions."""


class AccountDesk:
    """See the module. `is_reconciled` is the condition for entries; `why_not` says what hinders."""

    def __init__(
        self,
        tools: Tools,
        ref: AccountRef,
        instrument_of: InstrumentOf = lambda key: None,
        last_price: Callable[[str], Decimal | None] = lambda key: None,
    ) -> None:
        self.ref = ref
        self.orders = AccountOrders()
        self.lines: dict[str, PositionLine] = {}
        self.budget = RateBudget()
        """Of the order calls; reads have one of their own in the adapter."""
        self.broker: Broker = tools.deps.broker_for(ref)
        self.outcomes = Outcomes(tools, ref.key)
        self.is_restored = False
        self.is_reconciled = False
        self.held_off = ""
        """Why nothing is entered although the account is reconciled; empty when nothing holds it off."""
        self.why_not = "not reconciled with the broker yet"
        self.has_session = True
        self.forbidden = ""
        """Why the broker takes no order from here; entries wait until somebody had the engine read all again."""
        self.unread_since: float | None = None
        """Wire time of the first read that failed after the last one that did not."""
        self.update_serial = 0
        self.last_entry_at = float("-inf")
        """Wire time at which the last entry of this session was handed to the wire."""
        self.on_trades: Callable[[], None] = lambda: None
        self.on_order: Callable[[Working], None] = lambda _: None
        self.recognise: Callable[[BrokerOrder], Working | None] = lambda _: None
        """Gives an order as ours that no record of ours names."""
        self.want_trades: Callable[[], None] = lambda: None
        self.unreadable = Unreadable(tools, ref)
        self.reads = AccountReads(tools, self)
        self._tools = tools
        self._instrument_of = instrument_of
        self._auction = AuctionExits(tools, instrument_of, last_price)
        self._wire: OrderWire | None = None

    @property
    def is_untouched(self) -> bool:
        """True while the broker wants a sign-in and nothing of ours was sent or filled there today."""
        return not self.has_session and not self.orders.by_tag and not self.orders.positions.positions

    def connect(self, wire: OrderWire) -> None:
        """Say where orders leave."""
        self._wire = wire

    @property
    def wire(self) -> OrderWire:
        """The account's gateway."""
        if self._wire is None:
            raise RuntimeError(f"the desk of {self.ref.key} was used before it was connected")
        return self._wire

    def line(self, instrument: str) -> PositionLine:
        """Give the line of an instrument, making one where there is none."""
        if instrument not in self.lines:
            line = PositionLine(
                self._tools, self.ref, instrument, self.orders, self.wire, self._instrument_of, self._auction
            )
            line.is_held = not self.is_restored
            self.lines[instrument] = line
        return self.lines[instrument]

    def release_lines(self) -> None:
        """The broker told what became of every earlier order: let the lines decide."""
        self.is_restored = True
        for line in list(self.lines.values()):
            line.is_held = False
        for line in list(self.lines.values()):
            line.advance()

    async def renew_broker(self) -> None:
        """Make the broker anew, with whatever token is valid now; while the database is away with the last one known.

        Raises BrokerError where the old connection cannot be closed.
        """
        try:
            await self._tools.within(STORE_ANSWERS_WITHIN_S, self._tools.deps.learn_brokers([self.ref]))
        except StoreUnavailable as error:
            logger.info("the session of account=%s was not read anew: %s", self.ref.key, error)
        old, self.broker = self.broker, self._tools.deps.broker_for(self.ref)
        self.update_serial = 0
        await old.close()

    # -- what the broker says ----------------------------------------------------------------------------------

    def hear(self, order: BrokerOrder) -> None:
        """Take in one order row or message. Any order and any number of repetitions give the same."""
        self.unreadable.read(order)
        working = self.orders.by_tag.get(order.tag)
        if working is None and (working := self.recognise(order)) is not None:
            self.orders.add(working)
        if working is None or working.intent.key.instrument != order.instrument or self._is_a_second(working, order):
            self._hear_other(order)
            return
        self.orders.others.pop(order.order_id, None)  # it may have been heard of before we knew that it is ours
        known = working.order
        if merge_order(known, order) is known:
            return
        grew, late = order.filled_quantity > working.filled, is_late_fill(order, known=known)
        working.order, working.order_id = order, order.order_id
        if working.state in (IntentState.IN_DOUBT, IntentState.ABSENT, IntentState.REFUSED):
            self.adopt(working)
        self._tools.spawn(self._save_order(order), "save order")
        self.note(working, "ORDER_UPDATED", {"status": order.status, "filled": order.filled_quantity})
        if late:
            text = f"an order for {order.instrument} that was {known.status if known else ''} filled after all"
            self.alarm(working, "LATE_FILL", text)
        if grew:
            self.want_trades()
        self.on_order(working)
        self.line(order.instrument).advance()

    def _hear_other(self, order: BrokerOrder) -> None:
        """Note an order that is not ours: what it fills is the client's own hand, counted as soon as it is heard of."""
        known = self.orders.others.get(order.order_id)
        self.orders.others[order.order_id] = merged = merge_order(known, order)
        if merged.filled_quantity > (known.filled_quantity if known else 0):
            self.want_trades()
            self.line(order.instrument).advance()

    def positions_came(self) -> None:
        """The broker's positions were read: a line may be open by less, or by more, than fills say."""
        for instrument in self.orders.instruments():
            self.line(instrument).advance()

    def _is_a_second(self, working: Working, order: BrokerOrder) -> bool:
        """Say whether it is another order under our tag: its fills count as somebody else's, and a person is told."""
        if not working.order_id or order.order_id == working.order_id:
            return False
        if order.order_id not in self.orders.others:
            text = f"two orders for {order.instrument} stand under one tag: {working.order_id} and {order.order_id}"
            self.alarm(working, "DUPLICATE_ORDER", text)
        return True

    def adopt(self, working: Working) -> None:
        """Believe the broker's book: an order whose fate was unknown, or that was thought absent, is in it."""
        if working.state in (IntentState.ABSENT, IntentState.REFUSED):
            working.is_late = True
            text = f"an order for {working.intent.key.instrument} that was {working.state} turned up at the broker"
            self.alarm(working, "LATE_ORDER", text)
        working.state = IntentState.ADOPTED
        self._tools.spawn(self._resolve_adopted(working), "adopt order")
        self.note(working, "ORDER_ADOPTED", {"order_id": working.order_id})
        self.line(working.intent.key.instrument).adopt(working)

    async def _resolve_adopted(self, working: Working) -> None:
        await self.outcomes.settle(working, IntentState.ADOPTED, order_id=working.order_id)

    async def _save_order(self, order: BrokerOrder) -> None:
        await self.outcomes.save_order(order)

    def take_trades(self, trades: Sequence[BrokerTrade]) -> list[BrokerTrade]:
        """Count fills not counted yet, tell about them, and let the lines look again."""
        new = self.orders.add_trades(trades)
        for trade in new:
            self._tell_fill(trade)
        for instrument in {trade.instrument for trade in new}:
            self.line(instrument).advance()
        if new:
            self.on_trades()
        return new

    def _tell_fill(self, trade: BrokerTrade) -> None:
        told = {
            "side": trade.side.value,
            "quantity": trade.quantity,
            "price": str(trade.price),
            "trade_id": trade.trade_id,
            "order_id": trade.order_id,
            "filled_at": trade.filled_at.isoformat(),
        }
        working = self.orders.by_order_id(trade.order_id)
        if working is not None:
            self.note(working, "FILL", {**told, "purpose": working.purpose.value})
        else:
            self._tools.journal.record(
                "EXTERNAL_FILL", self.ref.client_id, told, account=self.ref.key, instrument=trade.instrument
            )

    def note(self, working: Working, kind: str, data: Mapping[str, object]) -> None:
        """Record an event of one of our orders."""
        instrument = working.intent.key.instrument
        self._tools.journal.record(
            kind, self.ref.client_id, data, account=self.ref.key, instrument=instrument, tag=working.tag
        )

    def alarm(self, working: Working, code: str, text: str) -> None:
        """Call a person because of one of our orders."""
        self._tools.alarm(self.ref.client_id, code, text, account=self.ref.key, tag=working.tag)

    # -- asking the broker -------------------------------------------------------------------------------------

    async def read_orders(self, urgency: Urgency = Urgency.USUAL) -> list[BrokerOrder]:
        """Read the order book and take it in. Raises BrokerError; then nothing is known (see `reads`)."""
        return await self.reads.orders.ask(urgency)

    async def read_trades(self, urgency: Urgency = Urgency.USUAL) -> None:
        """Read the fills, keep them, and take them in. Raises BrokerError."""
        await self.reads.trades.ask(urgency)

    async def read_positions(self, urgency: Urgency = Urgency.USUAL) -> list[BrokerPosition]:
        """Read the positions. Raises BrokerError: a read that failed or lost something is unknown, never flat."""
        return await self.reads.positions.ask(urgency)

    async def read_quotes(self, instruments: Sequence[str]) -> dict[str, PriceQuote]:
        """Read last prices and circuit bands. Raises BrokerError."""
        return await self.reads.quotes(instruments)

    async def freshen(self) -> bool:
        """Look at the positions now; an exit does not wait long for it. False when there was no answer to believe."""
        asked = self._tools.clock.monotonic()
        await first_of(self._look(), self._tools.clock.sleep(FRESH_WITHIN_S))
        return (self.reads.positions.good_wire or float("-inf")) >= asked

    async def _look(self) -> None:
        try:
            await self.read_positions(Urgency.EXIT)
        except BrokerError as error:
            logger.info("positions of account=%s could not be read: %s", self.ref.key, error.code)

    async def read_prices(self, instruments: Sequence[str]) -> dict[str, Decimal]:
        """Read last prices. Raises BrokerError."""
        return await self.reads.prices(instruments)

    def heard_error(self, error: Exception) -> None:
        """Learn from the bad answer to an order call what concerns the account: a dead session, too many calls."""
        self.unreadable.heard(error)
        if isinstance(error, BrokerAuthError):
            self.session_lost(str(error))
        self.heard_refusal(error)
        if isinstance(error, BrokerError) and error.status == TOO_MANY_REQUESTS:
            self.budget.slow_down(self._tools.clock.monotonic())
            told = {"text": f"{self.ref.key} sends at half the speed for a while, the broker said: {error}"}
            self._tools.journal.record("SLOWED_DOWN", self.ref.client_id, told, account=self.ref.key)

    def heard_refusal(self, error: Exception) -> None:
        """Learn from the bad answer to a call of any kind whether the broker takes none from this machine."""
        if isinstance(error, BrokerForbids) and not self.forbidden:
            self.forbidden = str(error)
            text = f"{self.ref.key} may place no orders from this machine, the broker said: {error}"
            self._tools.alarm(self.ref.client_id, "EGRESS_REFUSED", text, account=self.ref.key)

    def session_lost(self, words: str) -> None:
        """The broker wants a new sign-in: no entries until it is there; the reconciler tries again by itself."""
        self.is_reconciled = False
        self.why_not = f"the broker asks for a new sign-in: {words}"
        if self.has_session:
            self.has_session = False
            text = f"{self.ref.key} must be signed in at the broker again: {words}"
            self._tools.alarm(self.ref.client_id, "BROKER_SIGN_IN", text, account=self.ref.key)
        self._tools.changed.fire()
