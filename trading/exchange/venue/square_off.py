"""The broker's own square-off of intraday positions: clients' orders end first, then market orders close what is open.

Source: the broker's page on intraday square-off: pending intraday orders are cancelled, positions closed, no new ones
are taken, a fee an order. The times are dated rows (`domain/broker_square_off.py`). How such an order looks is
assumed: `placed_by` RMS, no tag, no app.
"""

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from typing import Final

from trading.domain.instruments import InstrumentClass
from trading.domain.orders import OrderType, Side
from trading.exchange.venue.accounts import Account
from trading.exchange.venue.desk import Desk
from trading.exchange.venue.floor import batch_key
from trading.exchange.venue.kinds import BROKER_DESK, COVER, REGULAR
from trading.exchange.venue.marketclock import moment_of
from trading.exchange.venue.orders import Order, Status
from trading.exchange.venue.positions import Position
from trading.exchange.venue.refusals import Refusal
from trading.exchange.venue.rules import OrderRequest, check_request, freeze_quantity, protected_price
from trading.exchange.venue.square_off_times import CLASSES, PRODUCTS

ENDED: Final = "Intraday orders are cancelled by the broker before it squares positions off."


class SquareOff:
    """Works on the desk; whoever calls writes the ledger and lets the new orders be matched."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def on_step(self) -> None:
        """Square off what is due, and go on with what was not filled. Safe at every step."""
        now = moment_of(self._desk.now_ms())
        for each in CLASSES:
            if self._is_due(each, now):
                for _, account in sorted(self._desk.books.accounts.items()):
                    self._square_off(account, each)

    def _is_due(self, instrument_class: InstrumentClass, now: datetime) -> bool:
        moment = self._desk.square_off_times.moment(instrument_class, self._desk.books.day)
        return moment is not None and moment <= now and self._takes_market(instrument_class, now)

    def _takes_market(self, instrument_class: InstrumentClass, now: datetime) -> bool:
        span = self._desk.hours.at(instrument_class, now)
        return span is not None and OrderType.MARKET in span.order_types

    def _square_off(self, account: Account, instrument_class: InstrumentClass) -> None:
        def is_meant(one: Order | Position) -> bool:
            return one.product in PRODUCTS and one.instrument.instrument_class is instrument_class

        for order in sorted(filter(is_meant, account.live.values()), key=batch_key):
            if order.is_live and not order.kind.placed_by and not order.is_after_hours:
                self._desk.end(order, ENDED)
        for _, position in sorted(account.positions.items()):
            if position.net_quantity and is_meant(position):
                self._close(account, position)

    def _close(self, account: Account, position: Position) -> None:
        """Close a position, or go on with the broker's orders that close it already."""
        token, product = position.instrument.token, position.product
        working = [
            order
            for order in account.live.values()
            if order.kind.placed_by and order.instrument.token == token and order.product == product
        ]
        for order in working:
            self._follow_price(order)
        if not working:
            with suppress(Refusal):  # no price to close at yet; the next step asks again
                for units in _slices(position):
                    self._place(account.user_id, position, units)

    def _place(self, user_id: str, position: Position, quantity: int) -> None:
        desk, instrument = self._desk, position.instrument
        request = OrderRequest(
            instrument=instrument,
            side=Side.SELL if position.net_quantity > 0 else Side.BUY,
            product=position.product,
            order_type="MARKET",
            quantity=quantity,
            protection=Decimal(-1),
            variety=COVER if position.product == "CO" else REGULAR,
        )
        terms = desk.in_session(request, check_request(request, desk.market.quote(instrument.token)))
        desk.take(user_id, "", request, terms, BROKER_DESK)

    def _follow_price(self, order: Order) -> None:
        """Move an order that the market has left behind after it."""
        if order.status is not Status.OPEN or order.wants is not None or order.terms.at_market:
            return
        quote = self._desk.market.quote(order.instrument.token)
        price = protected_price(order.instrument, order.side, quote, Decimal(order.terms.percent or 0))
        if (price - order.terms.price) * order.side.sign > 0:
            self._desk.change(order, order.terms._replace(price=price))


def _slices(position: Position) -> Iterator[int]:
    left, most = abs(position.net_quantity), freeze_quantity(position.instrument)
    while left:
        yield min(left, most)
        left -= min(left, most)
