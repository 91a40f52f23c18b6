"""Order forms as Kite's clients send them, turned into the venue's requests. A bad field raises Refusal."""

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

from trading.domain.money import from_scaled
from trading.domain.orders import Side
from trading.exchange.venue.kinds import AMO, REGULAR, VARIETIES
from trading.exchange.venue.orders import Order
from trading.exchange.venue.prices import Market
from trading.exchange.venue.refusals import Refusal
from trading.exchange.venue.rules import OrderRequest

Form = Mapping[str, str]


def check_variety(variety: str, order: Order) -> None:
    """Raise Refusal for another variety than the order's; an AMO is a regular order once the exchange has it."""
    own = order.kind.variety
    if variety != (REGULAR if own == AMO and not order.is_after_hours else own):
        raise Refusal("Invalid `variety`.")


def wants_slices(form: Form) -> bool:
    """Say whether an order is to be sliced above the freeze quantity."""
    return form.get("autoslice", "").lower() == "true"


def parse_placement(variety: str, form: Form, market: Market) -> OrderRequest:
    """Read POST /orders/{variety}."""
    if variety not in VARIETIES:
        raise Refusal("Invalid `variety`.")
    instrument = market.by_key(f"{_required(form, 'exchange')}:{_required(form, 'tradingsymbol')}")
    if instrument is None:
        raise Refusal("Invalid `tradingsymbol`.")
    side = _required(form, "transaction_type")
    if side not in list(Side):
        raise Refusal("Invalid `transaction_type`.")
    return OrderRequest(
        instrument=instrument,
        side=Side(side),
        product=_required(form, "product"),
        order_type=_required(form, "order_type"),
        quantity=_whole(form, "quantity"),
        price=_number(form, "price"),
        trigger_price=_number(form, "trigger_price"),
        validity=form.get("validity") or "DAY",
        disclosed_quantity=_whole(form, "disclosed_quantity", default=0),
        tag=form.get("tag", ""),
        protection=_protection(form),
        variety=variety,
        validity_ttl=_whole(form, "validity_ttl", default=0),
        iceberg_legs=_whole(form, "iceberg_legs", default=0),
        iceberg_quantity=_whole(form, "iceberg_quantity", default=0),
        auction_number=form.get("auction_number", ""),
    )


def parse_modification(form: Form, order: Order) -> OrderRequest:
    """Read PUT /orders/{variety}/{id}: whatever is not given stays as it is, the protection of a market order too."""
    terms = order.terms
    protection = _protection(form)
    if protection is None and terms.percent is not None:
        protection = Decimal(terms.percent)
    return OrderRequest(
        instrument=order.instrument,
        side=order.side,
        product=order.product,
        order_type=form.get("order_type") or terms.order_type,
        quantity=_whole(form, "quantity", default=terms.quantity),
        price=_number(form, "price") or from_scaled(terms.price),
        trigger_price=_number(form, "trigger_price") or from_scaled(terms.trigger_price),
        validity=form.get("validity") or terms.validity,
        disclosed_quantity=_whole(form, "disclosed_quantity", default=terms.disclosed_quantity),
        tag=order.tag,
        protection=protection,
        variety=order.kind.variety if order.is_after_hours or order.kind.variety != AMO else REGULAR,
        validity_ttl=_whole(form, "validity_ttl", default=terms.ttl),
    )


def _required(form: Form, field: str) -> str:
    value = form.get(field, "")
    if not value:
        raise Refusal(f"Missing or empty field `{field}`")
    return value


def _whole(form: Form, field: str, *, default: int | None = None) -> int:
    text = form.get(field, "")
    if not text and default is not None:
        return default
    if not re.fullmatch(r"-?[0-9]{1,18}", text):
        raise Refusal(f"Invalid `{field}`.")
    return int(text)


def _number(form: Form, field: str) -> Decimal:
    try:
        number = Decimal(form.get(field) or "0")
    except InvalidOperation:
        raise Refusal(f"Invalid `{field}`.") from None
    if not number.is_finite() or number < 0 or number > 10**9:
        raise Refusal(f"Invalid `{field}`.")
    return number


def _protection(form: Form) -> Decimal | None:
    """Read market_protection; 0 is the same as nothing."""
    try:
        number = Decimal(form.get("market_protection") or "0")
    except InvalidOperation:
        raise Refusal("Invalid `market_protection`.") from None
    return number if number.is_finite() and number else None
