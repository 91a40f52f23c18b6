"""The order rules that are checked before an order gets an id. A breach raises `Refusal`, in the broker's words.

Sources: Kite Connect v3 (order rules and message texts as noted in the protocol paper, sections 4 and 5).
"""

from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation

from trading.domain import repricing
from trading.domain.instruments import Instrument, InstrumentType
from trading.domain.money import from_scaled, round_to_tick, to_scaled
from trading.domain.orders import Side
from trading.domain.slicing import most_units
from trading.exchange.market.quotes import Quote
from trading.exchange.venue import refusals
from trading.exchange.venue.kinds import COVER, REGULAR
from trading.exchange.venue.matching import is_triggered
from trading.exchange.venue.orders import Terms
from trading.exchange.venue.refusals import Refusal

ORDER_TYPES = ("MARKET", "LIMIT", "SL", "SL-M")
VALIDITIES = ("DAY", "IOC", "TTL")
MOST_MINUTES = 375
"""Longest life of a TTL order: a whole session of continuous trading. Assumed; the range is not documented."""

COVER_PRODUCT = "CO"
MAX_TAG = 20
MAX_QUANTITY = 2**31 - 1


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """What a client asked for, parsed. `price` and `trigger_price` are rupees, 0 when not given; quantity is units.

    `protection` is a percentage, -1 for the broker's own band, None when not given or 0. `validity_ttl` is minutes;
    of an iceberg `quantity` is the whole and `iceberg_quantity` one leg; of a cover order `trigger_price` is its stop.
    """

    instrument: Instrument
    side: Side
    product: str
    order_type: str
    quantity: int
    price: Decimal = Decimal(0)
    trigger_price: Decimal = Decimal(0)
    validity: str = "DAY"
    disclosed_quantity: int = 0
    tag: str = ""
    protection: Decimal | None = None
    variety: str = REGULAR
    validity_ttl: int = 0
    iceberg_legs: int = 0
    iceberg_quantity: int = 0
    auction_number: str = ""

    def as_limit(self) -> "OrderRequest":
        """Give the same order without its trigger, for a stop that has triggered."""
        return replace(self, order_type="LIMIT", trigger_price=Decimal(0), protection=None)


def freeze_quantity(instrument: Instrument) -> int:
    """Give the most units one order may have, in whole lots."""
    return most_units(instrument.key, instrument) or MAX_QUANTITY


def automatic_percent(instrument: Instrument, ltp: int) -> Decimal:
    """Give the broker's own protection band in percent at a price (scaled)."""
    return repricing.automatic_percent(instrument.instrument_type, from_scaled(ltp))


def protected_price(instrument: Instrument, side: Side, quote: Quote, percent: Decimal) -> int:
    """Give the limit (scaled) that a MARKET order becomes: LTP and the band, on the tick, inside the circuits."""
    ltp = from_scaled(quote.ltp)
    price = to_scaled(round_to_tick(ltp * (1 + side.sign * percent / 100), instrument.tick_size))
    return min(max(price, quote.lower_circuit), quote.upper_circuit)


def check_request(request: OrderRequest, quote: Quote) -> Terms:
    """Check one new order, or the wished state of a modified one, and give its terms."""
    _check_words(request)
    _check_quantity(request)
    if not quote.ltp:
        raise Refusal(refusals.no_price(request.instrument.key))
    if request.order_type in ("MARKET", "SL-M") and request.protection is None:
        raise Refusal(refusals.NO_PROTECTION)
    percent = _percent(request, quote)
    price = 0
    if request.order_type in ("LIMIT", "SL"):
        price = on_grid(request.price, request.instrument, "price")
        _check_circuit(price, quote)
    elif request.order_type == "MARKET" and percent is not None:
        price = protected_price(request.instrument, request.side, quote, percent)
    trigger = _trigger(request, quote, price) if request.order_type in ("SL", "SL-M") else 0
    return Terms(
        quantity=request.quantity,
        order_type="LIMIT" if request.order_type == "MARKET" else request.order_type,
        price=price,
        trigger_price=trigger,
        validity=request.validity,
        disclosed_quantity=request.disclosed_quantity,
        percent=None if percent is None else f"{percent:.2f}",
        ttl=request.validity_ttl if request.validity == "TTL" else 0,
    )


