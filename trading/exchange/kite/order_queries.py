"""The JSON lists of orders that margin and charges calls take. A bad field raises Refusal."""

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from aiohttp import web

from trading.domain.money import to_decimal, to_scaled
from trading.domain.orders import Side
from trading.exchange.venue.margin_quotes import MarginQuery
from trading.exchange.venue.prices import Market
from trading.exchange.venue.refusals import Refusal
from trading.exchange.venue.rules import MAX_QUANTITY, ORDER_TYPES

PRODUCTS = ("CNC", "NRML", "MIS", "MTF", "CO")
VARIETIES = ("regular", "amo", "co", "iceberg", "auction")
MOST_RUPEES = Decimal(10**9)
MOST_PERCENT = 100


@dataclass(frozen=True, slots=True)
class NotedOrder:
    """One order of a contract note: what was asked, and the average price in rupees, exact."""

    query: MarginQuery
    variety: str
    average_price: Decimal


async def read_orders(request: web.Request) -> list[dict[str, Any]]:
    """Give the body's list of objects."""
    try:
        body = json.loads(await request.text(), parse_float=Decimal)
    except (ValueError, RecursionError, LookupError, ArithmeticError):
        # no JSON, nested without end, no such character set, an exponent beyond every number
        raise Refusal("Invalid JSON.") from None
    if not isinstance(body, list) or not all(isinstance(one, dict) for one in body):
        raise Refusal("Invalid JSON. It should be a list of orders.")
    return body


def margin_query(row: dict[str, Any], market: Market) -> MarginQuery:
    """Read one order of POST /margins/*."""
    instrument = market.by_key(f"{_word(row, 'exchange')}:{_word(row, 'tradingsymbol')}")
    if instrument is None or not instrument.is_tradable:
        raise Refusal("Invalid `tradingsymbol`.")
    _one_of(row, "variety", VARIETIES)
    return MarginQuery(
        instrument=instrument,
        side=Side(_one_of(row, "transaction_type", tuple(Side))),
        product=_one_of(row, "product", PRODUCTS),
        order_type=_one_of(row, "order_type", ORDER_TYPES),
        quantity=_quantity(row),
        price=_scaled(row, "price"),
        trigger_price=_scaled(row, "trigger_price"),
        protection=_protection(row),
    )


def noted_order(row: dict[str, Any], market: Market) -> NotedOrder:
    """Read one order of POST /charges/orders: an executed one, with its average price."""
    if row.get("average_price") is None:
        raise Refusal("Missing or empty field `average_price`")
    return NotedOrder(margin_query(row, market), row["variety"], _rupees(row, "average_price"))


def _word(row: dict[str, Any], field: str) -> str:
    value = row.get(field)
    if value is None or value == "":
        raise Refusal(f"Missing or empty field `{field}`")
    if not isinstance(value, str):
        raise Refusal(f"Invalid `{field}`.")
    return value


def _one_of(row: dict[str, Any], field: str, words: tuple[str, ...]) -> str:
    value = _word(row, field)
    if value not in words:
        raise Refusal(f"Invalid `{field}`.")
    return value


def _quantity(row: dict[str, Any]) -> int:
    """Give units; a whole number may come as text or with a point, as clients send it."""
    number = _number(row, "quantity")
    if number != int(number) or not 0 < number <= MAX_QUANTITY:
        raise Refusal("Invalid `quantity`.")
    return int(number)


def _rupees(row: dict[str, Any], field: str) -> Decimal:
    number = _number(row, field)
    if not 0 <= number <= MOST_RUPEES:
        raise Refusal(f"Invalid `{field}`.")
    return number


def _scaled(row: dict[str, Any], field: str) -> int:
    try:
        return to_scaled(_rupees(row, field))
    except ValueError:
        raise Refusal(f"Invalid `{field}`.") from None


def _protection(row: dict[str, Any]) -> Decimal | None:
    """Give the percentage, None for the broker's own band (-1, 0 or nothing)."""
    number = _number(row, "market_protection")
    if number in (-1, 0):
        return None
    if not 0 < number <= MOST_PERCENT:
        raise Refusal("Invalid `market_protection`. It should be -1 or between 0 and 100.")
    return number


def _number(row: dict[str, Any], field: str) -> Decimal:
    value = row.get(field)
    try:
        return to_decimal(0 if value is None or value == "" else value)
    except ValueError:
        raise Refusal(f"Invalid `{field}`.") from None
