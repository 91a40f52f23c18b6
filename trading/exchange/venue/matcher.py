"""The matcher: fills the orders of all accounts from the one book of each instrument.

By better price, then the longer in the book, then tag; never by id. What comes with a new quote reaches the waiting
orders first (`street.Arrivals`), then they and the orders that come in take what the other side of the book has.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from trading.domain.orders import Side
from trading.exchange.market.quotes import Quote
from trading.exchange.venue import refusals
from trading.exchange.venue.behaviour import Behaviour
from trading.exchange.venue.books import Books
from trading.exchange.venue.hand import Hand
from trading.exchange.venue.matching import allowed_units, older
from trading.exchange.venue.orders import UPDATE, Order, Status, Trade
from trading.exchange.venue.prices import Market
from trading.exchange.venue.sessions import Sessions
from trading.exchange.venue.sharedbook import Line, Offer, Plan, SharedBook
from trading.exchange.venue.street import Arrivals, Street


@dataclass(frozen=True, slots=True)
class Update:
    """An order message that has to go out: `word` is a final status or UPDATE."""

    order: Order
    word: str


@dataclass(slots=True)
class Matcher:
    """Orders of all users at one exchange. Every method runs on the one event loop and never waits."""

    books: Books
    market: Market
    hours: Sessions
    now_ms: Callable[[], int]
    monotonic: Callable[[], float]
    behaviour: Behaviour = field(default_factory=Behaviour)
    hand: Hand = field(default_factory=Hand)
    updates: list[Update] = field(default_factory=list)
    street: Street = field(init=False)

    def __post_init__(self) -> None:
        """Make the shared books; they follow the ledger's day."""
        self.street = Street(lambda: self.books.day)

    def heard(self, order: Order) -> None:
        """Follow up a fill or the end of an order. The matcher itself does not."""

    def shown(self, token: int) -> Quote:
        """Give the present quote as clients see it: with the accounts' traces in its depth."""
        return self.street.shown([self.market.quote(token)], self.books.queues)[0]

    # -- what a new quote brings ---------------------------------------------------------------------

    def meet_arrivals(self, quote: Quote, traded: int) -> None:
        """Fill what waits in the book of the quote's instrument; `traded` units changed hands with the quote."""
        book = self.street.book(quote)
        if book.forget_passed(lambda side, price: self.books.queues.has_at(quote.token, side, price)):
            self.street.changed(book)
        for side in Side:
            line = self.books.queues.best_first(quote.token, side)
            if line:
                self._meet_side(book, Arrivals(book, side, traded), line)

    def _meet_side(self, book: SharedBook, arrivals: Arrivals, line: Iterable[Order]) -> None:
        for order in line:
            is_reached = arrivals.reach(order)
            if not is_reached and order.mark is not None and not self._is_crossed(book, order):
                break  # nor is anybody behind it
            if order.status is Status.OPEN:
                self._meet(book, arrivals, order)
            if order.mark is None and not arrivals.is_beyond(order):
                self._mark(order, book.passed.get((order.side, order.terms.price), 0))
        if arrivals.end(self.books.queues):
            self.street.changed(book)

    def _is_crossed(self, book: SharedBook, order: Order) -> bool:
        """Say whether the other side of the book, street or account, offers at an order's limit or better."""
        best = book.best(order.side.opposite, self._against(book, order))
        return best is not None and (best - order.terms.price) * order.side.sign <= 0

    def _meet(self, book: SharedBook, arrivals: Arrivals, order: Order) -> None:
        if not arrivals.reach(order) and not self._is_crossed(book, order):
            return
        allowed = self._allowed(order)
        order.attempts += bool(self._schedule(order))
        came = arrivals.units(order, allowed)
        if came:
            self._book(order, came, order.terms.price)
        plan = self._take(book, order, allowed - came)
        self._settle(order, came + plan.units, meets_itself=plan.meets_itself)

    def _mark(self, order: Order, mark: int | None) -> None:
        order.mark = mark
        self.books.dirty[order.order_id] = order

    # -- taking --------------------------------------------------------------------------------------

    def _match(self, order: Order, quote: Quote) -> None:
        """Trade what the book and the fill schedule let through, then wait, complete or lapse."""
        allowed = self._allowed(order)
        order.attempts += bool(self._schedule(order))
        plan = self._take(self.street.book(quote), order, allowed)
        self._settle(order, plan.units, meets_itself=plan.meets_itself)
        if order.status is Status.OPEN:
            self._wait(order, quote)

    def _wait(self, order: Order, quote: Quote) -> None:
        """Put what is left of an order into the book, behind all that is there at its price."""
        is_beyond = (order.terms.price - quote.ltp) * order.side.sign > 0
        self._mark(order, None if is_beyond else self.street.book(quote).mark(order.side, order.terms.price))
        order.passive = True
        self.books.queue(order)

    def _allowed(self, order: Order) -> int:
        return allowed_units(self._schedule(order), order.attempts, order.remaining)

    def _schedule(self, order: Order) -> tuple[int, ...]:
        return self.hand.schedule(order) or self.behaviour.fill_schedule

    def _take(self, book: SharedBook, order: Order, wanted: int) -> Plan:
        """Take from the other side of the book. A waiting order trades at its own price."""
        plan = book.plan(order, wanted, self._against(book, order), self._allowed)
        for deal in plan.deals:
            self._deal(book, order, deal)
        if any(deal.order is None for deal in plan.deals):
            self.street.changed(book)
        return plan

    def _against(self, book: SharedBook, order: Order) -> Line:
        """Give the accounts' orders that an order may meet."""
        return self.books.queues.of(order.instrument.token, order.side.opposite) if book.quote.meets_accounts else ()

    def _deal(self, book: SharedBook, order: Order, deal: Offer) -> None:
        if deal.order is None:
            self._book(order, deal.units, order.terms.price if order.passive else deal.price)
            side = order.side.opposite
            book.depletion.take(side, deal.price, deal.units, book.quote.serial)
            if self.books.queues.has_at(order.instrument.token, side, deal.price):
                book.pass_by(side, deal.price, deal.units)
            return
        other = deal.order
        price = order.terms.price if order.passive and older(order, other) else deal.price
        other.attempts += bool(self._schedule(other))
        mine = self._book(order, deal.units, price)
        self._book(other, deal.units, price, met=mine)
        self._settle(other, deal.units)

    def _settle(self, order: Order, filled: int, *, meets_itself: bool = False) -> None:
        """Follow up a matching: count the margin anew, then complete, lapse or tell of a partial fill.

        What would trade with its own account is cancelled: of the two the order that came in (NSE's self-trade
        prevention as the broker's support page tells it).
        """
        if filled:
            order.exchange_ms = self.now_ms()
            self.books.count_fill(order)
        if order.remaining == 0:
            self._finish(order, Status.COMPLETE)
        elif order.terms.validity == "IOC" or meets_itself:
            if meets_itself:
                order.message = order.raw = refusals.SELF_TRADE
            order.cancelled = order.remaining
            self._finish(order, Status.CANCELLED)
        elif filled:
            self._enter(order, Status.OPEN)
            self.updates.append(Update(order, UPDATE))
            self.heard(order)

    # -- writing -------------------------------------------------------------------------------------

    def _book(self, order: Order, quantity: int, price: int, met: Trade | None = None) -> Trade:
        return self.books.add_trade(order, quantity, price, self.now_ms(), self.monotonic(), met)

    def _enter(self, order: Order, status: Status) -> None:
        order.enter(status, self.now_ms(), self.monotonic())
        self.books.dirty[order.order_id] = order

    def _finish(self, order: Order, status: Status) -> None:
        self._enter(order, status)
        self.books.close(order)
        self.updates.append(Update(order, status))
        self.heard(order)
