"""After-market orders: taken while the market is closed, kept by the broker, sent to the exchange at the open.

Source: the broker's help page on after-market orders (2026): from 16:00 to 08:58 for stocks, until 09:10 for
derivatives. Here the evening begins with the end of the class's last session and ends so long before its first one as
on that page, whatever the day's rows are. Orders without a stop go out with the pre-open session, the others with
continuous trading.
"""

from datetime import datetime
from decimal import Decimal

from trading.domain.instruments import Instrument
from trading.domain.timezone import to_ist
from trading.exchange.market.quotes import Quote
from trading.exchange.venue import refusals
from trading.exchange.venue.orders import Order
from trading.exchange.venue.refusals import Refusal, Rejection
from trading.exchange.venue.rules import OrderRequest, protected_price
from trading.exchange.venue.sessions import Sessions


def require_window(sessions: Sessions, instrument: Instrument, moment: datetime) -> None:
    """Raise Refusal unless after-market orders are placed, changed and cancelled at this aware moment."""
    each, day = instrument.instrument_class, to_ist(moment).date()
    until, begins = sessions.after_market_until(each, day), sessions.after_market_from(each, day)
    if until is not None and begins is not None and until <= moment < begins:
        raise Refusal(refusals.amo_closed(to_ist(begins).time(), to_ist(until).time()))


def checked(request: OrderRequest) -> OrderRequest:
    """Give a request that may wait for the open, or raise Refusal: validity in minutes may not."""
    if request.validity == "TTL":
        raise Refusal("Validity TTL is not allowed for after market orders.")
    return request


def reprice(order: Order, quote: Quote) -> Rejection | None:
    """Bring an order to the open: a protected price follows the market, one outside the day's range is rejected."""
    terms = order.terms
    if terms.order_type == "LIMIT" and terms.percent is not None:
        order.terms = terms._replace(price=protected_price(order.instrument, order.side, quote, Decimal(terms.percent)))
        return None
    for price in (terms.price, terms.trigger_price):
        if price and not quote.lower_circuit <= price <= quote.upper_circuit:
            return Rejection(
                refusals.outside_circuit(price, quote.lower_circuit, quote.upper_circuit), refusals.OUT_OF_RANGE_RAW
            )
    return None