def _check_words(request: OrderRequest) -> None:
    instrument = request.instrument
    if not instrument.is_tradable:
        raise Refusal(f"The instrument {instrument.tradingsymbol} is an index and cannot be traded.")
    allowed: tuple[str, ...] = ("MIS", "CNC") if instrument.instrument_type is InstrumentType.EQ else ("MIS", "NRML")
    if request.variety == COVER:
        allowed = (COVER_PRODUCT,)
    if request.product not in allowed:
        raise Refusal(f"Invalid `product`. {request.product} is not allowed for {instrument.key}.")
    if request.order_type not in ORDER_TYPES:
        raise Refusal("Invalid `order_type`.")
    if request.validity not in VALIDITIES:
        raise Refusal("Invalid `validity`.")
    if request.validity == "TTL" and not 0 < request.validity_ttl <= MOST_MINUTES:
        raise Refusal(f"Invalid `validity_ttl`. It should be between 1 and {MOST_MINUTES} minutes.")
    if request.order_type in ("SL", "SL-M") and request.validity == "IOC":
        raise Refusal("Stoploss orders with IOC validity are not allowed.")
    check_tag(request.tag)


def check_tag(tag: str) -> None:
    """Raise Refusal for a tag that is too long; it is never cut."""
    if len(tag) > MAX_TAG or not tag.isascii():
        raise Refusal(f"Invalid `tag`. It should not exceed {MAX_TAG} characters.")


def _check_quantity(request: OrderRequest) -> None:
    instrument, quantity = request.instrument, request.quantity
    lot = max(1, instrument.lot_size)
    if not 0 < quantity <= MAX_QUANTITY:
        raise Refusal("Invalid `quantity`.")
    if quantity % lot:
        raise Refusal(refusals.not_in_lots(lot))
    most = freeze_quantity(instrument)
    if quantity > most:
        raise Refusal(refusals.freeze(quantity, most, lot))
    if request.disclosed_quantity:
        if not 0 <= request.disclosed_quantity <= quantity:
            raise Refusal("Disclosed quantity cannot be more than the order quantity.")
        if instrument.instrument_type is InstrumentType.EQ and request.disclosed_quantity * 10 < quantity:
            raise Refusal("Disclosed quantity should be at least 10% of the order quantity.")


def _percent(request: OrderRequest, quote: Quote) -> Decimal | None:
    """Give the protection in percent; it means nothing on a LIMIT or SL order."""
    if request.order_type not in ("MARKET", "SL-M") or request.protection is None:
        return None
    if request.protection == -1:
        return automatic_percent(request.instrument, quote.ltp)
    if not 0 < request.protection <= 100:
        raise Refusal("Invalid `market_protection`. It should be -1 or between 0 and 100.")
    return request.protection


def on_grid(price: Decimal, instrument: Instrument, field: str) -> int:
    """Give a price as scaled integer. Raises Refusal for none and for one between two ticks."""
    try:
        steps = price % instrument.tick_size
    except InvalidOperation:
        raise Refusal(f"Invalid `{field}`.") from None
    if price <= 0:
        raise Refusal(f"Invalid `{field}`.")
    if steps:
        raise Refusal(refusals.off_tick(instrument.tick_size))
    return to_scaled(price)


def _check_circuit(price: int, quote: Quote) -> None:
    if not quote.lower_circuit <= price <= quote.upper_circuit:
        raise Refusal(refusals.outside_circuit(price, quote.lower_circuit, quote.upper_circuit))


def _trigger(request: OrderRequest, quote: Quote, price: int) -> int:
    trigger = on_grid(request.trigger_price, request.instrument, "trigger_price")
    _check_circuit(trigger, quote)
    if is_triggered(request.side, trigger, quote.ltp):
        raise Refusal(refusals.trigger_on_wrong_side(request.side, quote.ltp))
    if request.order_type == "SL" and (price - trigger) * request.side.sign < 0:
        relation = "lower" if request.side is Side.BUY else "higher"
        raise Refusal(f"Trigger price should be {relation} than or equal to the limit price.")
    return trigger
