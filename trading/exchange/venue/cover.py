"""Cover orders: an intraday entry with a stop that the broker places and that can only be exited, not cancelled.

Source: the broker's help page on cover orders (2026) and its developer forum: stocks of NSE only, MARKET or LIMIT,
the stop within 10 % of the last price, the second leg names the first as its parent, an exit turns it into a market
order.
"""

from dataclasses import replace
from decimal import Decimal

from trading.domain.instruments import Instrument, InstrumentType
from trading.domain.orders import Side
from trading.exchange.market.quotes import Quote
from trading.exchange.venue import refusals
from trading.exchange.venue.kinds import COVER, Kind
from trading.exchange.venue.orders import Order, Terms
from trading.exchange.venue.refusals import Refusal
from trading.exchange.venue.rules import COVER_PRODUCT, OrderRequest, automatic_percent, on_grid, protected_price

RANGE_PERCENT = 10
PRODUCTS = ("MIS", COVER_PRODUCT)


def trigger_range(side: Side, ltp: int) -> tuple[int, int]:
    """Give the lowest and highest stop (scaled) of a cover order that enters by `side` at this LTP."""
    width = ltp * RANGE_PERCENT // 100
    return (ltp - width, ltp) if side is Side.BUY else (ltp, ltp + width)


def is_covered(instrument: Instrument) -> bool:
    """Say whether cover orders are taken for an instrument."""
    return instrument.exchange == "NSE" and instrument.instrument_type is InstrumentType.EQ


def first_leg(request: OrderRequest, quote: Quote) -> tuple[OrderRequest, Kind]:
    """Give the entry's request and kind, or raise Refusal."""
    if not is_covered(request.instrument):
        raise Refusal(f"Cover orders are not allowed for {request.instrument.key}.")
    if request.product not in PRODUCTS:
        raise Refusal(f"Invalid `product`. {request.product} is not allowed for cover orders.")
    if request.order_type not in ("MARKET", "LIMIT") or request.validity != "DAY":
        raise Refusal("Cover orders are MARKET or LIMIT orders with DAY validity.")
    stop = _stop(request, quote)
    entry = replace(request, product=COVER_PRODUCT, trigger_price=Decimal(0))
    return entry, Kind(COVER, stop=stop)


def _stop(request: OrderRequest, quote: Quote) -> int:
    stop = on_grid(request.trigger_price, request.instrument, "trigger_price")
    lower, upper = trigger_range(request.side, quote.ltp)
    if not lower <= stop <= upper or stop == quote.ltp:
        raise Refusal(refusals.outside_trigger_range(lower, upper))
    if request.order_type == "LIMIT":
        _require_better(on_grid(request.price, request.instrument, "price"), stop, request.side)
    return stop


def _require_better(price: int, stop: int, side: Side) -> None:
    if (price - stop) * side.sign <= 0:
        relation = "higher" if side is Side.BUY else "lower"
        raise Refusal(f"Limit price of a cover order should be {relation} than its trigger price.")


def second_leg(first: Order, quote: Quote) -> tuple[Terms, Kind]:
    """Give terms and kind of the stop behind what the first leg has filled: SL-M with the automatic protection."""
    percent = automatic_percent(first.instrument, quote.ltp)
    terms = Terms(first.filled, "SL-M", 0, first.kind.stop, "DAY", 0, f"{percent:.2f}")
    return terms, Kind(COVER, parent_order_id=first.order_id)


def is_second_leg(order: Order) -> bool:
    """Say whether an order is the stop of a cover order."""
    return order.kind.variety == COVER and order.kind.parent_order_id is not None


def exit_terms(order: Order, quote: Quote) -> Terms:
    """Give the terms of a stop that is exited: a protected market order."""
    side = order.side
    percent = automatic_percent(order.instrument, quote.ltp)
    price = protected_price(order.instrument, side, quote, percent)
    return order.terms._replace(order_type="LIMIT", price=price, trigger_price=0, percent=f"{percent:.2f}")


def check_change(order: Order, request: OrderRequest, quote: Quote) -> None:
    """Raise Refusal unless it is the first leg's limit or the second leg's trigger that changes."""
    if order.kind.variety != COVER:
        return
    if request.quantity != order.terms.quantity or request.order_type != order.terms.order_type:
        raise Refusal("Only the price of a cover order's first leg and the trigger of its second can be modified.")
    if not is_second_leg(order):
        if request.trigger_price:
            raise Refusal("Trigger price can be modified on the second leg of a cover order only.")
        _require_better(on_grid(request.price, order.instrument, "price"), order.kind.stop, order.side)
        return
    lower, upper = trigger_range(order.side.opposite, quote.ltp)
    if not lower <= on_grid(request.trigger_price, order.instrument, "trigger_price") <= upper:
        raise Refusal(refusals.outside_trigger_range(lower, upper))
