"""The floor's call auctions: whose orders take part, what they trade, and how the rest goes on.

An auction that was matched is on disk (`struck`) with the orders that it filled, so it is never matched twice; its
price is the market tape's, so a restart finds the same one.
"""

from datetime import datetime
from typing import Any

from trading.domain.auctions import AuctionKind, CallAuction
from trading.domain.instruments import Instrument, InstrumentClass
from trading.domain.money import to_scaled
from trading.exchange.market.prints import Print
from trading.exchange.venue import closing, margin
from trading.exchange.venue.call_auction import Interest, fills_at
from trading.exchange.venue.call_book import others
from trading.exchange.venue.floor import Floor, Update, batch_key
from trading.exchange.venue.marketclock import moment_of
from trading.exchange.venue.orders import UPDATE, Order, Status
from trading.exchange.venue.shelf import Shelf


class AuctionFloor(Floor):
    """A floor with call auctions. Build it as `Floor`."""

    def __init__(self, *arguments: Any, **words: Any) -> None:
        super().__init__(*arguments, **words)
        self.struck: Shelf[Print | None] = Shelf("call_auctions", _packed, _unpacked)
        """Matched auctions by token and beginning: what the tape printed, None for no price."""
        self._done: dict[InstrumentClass, datetime] = {}

    def strike_due(self, instrument_class: InstrumentClass, now: datetime) -> None:
        """Match the latest auction of a class in every instrument whose price is known, or which has none."""
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
                self.fill_at(mine[one.key], units, printed.price)

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

    def fill_at(self, order: Order, units: int, price: int) -> None:
        """Book a fill and count the margin anew."""
        order.exchange_ms = self.now_ms()
        self._book(order, units, price)
        self.books.count_fill(order)

    # -- prices ----------------------------------------------------------------------------------------

    def band(self, instrument: Instrument) -> tuple[int, int] | None:
        """Give the closing auction's price band, None outside of it."""
        now, each = self.moment(), instrument.instrument_class
        auction, hours = self.hours.auction(each, now), self.hours.hours(each, self.books.day)
        if auction is None or hours is None or auction.rule.band_percent is None:
            return None
        reference = closing.reference_price(self.market, instrument.token, hours, auction)
        return closing.band(instrument, reference, auction.rule.band_percent)

    def closing_price(self, instrument: Instrument) -> int:
        """Give the day's closing price, once it is known."""
        now, each = self.moment(), instrument.instrument_class
        hours = self.hours.hours(each, self.books.day)
        assert hours is not None  # noqa: S101 - there is a post-close session
        found = [one for one in self.hours.auctions(each, self.books.day) if one.kind is AuctionKind.CLOSING]
        return closing.closing_price(self.market, instrument, hours, found[0] if found else None, now)

    def moment(self) -> datetime:
        """Give market time."""
        return moment_of(self.now_ms())


def _packed(row: Print | None) -> list[int]:
    return list(row or ())


def _unpacked(row: list[int]) -> Print | None:
    return Print(*row) if row else None


def _takes_part(order: Order, instrument_class: InstrumentClass, auction: CallAuction) -> bool:
    is_there = order.status is Status.OPEN and order.resting_since_ms < auction.entry_end.timestamp() * 1000
    return is_there and order.instrument.instrument_class is instrument_class


def _interest(order: Order) -> Interest:
    limit = None if order.terms.at_market else order.terms.price
    rank = (order.tag, order.user_id, f"{order.sequence:012}")
    return Interest(order.side, order.remaining, limit, order.resting_since_ms, rank, order.order_id)
