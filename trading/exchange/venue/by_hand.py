"""What people do beside the API: the client in the broker's app, the broker's risk desk, the exchange to resting stops.

A part of the floor in a file of its own. What is done is done at once, between two steps, and matched alone.
"""

from collections.abc import Callable
from decimal import Decimal

from trading.domain.orders import Side
from trading.exchange.venue.floor import Floor, batch_key
from trading.exchange.venue.kinds import BROKER_DESK, PLAIN, Kind
from trading.exchange.venue.orders import Order, Status
from trading.exchange.venue.refusals import Refusal
from trading.exchange.venue.rules import OrderRequest, check_request


class ByHand:
    """Orders of no app on one floor. `save` writes what was done and tells about it."""

    def __init__(self, floor: Floor, save: Callable[[], None]) -> None:
        self._floor = floor
        self._save = save

    def trade(self, user_id: str, instrument: str, side: Side, quantity: int, product: str) -> Order:
        """Send a protected market order to the book. Raises Refusal for what the broker would not take."""
        order = self._trade(user_id, instrument, side, quantity, product)
        self._save()
        return order

    def close_positions(self, user_id: str, instrument: str, product: str) -> list[Order]:
        """Close what a user has open of a product, in one instrument or all; live orders are cancelled first."""
        account = self._floor.books.accounts[user_id]
        for order in sorted(account.live.values(), key=batch_key):
            if order.product == product and instrument in ("", order.instrument.key) and not order.is_after_hours:
                self._floor._cancel(order)
        orders = []
        for _, one in sorted(account.positions.items()):
            net = one.net_quantity
            if one.product == product and net and instrument in ("", one.instrument.key):
                side = Side.SELL if net > 0 else Side.BUY
                orders.append(self._trade(user_id, one.instrument.key, side, abs(net), product, BROKER_DESK))
        self._save()
        return orders

    def cancel_stops(self, user_id: str, instrument: str) -> list[Order]:
        """Cancel, as the exchange, every stop that rests: of one user or all, in one instrument or all."""
        stops = [
            order
            for order in self._floor.books.live_orders()
            if order.status is Status.TRIGGER_PENDING
            and user_id in ("", order.user_id)
            and instrument in ("", order.instrument.key)
        ]
        for order in sorted(stops, key=batch_key):
            self._floor._cancel(order)
        self._save()
        return stops

    def thaw(self, user_id: str) -> list[Order]:
        """Let the orders of a user (of all when empty) that stood still go on to the book."""
        freed = self._floor.hand.thaw(self._floor, user_id)
        self._save()
        return freed

    def _trade(self, user_id: str, key: str, side: Side, quantity: int, product: str, kind: Kind = PLAIN) -> Order:
        floor = self._floor
        instrument = floor.market.by_key(key)
        if instrument is None or not instrument.is_tradable:
            raise Refusal("Invalid `tradingsymbol`.")
        request = OrderRequest(instrument, side, product, "MARKET", quantity, protection=Decimal(-1))
        terms = check_request(request, floor.market.quote(instrument.token))
        order = floor.books.new_order(
            user_id=user_id, api_key="", instrument=instrument, side=side, product=product, tag="", terms=terms,
            at_ms=floor.now_ms(), kind=kind,
        )  # fmt: skip
        del floor.books.pending[order.order_id]
        floor._enter(order, order.status)
        floor._enter(order, Status.VALIDATION_PENDING)
        floor._admit(order)
        return order
