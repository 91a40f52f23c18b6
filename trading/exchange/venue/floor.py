"""The floor: admits, triggers, matches, changes and ends the orders that the desk took.

Resting orders are matched by better price, then the longer in the book, then by tag; never by id.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from trading.domain.orders import Side
from trading.exchange.market.quotes import Book, Quote
from trading.exchange.venue import amo, auction, margin, refusals
from trading.exchange.venue.behaviour import Behaviour
from trading.exchange.venue.books import Books
from trading.exchange.venue.kinds import AMO, AUCTION
from trading.exchange.venue.marketclock import moment_of
from trading.exchange.venue.matching import allowed_units, is_triggered
from trading.exchange.venue.orders import UPDATE, Order, Status
from trading.exchange.venue.prices import Market, TradingHours
from trading.exchange.venue.refusals import Rejection
from trading.exchange.venue.rules import protected_price


@dataclass(frozen=True, slots=True)
class Update:
    """An order message that has to go out: `word` is a final status or UPDATE."""

    order: Order
    word: str


@dataclass(slots=True)
class Floor:
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

    def heard(self, order: Order) -> None:
        """Follow up a fill or the end of an order. The floor itself does not."""

    def on_quotes(self, quotes: Iterable[Quote]) -> None:
        """Let lapse and open what is due, then match the resting orders of every instrument that has a new quote."""
        self._lapse_due()
        self.open_due()
        self._hold_auction()
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

    def open_due(self) -> None:
        """Send the orders that waited for the open to the matching, once their instrument trades."""
        now = moment_of(self.now_ms())
        for order in sorted(self.books.after_hours.values(), key=batch_key):
            if self.hours(order.instrument, now):
                del self.books.after_hours[order.order_id]
                self.books.pending[order.order_id] = order
                self._enter(order, Status.VALIDATION_PENDING)

    def _lapse_due(self) -> None:
        """End the orders whose minutes are over."""
        now_ms = self.now_ms()
        due = [order for order in self.books.timed.values() if (order.lapses_ms or now_ms) <= now_ms]
        for order in sorted(due, key=batch_key):
            self._cancel(order)

    def _hold_auction(self) -> None:
        """Match the auction's offers once its session is over: those at or below what is paid, the others lapse."""
        if not self.books.auctions or not auction.is_over(moment_of(self.now_ms())):
            return
        for order in sorted(self.books.auctions.values(), key=_priority_key):
            paid = auction.paid_price(order.instrument, self.market.quote(order.instrument.token), self.books.day)
            if order.status is Status.OPEN and order.terms.price <= paid:
                self._book(order, order.remaining, paid)
                self._finish(order, Status.COMPLETE)
            else:
                self._cancel(order)

    def cancel_all(self) -> None:
        """End the day: every live order lapses, but for those that wait for the next open."""
        for order in sorted(self.books.live_orders(), key=batch_key):
            if not order.is_after_hours:
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
        self.books.time(order)
        rejection = self._risk(order)
        if rejection is not None:
            order.terms, order.opening = before, opening
            self.books.time(order)
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
        if order.kind.variety == AMO and rejection is None:
            rejection = amo.reprice(order, self.market.quote(order.instrument.token))
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
            if order.kind.variety != AUCTION:
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
            self.heard(order)

    def _trade(self, order: Order, quote: Quote, allowed: int) -> int:
        """Book the fills of one matching and give their units. A passive order trades at its own price."""
        books = self.depth.setdefault(quote.token, {})
        book = books.get(order.user_id)
        if book is None or book.quote.serial != quote.serial:
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
        self.heard(order)


def batch_key(order: Order) -> tuple[str, str, int]:
    return order.tag, order.user_id, order.sequence


def _priority_key(order: Order) -> tuple[int, int, str, str, int]:
    """Better price first, then the longer in the book; ties by tag, never by id."""
    better = -order.side.sign * order.terms.price
    return better, order.resting_since_ms, order.tag, order.user_id, order.sequence
