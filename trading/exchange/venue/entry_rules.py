"""Which orders each session takes, changes and cancels: the dated rows, and what the auctions forbid. Pure.

Sources: the session rows; SEBI HO/47/11/11(3)2025-MRD-POD2/I/2765/2026 (closing auction: limit and market orders that
are wholly disclosed, a price band around the reference); brokers' pages on the post-close session (delivery only, at
the closing price). Texts are assumed; they begin as the broker's text for a closed market does.
"""

from trading.domain.orders import OrderType
from trading.domain.sessions import Phase, PhaseSpan
from trading.domain.timezone import to_ist
from trading.exchange.venue import refusals
from trading.exchange.venue.kinds import AMO, REGULAR
from trading.exchange.venue.orders import Order
from trading.exchange.venue.refusals import Refusal
from trading.exchange.venue.rules import OrderRequest

NAMES = {
    Phase.PRE_OPEN: "the pre-open session",
    Phase.CAS_REFERENCE: "the closing auction",
    Phase.CAS_ENTRY: "the closing auction",
    Phase.CAS_LIMIT_ONLY: "the closing auction",
    Phase.CAS_MATCHING: "the closing auction",
    Phase.POST_CLOSE: "the post-close session",
}
AUCTION_PHASES = frozenset(NAMES) - {Phase.POST_CLOSE}


def is_auction(span: PhaseSpan | None) -> bool:
    """Say whether a call auction runs, or its matching."""
    return span is not None and span.phase in AUCTION_PHASES


def takes_orders(span: PhaseSpan | None) -> bool:
    """Say whether any order may come in."""
    return span is not None and bool(span.order_types)


def check_entry(request: OrderRequest, span: PhaseSpan | None) -> None:
    """Raise Refusal unless the session takes an order like this one now, new or changed."""
    if span is None:
        raise Refusal(refusals.market_closed(request.product).message)
    if span.phase is Phase.CONTINUOUS:
        return
    name = NAMES[span.phase]
    if not span.order_types:
        raise Refusal(no_entry(request.product, span))
    if word_of(request.order_type) not in span.order_types:
        raise Refusal(f"Invalid `order_type`. {request.order_type} orders are not allowed in this part of {name}.")
    if request.variety not in (REGULAR, AMO):
        raise Refusal(f"Invalid `variety`. Only regular orders are allowed in {name}.")
    if request.validity != "DAY":
        raise Refusal(f"Invalid `validity`. Only DAY orders are allowed in {name}.")
    if request.disclosed_quantity:
        raise Refusal(f"Disclosed quantity is not allowed in {name}.")
    if span.phase is Phase.POST_CLOSE and request.product != "CNC":
        raise Refusal(f"Invalid `product`. Only CNC orders are allowed in {name}.")


def check_change(order: Order, span: PhaseSpan | None) -> None:
    """Raise Refusal where a session lets no order in its book be changed or cancelled."""
    if not is_auction(span):
        return
    assert span is not None  # noqa: S101 - an auction has a span
    if not span.order_types:
        raise Refusal(no_entry(order.product, span))
    if order.terms.at_market and OrderType.MARKET not in span.order_types:
        raise Refusal(f"Market orders cannot be modified or cancelled in this part of {NAMES[span.phase]}.")


def no_entry(product: str, span: PhaseSpan) -> str:
    """The text for an order between the parts of an auction."""
    return (
        f"{refusals.product_name(product)} are blocked as the markets are not open for orders: "
        f"{NAMES[span.phase]} takes none until {to_ist(span.end):%H:%M}."
    )


def check_band(price: int, lower: int, upper: int) -> None:
    """Raise Refusal for a limit (scaled) outside the closing auction's band."""
    if not lower <= price <= upper:
        raise Refusal(refusals.outside_circuit(price, lower, upper))


def word_of(order_type: str) -> OrderType:
    """Give the session rows' word for an order type: both stops are one."""
    return OrderType.SL if order_type in ("SL", "SL-M") else OrderType(order_type)
