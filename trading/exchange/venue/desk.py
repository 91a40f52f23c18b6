"""The order desk: takes, changes, cancels and matches orders.

Clients' calls only note what is wanted; `match_pending` does it, cancels first, then modifications, then new
orders, each sorted by (tag, user id), so that nothing depends on ids or on the order of arrival within a batch.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from trading.domain.orders import Side
from trading.exchange.market.quotes import Book, Quote
from trading.exchange.venue import margin, refusals
from trading.exchange.venue.behaviour import Behaviour
from trading.exchange.venue.books import Books
from trading.exchange.venue.marketclock import moment_of
from trading.exchange.venue.matching import allowed_units, is_triggered
from trading.exchange.venue.orders import FINAL, UPDATE, Order, Status, Terms
from trading.exchange.venue.prices import Market, TradingHours
from trading.exchange.venue.refusals import Refusal, Rejection
from trading.exchange.venue.rules import OrderRequest, check_request, protected_price

MAX_MODIFICATIONS = 25


@dataclass(frozen=True, slots=True)
class Update:
    """An order message that has to go out: `word` is a final status or UPDATE."""

    order: Order
    word: str


@dataclass(slots=True)
class Desk:
    """Orders of all users at one exchange. Every method runs on the one event loop and never waits."""

    books: Books
    market: Market
    hours: TradingHours
    now_ms: Callable[[], int]
    monotonic: Callable[[], float]
    behaviour: Behaviour = field(default_factory=Behaviour)
    updates: list[Update] = field(default_factory=list)
    depth: dict[int, dict[str, Book]] = field(default_factory=dict)
    """What is left of the present book for each user, by token; a new quote makes it whole again."""

    def place(self, user_id: str, api_key: str, request: OrderRequest) -> Order:
        """Take a new order or raise Refusal. It is matched by the next `match_pending`."""
        self._require_open(request)
        terms = check_request(request, self.market.quote(request.instrument.token))
        order = self.books.new_order(
            user_id=user_id,
            api_key=api_key,
            instrument=request.instrument,
            side=request.side,
            product=request.product,
            tag=request.tag,
            terms=terms,
            at_ms=self.now_ms(),
        )
        self._enter(order, Status.RECEIVED)
        self._enter(order, Status.VALIDATION_PENDING)
        return order

    def _require_open(self, request: OrderRequest) -> None:
        if request.instrument.is_tradable and not self.hours(request.instrument, moment_of(self.now_ms())):
            raise Refusal(refusals.market_closed(request.product).message)

    def request_modify(self, order: Order, request: OrderRequest) -> None:
        """Note a modification, checked like a new order. Raises Refusal."""
        self._require_changeable(order)
        if order.modifications >= MAX_MODIFICATIONS:
            raise Refusal(refusals.TOO_MANY_MODIFICATIONS)
        self._require_open(request)
        if request.quantity <= order.filled:
            raise Refusal(f"Quantity should be more than the {order.filled} already traded.")
        order.wants = self._wished_terms(order, request)
        order.modifications += 1
        self.books.pending[order.order_id] = order
        self._enter(order, Status.MODIFY_VALIDATION_PENDING)

    def _wished_terms(self, order: Order, request: OrderRequest) -> Terms:
        quote = self.market.quote(order.instrument.token)
        if order.triggered and request.order_type in ("SL", "SL-M"):
            # A stop that has triggered is a plain order in the book: only its limit is left to change.
            request = request.as_limit()
        terms = check_request(request, quote)
        if terms.order_type == order.terms.order_type == "LIMIT" and terms.percent is None:
            terms = terms._replace(percent=order.terms.percent)  # what was placed with protection stays marked so
        return terms

    def request_cancel(self, order: Order) -> None:
        """Note a cancellation. Raises Refusal when there is nothing left to cancel."""
        if order.status in FINAL:
            raise Refusal(f"Order cannot be cancelled as it is already {order.status}.", error_type="OrderException")
        if order.wants_cancel:
            return
        order.wants_cancel = True
        self.books.pending[order.order_id] = order
        self._enter(order, Status.CANCEL_PENDING)

    def _require_changeable(self, order: Order) -> None:
        if order.status in FINAL:
            raise Refusal(f"Order cannot be modified as it is already {order.status}.", error_type="OrderException")
        if order.is_new or order.wants is not None or order.wants_cancel:
            raise Refusal(refusals.BUSY_ORDER, error_type="OrderException")

    def match_pending(self) -> None:
        """Do everything that was asked for since the last time."""
        batch = sorted(self.books.pending.values(), key=_batch_key)
        self.books.pending.clear()
        for order in batch:
            if order.wants_cancel:
                self._cancel(order)
        for order in batch:
            if order.is_live and order.wants is not None:
                self._modify(order)
        for order in batch:
            if order.is_live and order.is_new:
                self._admit(order)

    def on_quotes(self, quotes: Iterable[Quote]) -> None:
        """Match the resting orders of every instrument that has a new quote."""
        for quote in quotes:
            self.depth.pop(quote.token, None)
            resting = self.books.by_token.get(quote.token)
            if resting:
                self._match_resting(list(resting.values()), quote)

    def _match_resting(self, resting: list[Order], quote: Quote) -> None:
        if not self.hours(resting[0].instrument, moment_of(self.now_ms())):
            return
        for order in sorted(resting, key=_priority_key):
            if order.status is Status.TRIGGER_PENDING:
                self._trigger_if_due(order, quote)
            elif order.status is Status.OPEN:
                self._match(order, quote)

    def cancel_all(self) -> None:
        """End the day: every live order lapses."""
        for order in sorted(self.books.live_orders(), key=_batch_key):
            self._cancel(order)

    def _cancel(self, order: Order) -> None:
        order.wants, order.wants_cancel = None, False
        order.cancelled = order.terms.quantity - order.filled
        self._finish(order, Status.CANCELLED)

    def _modify(self, order: Order) -> None:
        assert order.wants is not None  # noqa: S101 - the caller looked
        before, opening = order.terms, order.opening
        before_status = Status.OPEN if order.triggered or before.order_type == "LIMIT" else Status.TRIGGER_PENDING
        order.terms, order.wants = order.wants, None
        rejection = self._risk(order)
        if rejection is not None:
            order.terms, order.opening = before, opening
            margin.block(self.books.accounts[order.user_id], order)
            order.message, order.raw = rejection.message, rejection.raw
            self._enter(order, before_status)
            self.updates.append(Update(order, UPDATE))
            return
        order.message = order.raw = None
        order.passive, order.resting_since_ms = False, self.now_ms()
        order.exchange_ms = self.now_ms()
        self._enter(order, Status.MODIFY_PENDING)
        self._enter(order, Status.MODIFIED)
        self.updates.append(Update(order, UPDATE))
        self._stand(order)

    def _admit(self, order: Order) -> None:
        """Check a new order's risk and session, and let it into the book."""
        rejection = None
        if not self.hours(order.instrument, moment_of(self.now_ms())):
            rejection = refusals.market_closed(order.product)
        rejection = rejection or self._risk(order)
        if rejection is not None:
            order.message, order.raw = rejection.message, rejection.raw
            order.opening = 0
            self._finish(order, Status.REJECTED)
            return
        self._enter(order, Status.OPEN_PENDING)
        order.exchange_ms = order.resting_since_ms = self.now_ms()
        self.books.rest(order)
        self._stand(order)

    def _stand(self, order: Order) -> None:
        """Put an admitted or modified order into its waiting state and match it once."""
        quote = self.market.quote(order.instrument.token)
        if order.terms.order_type == "LIMIT" or order.triggered:
            self._enter(order, Status.OPEN)
            self._match(order, quote)
            return
        self._enter(order, Status.TRIGGER_PENDING)
        self._trigger_if_due(order, quote)

    def _trigger_if_due(self, order: Order, quote: Quote) -> None:
        terms = order.terms
        if not is_triggered(order.side, terms.trigger_price, quote.ltp):
            return
        order.triggered = True
        if terms.order_type == "SL-M" and terms.percent is not None:
            limit = protected_price(order.instrument, order.side, quote, Decimal(terms.percent))
            order.terms = terms._replace(order_type="LIMIT", price=limit)
        order.resting_since_ms = self.now_ms()
        self._enter(order, Status.OPEN_PENDING)
        self._enter(order, Status.OPEN)
        self._match(order, quote)

    def _risk(self, order: Order) -> Rejection | None:
        """Check shares and margin of an order as it stands; sets how much of it opens a position."""
        account = self.books.accounts[order.user_id]
        if order.product == "CNC" and order.side is Side.SELL:
            free = account.deliverable(order.instrument.token) - (0 if order.is_in_book else order.remaining)
            if free < 0:
                return refusals.insufficient_holding(order.remaining, max(0, free + order.remaining), order.user_id)
        margin.release(account, order)
        order.opening = margin.opening_part(account, order)
        required, free = margin.order_margin(order), margin.available(account)
        if required > 0 and required > free:
            return refusals.insufficient_funds(required, free, order.user_id)
        margin.block(account, order)
        return None

    def _match(self, order: Order, quote: Quote) -> None:
        """Trade what the present book and the fill schedule let through, then rest, complete or lapse."""
        allowed = allowed_units(self.behaviour.fill_schedule, order.attempts, order.remaining)
        order.attempts += 1
        filled = self._trade(order, quote, allowed) if allowed else 0
        if order.remaining == 0:
            self._finish(order, Status.COMPLETE)
        elif order.terms.validity == "IOC":
            order.cancelled = order.remaining
            self._finish(order, Status.CANCELLED)
        elif filled:
            self._enter(order, Status.OPEN)
            self.updates.append(Update(order, UPDATE))

    def _trade(self, order: Order, quote: Quote, allowed: int) -> int:
        """Book the fills of one matching and give their units. A passive order trades at its own price."""
        books = self.depth.setdefault(quote.token, {})
        book = books.get(order.user_id)
        if book is None:
            book = books[order.user_id] = Book(quote)
        fills = book.walk(order.side, allowed, order.terms.price)
        filled = sum(quantity for _, quantity in fills)
        if filled:
            order.exchange_ms = self.now_ms()
        if order.passive and filled:
            self._book(order, filled, order.terms.price)
        else:
            for price, quantity in fills:
                self._book(order, quantity, price)
        order.passive = order.passive or filled < allowed
        if filled:
            margin.block(self.books.accounts[order.user_id], order)
        return filled

    def _book(self, order: Order, quantity: int, price: int) -> None:
        self.books.add_trade(order, quantity, price, self.now_ms(), self.monotonic())

    def _enter(self, order: Order, status: Status) -> None:
        order.enter(status, self.now_ms(), self.monotonic())
        self.books.dirty[order.order_id] = order

    def _finish(self, order: Order, status: Status) -> None:
        self._enter(order, status)
        self.books.close(order)
        self.updates.append(Update(order, status))


def _batch_key(order: Order) -> tuple[str, str, int]:
    return order.tag, order.user_id, order.sequence


def _priority_key(order: Order) -> tuple[int, int, str, str, int]:
    """Better price first, then the longer in the book; ties by tag, never by id."""
    better = -order.side.sign * order.terms.price
    return better, order.resting_since_ms, order.tag, order.user_id, order.sequence
