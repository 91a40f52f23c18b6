"""The floor: admits, triggers, changes and ends the orders that the desk took; the matcher below it fills them."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from trading.domain.orders import Side
from trading.exchange.market.quotes import Quote
from trading.exchange.venue import amo, auction, margin, refusals
from trading.exchange.venue.kinds import AMO
from trading.exchange.venue.marketclock import moment_of
from trading.exchange.venue.matcher import Matcher, Update
from trading.exchange.venue.matching import is_triggered
from trading.exchange.venue.orders import UPDATE, Order, Status, Terms
from trading.exchange.venue.queueing import priority_key
from trading.exchange.venue.refusals import Rejection
from trading.exchange.venue.rules import protected_price

__all__ = ["Floor", "Update", "batch_key"]


@dataclass(slots=True)
class Floor(Matcher):
    """What happens to an order at the exchange beside its fills."""

    def goes_out(self, order: Order) -> bool:
        """Say whether an order of the evening goes to the exchange now."""
        return self.trades_now(order)

    def why_not_now(self, order: Order) -> Rejection | None:
        """Say why the exchange does not take an order that the broker took; None when it does."""
        return None if self.trades_now(order) else refusals.market_closed(order.product)

    def trades_now(self, order: Order) -> bool:
        """Say whether an order is matched with the book as it stands."""
        return self.hours(order.instrument, moment_of(self.now_ms()))

    def on_quotes(self, quotes: Iterable[Quote]) -> None:
        """Let lapse and open what is due, then match the resting orders of every instrument that has a new quote."""
        self.hand.on_time(self)
        self._lapse_due()
        self.open_due()
        self._hold_auction()
        for quote in quotes:
            traded = self.street.follow(quote)
            resting = self.books.by_token.get(quote.token)
            if resting and self.hours(next(iter(resting.values())).instrument, moment_of(self.now_ms())):
                self.meet_arrivals(quote, traded)
                self._trigger_stops(quote)

    def _trigger_stops(self, quote: Quote) -> None:
        """Let the stops go whose trigger the last price reached."""
        due = [
            stop
            for stop in self.books.queues.stops(quote.token)
            if stop.status is Status.TRIGGER_PENDING and is_triggered(stop.side, stop.terms.trigger_price, quote.ltp)
        ]
        for stop in sorted(due, key=priority_key):
            if stop.is_live:  # one before it may have ended it
                self._trigger(stop, quote)

    def open_due(self) -> None:
        """Send the orders of the evening to the matching, once a session takes them."""
        for order in sorted(self.books.after_hours.values(), key=batch_key):
            if self.goes_out(order):
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
        for order in sorted(self.books.auctions.values(), key=priority_key):
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
        rejection = self._too_late(order) or self._risk(order)
        if rejection is not None:
            order.terms, order.opening = before, opening
            self.books.time(order)
            margin.block(self.books.accounts[order.user_id], order)
            order.message, order.raw = rejection.message, rejection.raw
            self._enter(order, before_status)
            self.updates.append(Update(order, UPDATE))
            return
        order.message = order.raw = None
        if not (keeps := keeps_place(before, order.terms)):
            self.books.queues.take_out(order)
            order.passive, order.mark, order.resting_since_ms = False, None, self.now_ms()
        order.exchange_ms = self.now_ms()
        self._enter(order, Status.MODIFY_PENDING)
        self._enter(order, Status.MODIFIED)
        self.updates.append(Update(order, UPDATE))
        if keeps:
            self._enter(order, before_status)
        else:
            self._stand(order)

    def _too_late(self, order: Order) -> Rejection | None:
        """Refuse a change to fewer units than another account's order took in the same step."""
        if order.terms.quantity > order.filled:
            return None
        text = f"Quantity should be more than the {order.filled} already traded."
        return Rejection(text, text)

    def _admit(self, order: Order) -> None:
        """Check a new order's risk and session, and let it into the book."""
        if self.hand.holds(self, order):
            return
        rejection = self.why_not_now(order)
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
            if self.trades_now(order):
                self._match(order, quote)
            return
        self._enter(order, Status.TRIGGER_PENDING)
        if is_triggered(order.side, order.terms.trigger_price, quote.ltp):
            self._trigger(order, quote)
        else:
            self.books.queue(order)

    def _trigger(self, order: Order, quote: Quote) -> None:
        self.books.queues.take_out(order)
        terms = order.terms
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


def batch_key(order: Order) -> tuple[str, str, int]:
    return order.tag, order.user_id, order.sequence


def keeps_place(before: Terms, after: Terms) -> bool:
    """Say whether a change leaves an order its time priority: only one to fewer units does, as at the exchange."""
    return after.quantity < before.quantity and after._replace(quantity=before.quantity) == before
