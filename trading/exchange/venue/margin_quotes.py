"""What an order or a basket would block if it were placed now: asked of the very functions that block it.

A MARKET order is valued, as the book values it, at the limit that the broker's own protection band makes of it.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from trading.domain.charges import Charges, charges_of
from trading.domain.instruments import Instrument
from trading.domain.money import from_scaled
from trading.domain.orders import Side
from trading.exchange.market.quotes import Quote
from trading.exchange.venue import margin
from trading.exchange.venue.accounts import Account
from trading.exchange.venue.margin import Part
from trading.exchange.venue.orders import Order, Terms
from trading.exchange.venue.refusals import Refusal
from trading.exchange.venue.rules import automatic_percent, protected_price

MARKET_TYPES = ("MARKET", "SL-M")


@dataclass(frozen=True, slots=True)
class MarginQuery:
    """One order that a client asks about. `price` and `trigger_price` are scaled, 0 for none; quantity is units."""

    instrument: Instrument
    side: Side
    product: str
    order_type: str
    quantity: int
    price: int
    trigger_price: int
    protection: Decimal | None = None


@dataclass(frozen=True, slots=True)
class MarginQuote:
    """What one order would block, apart by what for (scaled rupees), and what its execution costs."""

    order: Order
    parts: Counter[Part]
    charges: Charges

    @property
    def leverage(self) -> int:
        """How many times its own money the client may use."""
        return margin.leverage_of(self.order.instrument, self.order.product)


@dataclass(frozen=True, slots=True)
class Basket:
    """Several orders: `initial` is the sum of each alone, `final` what all of them together add to what is blocked.

    `final` takes every order as filled at its price; where the basket closes more than it opens it is negative.
    """

    quotes: tuple[MarginQuote, ...]
    initial: Counter[Part]
    final: Counter[Part]


def quote_order(account: Account, query: MarginQuery, quote: Quote, day: date) -> MarginQuote:
    """Say what one order would block besides the positions and orders that are there. Raises Refusal."""
    order = _order(account.user_id, query, quote)
    order.opening = margin.opening_part(account, order)
    parts = Counter({margin.part_of(order.instrument, order.product, order.side): margin.order_margin(order)})
    return MarginQuote(order, parts, charges_at(query, from_scaled(margin.reference_price(order)), day))


def quote_basket(account: Account, quotes: Sequence[MarginQuote]) -> Basket:
    """Put single quotes, given against the same account, together."""
    initial: Counter[Part] = Counter()
    for one in quotes:
        initial.update(one.parts)
    before = margin.parts_of(account.positions.values())
    after = margin.parts_of(_filled(account, quotes).positions.values())
    final = Counter({part: after[part] - before[part] for part in Part if after[part] != before[part]})
    return Basket(tuple(quotes), initial, final)


def charges_at(query: MarginQuery, price: Decimal, day: date) -> Charges:
    """Give the charges of an order executed at a price in rupees. Raises Refusal where no rates are known."""
    try:
        turnover = query.quantity * price
        return charges_of(query.instrument, product=query.product, side=query.side, turnover=turnover, day=day)
    except LookupError as error:
        raise Refusal(f"The charges cannot be given: {error}.") from None


def _filled(account: Account, quotes: Sequence[MarginQuote]) -> Account:
    """Give an account with copies of the positions, after all the orders are filled at their prices."""
    trial = Account(account.user_id, account.cash)
    trial.positions = {key: position.copy() for key, position in account.positions.items()}
    for one in quotes:
        order = one.order
        position = trial.position(order.instrument, order.product)
        position.apply(order.side, order.terms.quantity, margin.reference_price(order))
    return trial


def _order(user_id: str, query: MarginQuery, quote: Quote) -> Order:
    """Make the order that the book would hold, without an id."""
    terms = Terms(
        quantity=query.quantity,
        order_type="LIMIT" if query.order_type == "MARKET" else query.order_type,
        price=_price(query, quote),
        trigger_price=query.trigger_price if query.order_type in ("SL", "SL-M") else 0,
        validity="DAY",
        disclosed_quantity=0,
        percent=None,
    )
    return Order("", 0, user_id, "", query.instrument, query.side, query.product, "", terms, placed_ms=0)


def _price(query: MarginQuery, quote: Quote) -> int:
    """Give the limit at which the book would value the order, 0 for a stop that becomes a market order."""
    if query.order_type == "SL-M":
        if not query.trigger_price:
            raise Refusal("Invalid `trigger_price`.")
        return 0
    if query.order_type == "MARKET":
        percent = query.protection or automatic_percent(query.instrument, quote.ltp)
        return protected_price(query.instrument, query.side, quote, percent)
    if not query.price:
        raise Refusal("Invalid `price`.")
    return query.price
