"""The floor through the day's sessions: who may come in when, what an auction does to the orders, when they lapse.

Everything follows from the dated rows, the orders in the book and the tape, so a restart goes on where it was.
"""

from collections.abc import Iterable
from typing import Any

from trading.domain.instruments import Instrument, InstrumentClass
from trading.domain.orders import OrderType
from trading.domain.sessions import Phase, PhaseSpan
from trading.exchange.market.quotes import Quote
from trading.exchange.venue import entry_rules, refusals
from trading.exchange.venue.auction_floor import AuctionFloor
from trading.exchange.venue.floor import batch_key
from trading.exchange.venue.kinds import AMO, AUCTION, REGULAR
from trading.exchange.venue.orders import Order, Status, Terms
from trading.exchange.venue.refusals import Rejection
from trading.exchange.venue.rules import OrderRequest
from trading.exchange.venue.square_off_times import CLASSES, SquareOffTimes

STOPS_END = "Stoploss, iceberg and cover orders are cancelled at the end of continuous trading."
OUTSIDE_BAND = "The order was outside the closing auction's price band."


class PhasedFloor(AuctionFloor):
    """A floor with sessions. Build it as `Floor`."""

    def __init__(self, *arguments: Any, **words: Any) -> None:
        super().__init__(*arguments, **words)
        self.square_off_times = SquareOffTimes(self.hours)
        self._seen: dict[InstrumentClass, Phase | None] = {}

    # -- what may come in ------------------------------------------------------------------------------

    def session(self, instrument: Instrument) -> PhaseSpan | None:
        """Give the phase that an instrument is in now, None while it is closed."""
        return self.hours.at(instrument.instrument_class, self.moment())

    def in_session(self, request: OrderRequest, terms: Terms) -> Terms:
        """Fit checked terms to an auction: market orders have no limit, the closing auction has its band."""
        span = self.session(request.instrument)
        if span is None or span.phase is Phase.CONTINUOUS:
            return terms
        if limits := self.band(request.instrument):
            if request.order_type == "LIMIT":
                entry_rules.check_band(terms.price, *limits)
            terms = terms._replace(price=min(max(terms.price, limits[0]), limits[1]))
        return terms._replace(at_market=request.order_type == "MARKET")

    def why_not_now(self, order: Order) -> Rejection | None:
        """Say why the exchange does not take an order that the broker took; None when it does."""
        span = self.session(order.instrument)
        if span is None:
            return refusals.market_closed(order.product)
        if span.phase is Phase.CONTINUOUS:
            return None
        is_plain = order.kind.variety in (REGULAR, AMO) and order.terms.validity == "DAY"
        if is_plain and _word(order) in span.order_types:
            return None
        return Rejection(entry_rules.no_entry(order.product, span), refusals.CLOSED_RAW)

    def trades_now(self, order: Order) -> bool:
        """Say whether an order is matched with the book as it stands."""
        return order.kind.variety != AUCTION and self.hours(order.instrument, self.moment())

    def goes_out(self, order: Order) -> bool:
        """Say whether an order of the evening goes to the exchange now: without a stop into the pre-open session."""
        span = self.session(order.instrument)
        if span is None or span.phase is not Phase.PRE_OPEN:
            return span is not None and span.phase is Phase.CONTINUOUS
        is_plain = order.terms.validity == "DAY" and not order.terms.disclosed_quantity
        word = OrderType.MARKET if order.terms.percent is not None else _word(order)
        if not is_plain or order.terms.order_type != "LIMIT" or word not in span.order_types:
            return False
        order.terms = order.terms._replace(at_market=word is OrderType.MARKET)
        return True

    def _stand(self, order: Order) -> None:
        super()._stand(order)
        span = self.session(order.instrument)
        if span is not None and span.phase is Phase.POST_CLOSE and order.is_live:
            self._trade_at_close(order)

    def _trade_at_close(self, order: Order) -> None:
        """Fill an order of the post-close session at the day's closing price, if its limit lets it."""
        price = self.closing_price(order.instrument)
        if order.terms.at_market or (price - order.terms.price) * order.side.sign <= 0:
            self.fill_at(order, order.remaining, price)
            self._finish(order, Status.COMPLETE)

    # -- what the clock does ---------------------------------------------------------------------------

    def on_quotes(self, quotes: Iterable[Quote]) -> None:
        """Follow the sessions, then match the resting orders of every instrument that has a new quote."""
        self.follow_sessions()
        super().on_quotes(quotes)

    def follow_sessions(self) -> None:
        """Match auctions that are due and end the orders whose session is over. May be called at any moment."""
        now = self.moment()
        for each in CLASSES:
            self.strike_due(each, now)
            span = self.hours.at(each, now)
            phase = span.phase if span else None
            if each not in self._seen or self._seen[each] is not phase:
                self._seen[each] = phase
                self._begin(each, phase)

    def _begin(self, instrument_class: InstrumentClass, phase: Phase | None) -> None:
        if phase is None or phase is Phase.POST_CLOSE:
            for order in self._live(instrument_class):
                self._cancel(order)
        elif phase not in (Phase.CONTINUOUS, Phase.PRE_OPEN):
            for order in self._live(instrument_class):
                self._carry_into_closing(order)

    def _live(self, instrument_class: InstrumentClass) -> list[Order]:
        mine = (order for order in self.books.live_orders() if order.instrument.instrument_class is instrument_class)
        return sorted((order for order in mine if not order.is_after_hours), key=batch_key)

    def _carry_into_closing(self, order: Order) -> None:
        """Keep a plain limit order for the closing auction; stops, icebergs and covers end here."""
        if not order.is_in_book or not order.is_live:
            return
        terms = order.terms
        is_plain = order.status is not Status.TRIGGER_PENDING and order.kind.variety in (REGULAR, AMO)
        if not is_plain or terms.disclosed_quantity:
            self.end(order, STOPS_END)
            return
        lower, upper = self.band(order.instrument) or (terms.price, terms.price)
        if not lower <= terms.price <= upper:
            self.end(order, OUTSIDE_BAND)

    def end(self, order: Order, message: str) -> None:
        """Cancel an order that its client did not cancel, with the reason in the book."""
        order.message = message
        self._cancel(order)

    def change(self, order: Order, terms: Terms) -> None:
        """Note a change that the broker makes of its own order."""
        order.wants = terms
        self.books.pending[order.order_id] = order
        self._enter(order, Status.MODIFY_VALIDATION_PENDING)


def _word(order: Order) -> OrderType:
    return OrderType.MARKET if order.terms.at_market else entry_rules.word_of(order.terms.order_type)
