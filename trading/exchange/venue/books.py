"""All accounts and orders of the venue, with what changed since the last write to disk."""

from collections.abc import Iterable
from datetime import date

from trading.domain.instruments import Instrument
from trading.domain.orders import Side
from trading.exchange.venue import margin
from trading.exchange.venue.accounts import Account, FinalPrice
from trading.exchange.venue.kinds import AMO, AUCTION, PLAIN, Kind
from trading.exchange.venue.orders import Order, Status, Terms, Trade
from trading.exchange.venue.queueing import Queues

ORDER_ID_BASE = 1_900_000_000_000_000_000
IDS_PER_DAY = 10**10


class Books:
    """The ledger. Sequences of orders and trades count up over all days and are never used twice."""

    def __init__(self, accounts: Iterable[Account], day: date) -> None:
        self.day = day
        self.accounts = {account.user_id: account for account in accounts}
        self.orders: dict[str, Order] = {}
        self.last_order = 0
        self.last_trade = 0
        self.by_token: dict[int, dict[str, Order]] = {}
        """Orders in the exchange's book: live and past validation."""
        self.pending: dict[str, Order] = {}
        """New orders, and those with a wish to change or cancel, not yet seen by the matching."""
        self.after_hours: dict[str, Order] = {}
        """Orders that wait for the next open; they outlive the day."""
        self.timed: dict[str, Order] = {}
        """Live orders with a life in minutes."""
        self.auctions: dict[str, Order] = {}
        """Orders in the auction's book."""
        self.queues = Queues()
        """Those of `by_token` that wait for a counterparty or a trigger."""
        self.dirty: dict[str, Order] = {}
        self.new_trades: list[Trade] = []

    def new_order(
        self,
        *,
        user_id: str,
        api_key: str,
        instrument: Instrument,
        side: Side,
        product: str,
        tag: str,
        terms: Terms,
        at_ms: int,
        kind: Kind = PLAIN,
    ) -> Order:
        """Give an order its id (19 digits) and put it among the pending ones, or among those for the next open."""
        order_id, sequence = self.next_id()
        order = Order(
            order_id=order_id,
            sequence=sequence,
            user_id=user_id,
            api_key=api_key,
            instrument=instrument,
            side=side,
            product=product,
            tag=tag,
            terms=terms,
            placed_ms=at_ms,
            kind=kind,
            status=Status.AMO_RECEIVED if kind.variety == AMO else Status.RECEIVED,
        )
        self.index(order)
        return order

    def next_id(self) -> tuple[str, int]:
        """Give the next order id and its sequence number."""
        self.last_order += 1
        return str(ORDER_ID_BASE + self.day.toordinal() * IDS_PER_DAY + self.last_order), self.last_order

    def index(self, order: Order) -> None:
        """Put an order, new or restored, where it is looked for."""
        account = self.accounts[order.user_id]
        self.orders[order.order_id] = account.orders[order.order_id] = order
        if not order.is_live:
            return
        account.live[order.order_id] = order
        self.time(order)
        if order.is_after_hours:
            self.after_hours[order.order_id] = order
        if order.is_new or order.wants is not None or order.wants_cancel:
            self.pending[order.order_id] = order
        if order.is_in_book:
            self.rest(order)
            margin.block(account, order)
            self.queue(order)

    def time(self, order: Order) -> None:
        """Remember a live order by its life in minutes, or forget it when its validity has changed."""
        if order.terms.ttl:
            self.timed[order.order_id] = order
        else:
            self.timed.pop(order.order_id, None)

    def live_orders(self) -> list[Order]:
        """Give every order that is not final."""
        return [order for account in self.accounts.values() for order in account.live.values()]

    def rest(self, order: Order) -> None:
        """Put an order into the exchange's book, or into the auction's."""
        if order.kind.variety == AUCTION:
            self.auctions[order.order_id] = order
            return
        self.by_token.setdefault(order.instrument.token, {})[order.order_id] = order

    def queue(self, order: Order) -> None:
        """Let an order of the exchange's book wait for a counterparty, or a stop for its trigger."""
        if order.kind.variety == AUCTION:
            return
        if order.terms.order_type == "LIMIT" or order.triggered:
            self.queues.put(order)
        else:
            self.queues.put_stop(order)

    def count_fill(self, order: Order) -> None:
        """Count the margin of an order that filled anew, and of the exits whose position it closed."""
        for other in margin.after_fill(self.accounts[order.user_id], order):
            self.dirty[other.order_id] = other

    def close(self, order: Order) -> None:
        """Take a final order out of every live index."""
        self.queues.take_out(order)
        account = self.accounts[order.user_id]
        account.live.pop(order.order_id, None)
        margin.release(account, order)
        self.by_token.get(order.instrument.token, {}).pop(order.order_id, None)
        for index in (self.pending, self.after_hours, self.timed, self.auctions):
            index.pop(order.order_id, None)

    def add_trade(
        self, order: Order, quantity: int, price: int, at_ms: int, wire_s: float, met: Trade | None = None
    ) -> Trade:
        """Book one fill of an order. `met` is the other side's, when an account has it: they bear one id."""
        self.last_trade += 1
        order.filled += quantity
        order.filled_value += quantity * price
        trade = Trade(
            trade_id=str(10_000_000 + self.last_trade) if met is None else met.trade_id,
            sequence=self.last_trade,
            order_id=order.order_id,
            user_id=order.user_id,
            token=order.instrument.token,
            side=order.side,
            product=order.product,
            quantity=quantity,
            price=price,
            at_ms=at_ms,
            wire_s=wire_s,
        )
        self.accounts[order.user_id].book(trade, order.instrument)
        self.new_trades.append(trade)
        return trade

    def roll(self, day: date, final_price: FinalPrice) -> None:
        """Begin another day: settle every account and forget the orders, but for those that wait for the open."""
        waiting = list(self.after_hours.values())
        for account in self.accounts.values():
            account.settle(final_price)
        self.day = day
        self.orders, self.by_token, self.pending, self.dirty, self.new_trades = {}, {}, {}, {}, []
        self.after_hours, self.timed, self.auctions = {}, {}, {}
        self.queues = Queues()
        for order in waiting:
            self.index(order)
