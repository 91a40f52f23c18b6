"""A broker with a small ledger of its own and scripted outcomes. The ledger is a test's truth."""

import asyncio
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from tests.fakes.lies import Lies
from trading.domain.errors import BrokerAuthError, BrokerForbids, BrokerRejected, BrokerUnavailable, OrderOutcomeUnknown
from trading.domain.orders import BrokerOrder, BrokerPosition, BrokerTrade, OrderChange, OrderIntent, OrderStatus, Side
from trading.domain.positions import Position, PositionKey, fold_trades
from trading.domain.repricing import PriceQuote
from trading.ports import OrderUpdate

FILL, REST, REJECT, DIE, LOST, LOST_RESTING, DROPPED, AUTH, HANG, TOO_MANY, FORBID, NEVER_LEFT = (
    "fill", "rest", "reject", "die", "lost", "lost resting", "dropped", "auth", "hang", "too many", "forbid",
    "never left",
)  # fmt: skip
"""What becomes of a placed order: filled at once, resting, refused with an error, accepted and rejected later,
accepted but the answer lost (filled or resting), lost before it was accepted, session dead, no answer ever,
one call too many, refused because of the address it came from, not sent as there was no connection."""
CAPPED = "capped"
"""What becomes of a change: refused because there were too many."""


class FakeBroker:
    """One account. `script` gives the outcomes of the next orders; without one they fill at `prices`."""

    def __init__(self, now: Callable[[], datetime], name: str = "AB1001") -> None:
        self.name = name
        self.prices: dict[str, Decimal] = {}
        self.script: deque[str] = deque()
        self.placed: list[OrderIntent] = []
        self.changed: list[tuple[str, OrderChange]] = []
        self.change_script: deque[str] = deque()
        self.fills_changed = False
        """Whether an order fills as soon as it was changed; otherwise it rests where it was changed to."""
        self.bands: dict[str, tuple[Decimal, Decimal]] = {}
        """Circuit limits by instrument; without them a quote says none."""
        self.quoted: list[tuple[str, ...]] = []
        self.cancelled: list[str] = []
        self.book: dict[str, BrokerOrder] = {}
        self.fills: list[BrokerTrade] = []
        self.converted: list[tuple[str, str, int]] = []
        """(instrument, new product, signed units) that left MIS by a conversion in the broker's app."""
        self.lies = Lies()
        self.calls: list[str] = []
        """Reads and orders in the order in which they came."""
        self.most_open: dict[str, int] = defaultdict(int)
        self.reads = 0
        self.is_down = False
        """Nothing gets through: reads and cancels fail, orders are lost before they are accepted."""
        self.is_readable = True
        self.garbles = False
        """Every read is answered by something that nobody understands."""
        self.quotes_fail = False
        """Last prices cannot be had; all else can be read."""
        self.has_session = True
        self.sees_book = True
        self.tells_updates = True
        self.takes_cancels = True
        self.before_place: Callable[[OrderIntent], None] = lambda _: None
        self._now = now
        self._queues: list[asyncio.Queue[OrderUpdate]] = []
        self._serial = 0

    # -- Broker ------------------------------------------------------------------------------------------------

    async def place(self, intent: OrderIntent) -> str:
        self.before_place(intent)
        self.placed.append(intent)
        self.calls.append("place")
        outcome = DROPPED if self.is_down else self.script.popleft() if self.script else FILL
        if outcome == HANG:
            await asyncio.Event().wait()
        if outcome == FORBID:
            words = "IP (203.0.113.7) is not allowed to place orders for this app."
            raise BrokerForbids(words, error_type="PermissionException", status=403)
        if outcome == REJECT:
            raise BrokerRejected("Insufficient funds.", error_type="MarginException", status=400)
        if outcome == TOO_MANY:
            raise BrokerRejected("Too many requests", error_type="NetworkException", status=429)
        if outcome == AUTH or not self.has_session:
            raise BrokerAuthError("Incorrect `api_key` or `access_token`.", status=403)
        if outcome == NEVER_LEFT:
            raise BrokerUnavailable("no connection (ClientConnectorDNSError)")
        if outcome == DROPPED:
            raise OrderOutcomeUnknown("read timed out")
        order_id = self._accept(intent)
        if outcome == DIE:
            self._change(order_id, status=OrderStatus.REJECTED, status_message="RMS:Margin Exceeds")
        elif outcome.startswith("partial:"):
            self.fill(order_id, int(outcome.partition(":")[2]))
        elif outcome in (FILL, LOST):
            self.fill(order_id)
        if outcome in (LOST, LOST_RESTING):
            raise OrderOutcomeUnknown("read timed out")
        return order_id

    async def modify(self, order_id: str, change: OrderChange) -> None:
        self.changed.append((order_id, change))
        outcome = self.change_script.popleft() if self.change_script else FILL
        if outcome == DROPPED:
            raise OrderOutcomeUnknown("read timed out")
        if outcome == CAPPED:
            raise BrokerRejected("Maximum allowed order modifications exceeded.", status=400)
        if outcome == REJECT or self.book[order_id].status.is_final:
            raise BrokerRejected("Order cannot be modified as it is being processed. Try later.", status=400)
        order = self.book[order_id]
        price = change.price if change.price is not None else order.price
        trigger = change.trigger_price if change.trigger_price is not None else order.trigger_price
        self._change(order_id, price=price, trigger_price=trigger, quantity=change.quantity or order.quantity)
        if outcome.startswith("partial:"):
            self.fill(order_id, int(outcome.partition(":")[2]))
        elif self.fills_changed:
            self.fill(order_id)
        if outcome in (LOST, LOST_RESTING):
            raise OrderOutcomeUnknown("read timed out")

    async def quotes(self, instruments: Sequence[str]) -> dict[str, PriceQuote]:
        self._read()
        self.quoted.append(tuple(instruments))
        return {
            key: PriceQuote(self.prices[key], *self.bands.get(key, (None, None)))
            for key in instruments
            if key in self.prices
        }

    async def cancel(self, order_id: str) -> None:
        self.cancelled.append(order_id)
        if self.is_down or not self.takes_cancels:
            raise BrokerUnavailable("gateway timeout", status=504)
        if self.book[order_id].status.is_final:
            raise BrokerRejected("Order cannot be cancelled as it is already final.", status=400)
        self._change(order_id, status=OrderStatus.CANCELLED)

    async def orders(self) -> list[BrokerOrder]:
        self._read()
        self.calls.append("orders")
        return self.lies.orders.told(list(self.book.values())) if self.sees_book else []

    async def trades(self) -> list[BrokerTrade]:
        self._read()
        self.calls.append("trades")
        return self.lies.trades.told(list(self.fills))

    async def positions(self) -> list[BrokerPosition]:
        self._read()
        self.calls.append("positions")
        return self.lies.positions.told(self._rows())

    def _rows(self) -> list[BrokerPosition]:
        """Give today's rows; converted units count in their new product as if they had been traded there."""
        moved = [(key, "MIS", -units) for key, _, units in self.converted]
        moved += [(key, product, units) for key, product, units in self.converted]
        held = dict(fold_trades(self.fills).positions)
        for key, product, _ in moved:
            held.setdefault(PositionKey(key, product), Position(PositionKey(key, product)))
        rows = []
        for (key, product), p in held.items():
            units = sum(n for k, to, n in moved if (k, to) == (key, product))
            bought = p.buy_quantity + (units if p.buy_quantity + units >= 0 else 0)
            sold = p.sell_quantity + bought - p.buy_quantity - units
            ltp = self.prices.get(key, Decimal(0))
            pnl, average = p.realised_pnl + p.unrealised_pnl(ltp), p.average_price or Decimal(0)
            net = p.net_quantity + units
            rows.append(BrokerPosition(key, product, net, average, ltp, pnl, bought=bought, sold=sold))
        return rows

    async def last_prices(self, instruments: Sequence[str]) -> dict[str, Decimal]:
        self._read()
        if self.quotes_fail:
            raise BrokerUnavailable("gateway timeout", status=504)
        return {key: self.prices[key] for key in instruments if key in self.prices}

    async def order_updates(self) -> AsyncIterator[OrderUpdate]:
        queue: asyncio.Queue[OrderUpdate] = asyncio.Queue()
        self._queues.append(queue)
        self._serial = 0
        yield OrderUpdate(None)
        while True:
            yield await queue.get()

    async def close(self) -> None:
        self._queues.clear()

    # -- what a test does and asks -----------------------------------------------------------------------------

    def fill(self, order_id: str, quantity: int | None = None, *, price: Decimal | None = None) -> None:
        """Fill an order, or a part of it, at a price or the instrument's present one."""
        order = self.book[order_id]
        quantity = order.quantity - order.filled_quantity if quantity is None else quantity
        price = self.prices[order.instrument] if price is None else price
        self._trade(order_id, order.instrument, order.side, quantity, price)
        filled = order.filled_quantity + quantity
        is_done = filled == order.quantity
        status = OrderStatus.COMPLETE if is_done else OrderStatus.OPEN
        self._change(order_id, status=status, filled_quantity=filled, average_price=price)

    def trade_by_hand(self, instrument: str, side: Side, quantity: int, product: str = "MIS") -> None:
        """Trade in the broker's own app; no message tells of it."""
        order_id, price = f"hand-{len(self.fills)}", self.prices[instrument]
        self._trade(order_id, instrument, side, quantity, price, product)
        done = (order_id, "", OrderStatus.COMPLETE, instrument, side, product, quantity, quantity, price)
        self.book[order_id] = BrokerOrder(*done, placed_at=self._now(), updated_at=self._now())

    def net(self, instrument: str) -> int:
        """Give the signed intraday units open."""
        traded = sum(t.side.sign * t.quantity for t in self.fills if (t.instrument, t.product) == (instrument, "MIS"))
        return traded - sum(units for moved, _, units in self.converted if moved == instrument)

    def realised(self) -> Decimal:
        """Give the realised P&L of the ledger."""
        return fold_trades(self.fills).realised_pnl()

    def live(self) -> list[BrokerOrder]:
        """Give the orders that may still fill."""
        return [order for order in self.book.values() if order.is_live]

    def tell(self, order: BrokerOrder) -> None:
        """Send an order message to whoever listens."""
        self._serial += 1
        for queue in self._queues:
            queue.put_nowait(OrderUpdate(order, self._serial))

    # -- inside ------------------------------------------------------------------------------------------------

    def _accept(self, intent: OrderIntent) -> str:
        order_id = f"{self.name}-{len(self.book) + 1}"
        assert not any(order.tag == intent.tag for order in self.book.values()), f"{intent.key.text()} came twice"
        self.book[order_id] = BrokerOrder(
            order_id=order_id,
            tag=intent.tag,
            status=OrderStatus.OPEN if intent.trigger_price is None else OrderStatus.TRIGGER_PENDING,
            instrument=intent.key.instrument,
            side=intent.side,
            product=intent.product.value,
            quantity=intent.quantity,
            filled_quantity=0,
            average_price=Decimal(0),
            price=intent.price,
            trigger_price=intent.trigger_price,
            placed_at=self._now(),
            updated_at=self._now(),
        )
        return order_id

    def _change(self, order_id: str, **changes: object) -> None:
        self.book[order_id] = replace(self.book[order_id], updated_at=self._now(), **changes)  # type: ignore[arg-type]
        if self.tells_updates:
            self.tell(self.book[order_id])

    def _trade(
        self, order_id: str, instrument: str, side: Side, quantity: int, price: Decimal, product: str = "MIS"
    ) -> None:
        trade_id = f"T{len(self.fills) + 1:06}"
        self.fills.append(
            BrokerTrade(trade_id, order_id, instrument, side, product, quantity, price, filled_at=self._now())
        )
        self.most_open[instrument] = max(self.most_open[instrument], abs(self.net(instrument)))

    def _read(self) -> None:
        self.reads += 1
        if not self.has_session:
            raise BrokerAuthError("Incorrect `api_key` or `access_token`.", status=403)
        if self.is_down or not self.is_readable:
            raise BrokerUnavailable("gateway timeout", status=504)
        if self.garbles:
            raise BrokerUnavailable("order book: HTTP 200 with content type text/html", is_unreadable=True)
