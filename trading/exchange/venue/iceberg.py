"""Iceberg orders: legs that go to the exchange one after another, each an order of its own.

Source: the broker's announcement and protocol notes, section 5: 2 to 50 legs, the first leg's id is returned, the
next ones name it as their parent.
"""

from dataclasses import replace

from trading.exchange.market.quotes import Quote
from trading.exchange.venue import refusals
from trading.exchange.venue.kinds import ICEBERG, Iceberg, Kind
from trading.exchange.venue.orders import Order, Status
from trading.exchange.venue.refusals import Refusal
from trading.exchange.venue.rules import OrderRequest

FEWEST_LEGS, MOST_LEGS = 2, 50


def first_leg(request: OrderRequest, _: Quote) -> tuple[OrderRequest, Kind]:
    """Give the first leg's request and kind, or raise Refusal. The last leg has what is left of the whole."""
    legs, each, total = request.iceberg_legs, request.iceberg_quantity, request.quantity
    if not FEWEST_LEGS <= legs <= MOST_LEGS:
        raise Refusal(refusals.iceberg_legs(FEWEST_LEGS, MOST_LEGS))
    if each <= 0 or not each * (legs - 1) < total <= each * legs:
        raise Refusal("Invalid `iceberg_quantity`. It should be the quantity divided by the number of legs.")
    if total % max(1, request.instrument.lot_size):
        raise Refusal(refusals.not_in_lots(max(1, request.instrument.lot_size)))
    if request.validity == "IOC" or request.disclosed_quantity:
        raise Refusal("Iceberg orders cannot have IOC validity or a disclosed quantity.")
    return replace(request, quantity=each), Kind(ICEBERG, iceberg=Iceberg(1, legs, each, total))


def next_leg(order: Order) -> tuple[int, Kind] | None:
    """Give quantity and kind of the leg that follows, None when the leg is not complete or was the last."""
    leg = order.kind.iceberg
    if leg is None or order.status is not Status.COMPLETE or not leg.remaining_quantity:
        return None
    kind = order.kind._replace(
        parent_order_id=order.kind.parent_order_id or order.order_id, iceberg=leg._replace(leg=leg.leg + 1)
    )
    return min(leg.leg_quantity, leg.remaining_quantity), kind


def check_change(order: Order, request: OrderRequest) -> None:
    """Raise Refusal for a change of a leg's quantity: only its prices may change, for the legs to come too."""
    if order.kind.iceberg is not None and request.quantity != order.terms.quantity:
        raise Refusal("Quantity of an iceberg leg cannot be modified.")
