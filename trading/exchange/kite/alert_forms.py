"""The form of an alert, with its basket as JSON text, turned into the venue's wish. A bad field raises Refusal."""

from collections.abc import Mapping

from trading.domain.instruments import Instrument
from trading.domain.orders import Side
from trading.exchange.kite.bodies import Fields, json_field
from trading.exchange.venue.alert_values import ATO, ATTRIBUTES, OPERATORS, SIMPLE, AlertWish, BasketOrder, Operand
from trading.exchange.venue.prices import Market
from trading.exchange.venue.refusals import Refusal
from trading.exchange.venue.rules import MAX_TAG, ORDER_TYPES, VALIDITIES

MOST_ORDERS = 20
MOST_LETTERS = 100


def parse_alert(form: Mapping[str, str], market: Market) -> AlertWish:
    """Read POST /alerts and PUT /alerts/{uuid}."""
    fields = Fields(dict(form), "form")
    name = fields.text("name")
    if len(name) > MOST_LETTERS:
        raise Refusal("Invalid `name`.")
    kind = _word(fields, "type", (SIMPLE, ATO))
    lhs = _operand(fields, "lhs", market)
    sign = _word(fields, "operator", tuple(OPERATORS))
    rhs, constant = None, ""
    if _word(fields, "rhs_type", ("constant", "instrument")) == "constant":
        fields.text("rhs_constant")
        constant = f"{fields.number('rhs_constant'):f}"
    else:
        rhs = _operand(fields, "rhs", market)
    basket = _basket(Fields(json_field(form, "basket"), "basket"), market) if kind == ATO else ()
    return AlertWish(name, kind, lhs, sign, rhs, constant, basket)


def _word(fields: Fields, field: str, known: tuple[str, ...]) -> str:
    word = fields.text(field)
    if word not in known:
        raise Refusal(f"Invalid `{field}`.")
    return word


def _operand(fields: Fields, side: str, market: Market) -> Operand:
    exchange, symbol = fields.text(f"{side}_exchange"), fields.text(f"{side}_tradingsymbol")
    instrument = _of_exchange(exchange, symbol, market)
    if instrument is None:
        raise Refusal(f"Invalid `{side}_tradingsymbol`.")
    return Operand(exchange, symbol, _word(fields, f"{side}_attribute", tuple(ATTRIBUTES)), instrument.token)


def _of_exchange(exchange: str, symbol: str, market: Market) -> Instrument | None:
    """Find an instrument; an index of any exchange also by the word INDICES."""
    if exchange != "INDICES":
        return market.by_key(f"{exchange}:{symbol}")
    found = (market.by_key(f"{home}:{symbol}") for home in ("NSE", "BSE"))
    return next((one for one in found if one is not None and not one.is_tradable), None)


def _basket(basket: Fields, market: Market) -> tuple[BasketOrder, ...]:
    items = basket.items("items")
    if not 1 <= len(items) <= MOST_ORDERS:
        raise Refusal(f"Invalid `basket`. It should have 1 to {MOST_ORDERS} orders.")
    return tuple(_order(Fields(item, "basket"), market) for item in items)


def _order(item: Fields, market: Market) -> BasketOrder:
    instrument = market.by_key(f"{item.text('exchange')}:{item.text('tradingsymbol')}")
    if instrument is None:
        raise Refusal("Invalid `tradingsymbol`.")
    params = Fields(item.get("params"), "params")
    _check_not_offered(params)
    tags = params.items("tags") if params.get("tags") is not None else []
    tag = tags[0] if tags else ""
    if not isinstance(tag, str) or len(tag) > MAX_TAG:
        raise Refusal("Invalid `tags`.")
    validity = _word(params, "validity", VALIDITIES) if params.get("validity") else "DAY"
    return BasketOrder(
        exchange=instrument.exchange,
        tradingsymbol=instrument.tradingsymbol,
        token=instrument.token,
        side=Side(_word(params, "transaction_type", tuple(Side))),
        product=params.text("product"),
        order_type=_word(params, "order_type", ORDER_TYPES),
        quantity=params.whole("quantity"),
        price=f"{params.rupees('price'):f}",
        trigger_price=f"{params.rupees('trigger_price'):f}",
        validity=validity,
        disclosed_quantity=params.whole("disclosed_quantity") if params.get("disclosed_quantity") else 0,
        tag=tag,
        protection=_protection(params),
        weight=item.whole("weight") if item.get("weight") else 0,
    )


def _protection(params: Fields) -> str:
    percent = params.number("market_protection")
    if not (percent == -1 or 0 <= percent <= 100):
        raise Refusal("Invalid `market_protection`. It should be -1 or between 0 and 100.")
    return f"{percent:f}"


def _check_not_offered(params: Fields) -> None:
    if (params.get("variety") or "regular") != "regular":
        raise Refusal("Invalid `variety`. Orders of an alert are regular ones.")
    attached = Fields(params.get("gtt") or {}, "gtt")
    if attached.number("target") or attached.number("stoploss"):
        raise Refusal("Invalid `gtt`. It is not offered for orders of an alert.")
