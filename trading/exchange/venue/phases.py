"""The floor through the day's sessions: who may come in when, what an auction does to the orders, when they lapse.

Everything follows from the dated rows, the orders in the book and the tape: a restart in mid-auction goes on, and an
auction that was matched is on disk (`struck`), so it is never matched twice.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from trading.domain.auctions import AuctionKind, CallAuction
from trading.domain.instruments import Instrument, InstrumentClass
from trading.domain.money import to_scaled
from trading.domain.orders import OrderType
from trading.domain.sessions import Phase, PhaseSpan
from trading.exchange.market.prints import Print
from trading.exchange.market.quotes import Quote
from trading.exchange.venue import closing, entry_rules, margin, refusals
from trading.exchange.venue.call_auction import Interest, fills_at
from trading.exchange.venue.call_book import others
from trading.exchange.venue.floor import Floor, Update, batch_key
from trading.exchange.venue.kinds import AMO, AUCTION, REGULAR
from trading.exchange.venue.marketclock import moment_of
from trading.exchange.venue.orders import UPDATE, Order, Status, Terms
from trading.exchange.venue.refusals import Rejection
from trading.exchange.venue.rules import OrderRequest
from trading.exchange.venue.shelf import Shelf
from trading.exchange.venue.square_off_times import CLASSES, SquareOffTimes

STOPS_END = "Stoploss, iceberg and cover orders are cancelled at the end of continuous trading."
OUTSIDE_BAND = "The order was outside the closing auction's price band."


class PhasedFloor(Floor):
    """A floor with sessions. Build it as `Floor`."""

    def __init__(self, *arguments: Any, **words: Any) -> None:
        super().__init__(*arguments, **words)
        self.struck: Shelf[Print | None] = Shelf("call_auctions", _packed, _unpacked)
        """Matched auctions by token and beginning: what the tape printed, None for no price."""
        self.square_off_times = SquareOffTimes(self.hours)
        self._seen: dict[InstrumentClass, Phase | None] = {}
        self._done: dict[InstrumentClass, datetime] = {}

    # -- what may come in ------------------------------------------------------------------------------

    def session(self, instrument: Instrument) -> PhaseSpan | None:
        """Give the phase that an instrument is in now, None while it is closed."""
        return self.hours.at(instrument.instrument_class, self._now())

    def in_session(self, request: OrderRequest, terms: Terms) -> Terms:
        """Fit checked terms to an auction: market orders have no limit, the closing auction has its band."""
        span = self.session(request.instrument)
        if span is None or span.phase is Phase.CONTINUOUS:
            return terms
        if limits := self._band(request.instrument):
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
        return order.kind.variety != AUCTION and self.hours(order.instrument, self._now())

    def goes_out(self, order: Order) -> bool:
        """Say whether an order of the evening goes to the exchange now: without a stop into the pre-open session."""
        span = self.session(order.instrument)
        if span is None or span.phase is Phase.CONTINUOUS:
            return span is not None
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
        price = self._closing_price(order.instrument)
        if order.terms.at_market or (price - order.terms.price) * order.side.sign <= 0:
            self._fill(order, order.remaining, price)
            self._finish(order, Status.COMPLETE)

    # -- what the clock does ---------------------------------------------------------------------------

    def on_quotes(self, quotes: Iterable[Quote]) -> None:
        """Follow the sessions, then match the resting orders of every instrument that has a new quote."""
        self.follow_sessions()
        super().on_quotes(quotes)

    def follow_sessions(self) -> None:
        """Match auctions that are due and end the orders whose session is over. May be called at any moment."""
        now = self._now()
        for each in CLASSES:
            self._strike_due(each, now)
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
        lower, upper = self._band(order.instrument) or (terms.price, terms.price)
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

    # -- auctions --------------------------------------------------------------------------------------

    def _strike_due(self, instrument_class: InstrumentClass, now: datetime) -> None:
        auction = self.hours.last_matched(instrument_class, now)
        if auction is None or self._done.get(instrument_class) == auction.start:
            return
        for token, resting in list(self.books.by_token.items()):
            orders = [order for order in resting.values() if _takes_part(order, instrument_class, auction)]
            key = f"{token}@{auction.start.isoformat()}"
            if orders and not self.struck.has(key):
                self._strike_if_due(key, orders, auction, now)
        if now >= auction.over:
            self._done[instrument_class] = auction.start

    def _strike_if_due(self, key: str, orders: list[Order], auction: CallAuction, now: datetime) -> None:
        instrument = orders[0].instrument
        printed = closing.printed(self.market, instrument.token, auction, now)
        if printed is None and now < auction.over:
            return
        orders.sort(key=batch_key)
        if printed is not None:
            self._strike(orders, printed, auction)
        price = printed.price if printed else self.market.quote(instrument.token).close
        for order in orders:
            self._leave(order, auction, price)
        self.struck.put(key, printed)

    def _strike(self, orders: list[Order], printed: Print, auction: CallAuction) -> None:
        """Match the orders with the made-up others at the printed price."""
        instrument = orders[0].instrument
        mine = {order.order_id: order for order in orders}
        every = others(instrument.token, printed, auction, to_scaled(instrument.tick_size))
        every += [_interest(order) for order in orders]
        for one, units in fills_at(every, printed.price, market_first=auction.rule.market_first):
            if one.key:
                self._fill(mine[one.key], units, printed.price)

    def _leave(self, order: Order, auction: CallAuction, price: int) -> None:
        """Complete an order, or let what is left go on (into continuous trading) or lapse (after the close)."""
        if order.remaining == 0:
            self._finish(order, Status.COMPLETE)
        elif auction.kind is AuctionKind.CLOSING:
            self._cancel(order)
        else:
            self._go_on(order, price)

    def _go_on(self, order: Order, price: int) -> None:
        """Let an order wait for continuous trading; one without a limit gets the opening price."""
        has_news = order.terms.at_market or order.filled
        if order.terms.at_market:
            order.terms = order.terms._replace(price=price, at_market=False)
            margin.block(self.books.accounts[order.user_id], order)
        self._wait(order, self.market.quote(order.instrument.token))
        if has_news:
            self._enter(order, Status.OPEN)
            self.updates.append(Update(order, UPDATE))

    def _fill(self, order: Order, units: int, price: int) -> None:
        order.exchange_ms = self.now_ms()
        self._book(order, units, price)
        margin.block(self.books.accounts[order.user_id], order)

    # -- prices ----------------------------------------------------------------------------------------

    def _band(self, instrument: Instrument) -> tuple[int, int] | None:
        """Give the closing auction's price band, None outside of it."""
        now, each = self._now(), instrument.instrument_class
        auction, hours = self.hours.auction(each, now), self.hours.hours(each, self.books.day)
        if auction is None or hours is None or auction.rule.band_percent is None:
            return None
        reference = closing.reference_price(self.market, instrument.token, hours, auction)
        return closing.band(instrument, reference, auction.rule.band_percent)

    def _closing_price(self, instrument: Instrument) -> int:
        now, each = self._now(), instrument.instrument_class
        hours = self.hours.hours(each, self.books.day)
        assert hours is not None  # noqa: S101 - there is a post-close session
        found = [one for one in self.hours.auctions(each, self.books.day) if one.kind is AuctionKind.CLOSING]
        return closing.closing_price(self.market, instrument, hours, found[0] if found else None, now)

    def _now(self) -> datetime:
        return moment_of(self.now_ms())


def _packed(row: Print | None) -> list[int]:
    return list(row or ())


def _unpacked(row: list[int]) -> Print | None:
    return Print(*row) if row else None


def _word(order: Order) -> OrderType:
    return OrderType.MARKET if order.terms.at_market else entry_rules.word_of(order.terms.order_type)


def _takes_part(order: Order, instrument_class: InstrumentClass, auction: CallAuction) -> bool:
    is_there = order.status is Status.OPEN and order.resting_since_ms < auction.entry_end.timestamp() * 1000
    return is_there and order.instrument.instrument_class is instrument_class


def _interest(order: Order) -> Interest:
    limit = None if order.terms.at_market else order.terms.price
    rank = (order.tag, order.user_id, f"{order.sequence:012}")
    return Interest(order.side, order.remaining, limit, order.resting_since_ms, rank, order.order_id)
