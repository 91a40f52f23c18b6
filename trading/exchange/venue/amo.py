"""After-market orders: taken while the market is closed, kept by the broker, sent to the exchange at the open.

Source: the broker's help page on after-market orders (2026). Its evening begins at 16:00 for stocks and 15:45 for
derivatives; here it is 15:45 for both, because that is when the simulated day is over (assumed). Orders go out when
continuous trading begins (the real ones without a stop at 09:00, into the pre-open session).
"""

from datetime import datetime, time
from decimal import Decimal

from trading.domain.instruments import Instrument, InstrumentType
from trading.domain.timezone import IST
from trading.exchange.market.quotes import Quote
from trading.exchange.venue import refusals
from trading.exchange.venue.orders import Order
from trading.exchange.venue.refusals import Refusal, Rejection
from trading.exchange.venue.rules import OrderRequest, protected_price

TAKEN_FROM = time(15, 45)
STOCKS_UNTIL, DERIVATIVES_UNTIL = time(8, 58), time(9, 10)


def require_window(instrument: Instrument, moment: datetime) -> None:
    """Raise Refusal unless after-market orders are placed, changed and cancelled at this aware moment."""
    until = STOCKS_UNTIL if instrument.instrument_type is InstrumentType.EQ else DERIVATIVES_UNTIL
    if until <= moment.astimezone(IST).time() < TAKEN_FROM:
        raise Refusal(refusals.amo_closed(TAKEN_FROM, until))


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
