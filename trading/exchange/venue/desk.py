"""The order desk: takes, changes and cancels orders of every variety, and follows them up.

Clients' calls only note what is wanted; `match_pending` does it, cancels first, then modifications, then new
orders, each sorted by (tag, user id), so that nothing depends on ids or on the order of arrival within a batch.
"""

from collections.abc import Callable
from decimal import Decimal

from trading.exchange.market.quotes import Quote
from trading.exchange.venue import amo, auction, cover, entry_rules, iceberg, margin, refusals
from trading.exchange.venue.floor import Update, batch_key
from trading.exchange.venue.kinds import AMO, AUCTION, COVER, ICEBERG, PLAIN, REGULAR, Kind
from trading.exchange.venue.marketclock import moment_of
from trading.exchange.venue.orders import UPDATE, Order, Status, Terms
from trading.exchange.venue.phases import PhasedFloor
from trading.exchange.venue.refusals import Refusal
from trading.exchange.venue.rules import OrderRequest, check_request, protected_price
from trading.exchange.venue.square_off_times import PRODUCTS

__all__ = ["Desk", "Update"]

MAX_MODIFICATIONS = 25

_FIRST_LEGS: dict[str, Callable[[OrderRequest, Quote], tuple[OrderRequest, Kind]]] = {
    REGULAR: lambda request, _: (request, PLAIN),
    AMO: lambda request, _: (amo.checked(request), Kind(AMO)),
    ICEBERG: iceberg.first_leg,
    COVER: cover.first_leg,
}
"""What each variety makes of a client's wish: the order that is taken now, and its kind."""


class Desk(PhasedFloor):
    """What clients may ask for."""

    def place(self, user_id: str, api_key: str, request: OrderRequest) -> Order:
        """Take a new order or raise Refusal. It is matched by the next `match_pending`, an AMO after the open."""
        quote = self.market.quote(request.instrument.token)
        if request.variety == AUCTION:
            auction.require_session(moment_of(self.now_ms()))
            offer = auction.checked(request, quote, self.books.accounts[user_id], self.books.day)
            return self.take(user_id, api_key, request, *offer)
        if request.variety not in _FIRST_LEGS:
            raise Refusal("Invalid `variety`.")
        request, kind = _FIRST_LEGS[request.variety](request, quote)
        return self.take(user_id, api_key, request, self.checked(request), kind)

    def checked(self, request: OrderRequest) -> Terms:
        """Check a request that may be placed now and give its terms, or raise Refusal."""
        self._require_open(request)
        terms = check_request(request, self.market.quote(request.instrument.token))
        return terms if request.variety == AMO else self.in_session(request, terms)

    def take(self, user_id: str, api_key: str, request: OrderRequest, terms: Terms, kind: Kind) -> Order:
        """Take an order whose terms were checked."""
        order = self.books.new_order(
            user_id=user_id,
            api_key=api_key,
            instrument=request.instrument,
            side=request.side,
            product=request.product,
            tag=request.tag,
            terms=terms,
            at_ms=self.now_ms(),
            kind=kind,
        )
        return self._received(order)

    def _received(self, order: Order) -> Order:
        self._enter(order, order.status)
        if order.is_new:
            self._enter(order, Status.VALIDATION_PENDING)
        return order

    def _require_open(self, request: OrderRequest) -> None:
        if request.variety == AMO:
            amo.require_window(self.hours, request.instrument, moment_of(self.now_ms()))
        elif request.instrument.is_tradable:
            entry_rules.check_entry(request, self.session(request.instrument))
            now = moment_of(self.now_ms())
            if request.product in PRODUCTS and self.square_off_times.is_over(request.instrument, now):
                raise Refusal(refusals.intraday_over(request.product))

    # -- changes -------------------------------------------------------------------------------------

    def request_modify(self, order: Order, request: OrderRequest) -> None:
        """Note a modification, checked like a new order. Raises Refusal."""
        self._require_changeable(order)
        if not order.is_after_hours:
            entry_rules.check_change(order, self.session(order.instrument))
        if order.kind.variety == AUCTION:
            raise Refusal("Auction orders cannot be modified. Cancel the order and place a new one.")
        if order.modifications >= MAX_MODIFICATIONS:
            raise Refusal(refusals.TOO_MANY_MODIFICATIONS)
        self._require_open(request)
        if request.quantity <= order.filled:
            raise Refusal(f"Quantity should be more than the {order.filled} already traded.")
        iceberg.check_change(order, request)
        cover.check_change(order, request, self.market.quote(order.instrument.token))
        wished = self._wished_terms(order, request)
        order.modifications += 1
        if order.is_after_hours:
            order.terms = wished
            self._enter(order, Status.AMO_MODIFIED)
            return
        order.wants = wished
        self.books.pending[order.order_id] = order
        self._enter(order, Status.MODIFY_VALIDATION_PENDING)

    def _wished_terms(self, order: Order, request: OrderRequest) -> Terms:
        quote = self.market.quote(order.instrument.token)
        if order.triggered and request.order_type in ("SL", "SL-M"):
            # A stop that has triggered is a plain order in the book: only its limit is left to change.
            request = request.as_limit()
        terms = check_request(request, quote)
        if not order.is_after_hours:
            terms = self.in_session(request, terms)
        if terms.order_type == order.terms.order_type == "LIMIT" and terms.percent is None:
            terms = terms._replace(percent=order.terms.percent)  # what was placed with protection stays marked so
        return terms

    def _require_changeable(self, order: Order) -> None:
        self.hand.require_reachable(order, refusals.BUSY_ORDER)
        if not order.is_live or order.is_new or order.wants is not None or order.wants_cancel:
            raise Refusal(refusals.BUSY_ORDER)

    def request_cancel(self, order: Order, parent_order_id: str = "") -> None:
        """Note a cancellation, or the exit of a cover order. Raises Refusal when there is nothing left to cancel."""
        if not order.is_live:
            raise Refusal(refusals.BUSY_CANCEL)
        if cover.is_second_leg(order):
            self._request_exit(order, parent_order_id)
            return
        if order.is_after_hours:
            amo.require_window(self.hours, order.instrument, moment_of(self.now_ms()))
            self._cancel(order)
            return
        entry_rules.check_change(order, self.session(order.instrument))
        if order.wants_cancel:
            return
        self.hand.require_reachable(order, refusals.BUSY_CANCEL)
        order.wants_cancel = True
        self.books.pending[order.order_id] = order
        self._enter(order, Status.CANCEL_PENDING)

    def _request_exit(self, stop: Order, parent_order_id: str) -> None:
        """Turn a cover order's stop into a market order, and end what is left of its entry."""
        if parent_order_id != stop.kind.parent_order_id:
            raise Refusal(refusals.COVER_EXIT)
        self._require_changeable(stop)
        if not self.trades_now(stop):
            raise Refusal(refusals.market_closed(stop.product).message)
        entry = self.books.orders[parent_order_id]
        if entry.is_live:
            self.request_cancel(entry)
        stop.wants = cover.exit_terms(stop, self.market.quote(stop.instrument.token))
        stop.modifications += 1
        self.books.pending[stop.order_id] = stop
        self._enter(stop, Status.MODIFY_VALIDATION_PENDING)

    # -- matching and what follows from it -----------------------------------------------------------

    def match_pending(self) -> None:
        """Do everything that was asked for since the last time."""
        batch = sorted(self.books.pending.values(), key=batch_key)
        self.books.pending.clear()
        for order in batch:
            if order.wants_cancel:
                self.hand.cancel(self, order)
        for order in batch:
            if order.is_live and order.wants is not None:
                self._modify(order)
        for order in batch:
            if order.is_live and order.is_new:
                self._admit(order)

    def heard(self, order: Order) -> None:
        """Place what follows from a fill or an end: the iceberg's next leg, the cover order's stop."""
        if order.kind.iceberg is not None:
            self._place_next_leg(order)
        elif cover.is_second_leg(order):
            self._end_entry(self.books.orders[order.kind.parent_order_id or ""])
        elif order.kind.variety == COVER and order.filled:
            self._protect(order)

    def _trigger(self, order: Order, quote: Quote) -> None:
        """Let a stop go; a cover order's takes the rest of its entry out first, which would stand in its way."""
        if cover.is_second_leg(order):
            self._end_entry(self.books.orders[order.kind.parent_order_id or ""])
        super()._trigger(order, quote)

    def _place_next_leg(self, order: Order) -> None:
        following = iceberg.next_leg(order)
        if following is None:
            return
        quantity, kind = following
        terms = order.terms._replace(quantity=quantity)
        if terms.percent is not None and terms.order_type == "LIMIT":
            quote = self.market.quote(order.instrument.token)
            price = protected_price(order.instrument, order.side, quote, Decimal(terms.percent))
            terms = terms._replace(price=price)
        self._follow(order, terms, kind)

    def _follow(self, order: Order, terms: Terms, kind: Kind, *, is_opposite: bool = False) -> None:
        follower = self.books.new_order(
            user_id=order.user_id,
            api_key=order.api_key,
            instrument=order.instrument,
            side=order.side.opposite if is_opposite else order.side,
            product=order.product,
            tag=order.tag,
            terms=terms,
            at_ms=self.now_ms(),
            kind=kind,
        )
        self._received(follower)

    def _protect(self, entry: Order) -> None:
        """Place the stop of a cover order behind its first fill, and let it grow with the later ones."""
        stop = self._stop_of(entry)
        if stop is None:
            terms, kind = cover.second_leg(entry, self.market.quote(entry.instrument.token))
            self._follow(entry, terms, kind, is_opposite=True)
        elif stop.is_live and stop.terms.quantity < entry.filled:
            self._grow(stop, entry.filled)

    def _grow(self, stop: Order, quantity: int) -> None:
        stop.terms = stop.terms._replace(quantity=quantity)
        if stop.wants is not None:
            stop.wants = stop.wants._replace(quantity=quantity)
        if stop.is_in_book:
            account = self.books.accounts[stop.user_id]
            margin.release(account, stop)
            stop.opening = margin.opening_part(account, stop)
            margin.block(account, stop)
        self._enter(stop, stop.status)
        self.updates.append(Update(stop, UPDATE))

    def _stop_of(self, entry: Order) -> Order | None:
        mine = self.books.accounts[entry.user_id].orders.values()
        return next((order for order in mine if order.kind.parent_order_id == entry.order_id), None)

    def _end_entry(self, entry: Order) -> None:
        """Cancel what is left of an entry whose stop was hit: nothing may open behind it."""
        if entry.is_live:
            self._cancel(entry)
