"""Kite's rows in our words. Pure; every function raises ParseError for a row that cannot be trusted.

REST rows carry naive Indian time, as text or (through the SDK's formatter) as naive datetimes; order
messages of the socket carry text. Both become aware UTC here.
"""

import json
import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from trading.domain.candles import Candle
from trading.domain.funds import BrokerFunds, BrokerProfile
from trading.domain.money import to_decimal
from trading.domain.orders import BrokerOrder, BrokerPosition, BrokerTrade, OrderStatus, Side
from trading.domain.repricing import PriceQuote
from trading.domain.timezone import IST

logger = logging.getLogger(__name__)

EXCHANGES = frozenset({"NSE", "BSE", "NFO", "BFO", "CDS", "BCD", "MCX", "NCO", "NSEIX", "MF"})
PRODUCTS = frozenset({"MIS", "NRML", "CNC", "MTF", "CO", "BO"})

STATUSES: Mapping[str, OrderStatus] = {
    "PUT ORDER REQ RECEIVED": OrderStatus.PENDING,
    "VALIDATION PENDING": OrderStatus.PENDING,
    "OPEN PENDING": OrderStatus.PENDING,
    "AMO REQ RECEIVED": OrderStatus.PENDING,
    "MODIFY AMO REQ RECEIVED": OrderStatus.PENDING,
    "MODIFY VALIDATION PENDING": OrderStatus.OPEN,
    "MODIFY PENDING": OrderStatus.OPEN,
    "MODIFIED": OrderStatus.OPEN,
    "CANCEL PENDING": OrderStatus.OPEN,
    "OPEN": OrderStatus.OPEN,
    # A word of messages only, never of the book: a partial fill or a modification.
    "UPDATE": OrderStatus.OPEN,
    "TRIGGER PENDING": OrderStatus.TRIGGER_PENDING,
    "COMPLETE": OrderStatus.COMPLETE,
    "CANCELLED": OrderStatus.CANCELLED,
    "CANCELLED AMO": OrderStatus.CANCELLED,
    "REJECTED": OrderStatus.REJECTED,
}


MOST_UNITS, MOST_RUPEES = 10**9, 10**8
"""No order is so great and no unit so dear: a number beyond is a broken row, and counting it would trade that much."""


class ParseError(ValueError):
    """The broker's row was not what its documents promise; nothing may be concluded from it."""


def ist_moment(value: str | datetime | None) -> datetime | None:
    """Turn Kite's naive Indian time into aware UTC; None and empty stay None."""
    if not value:
        return None
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise ParseError(f"time was {value!r}") from error
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=IST)).astimezone(UTC)


def order_status(word: str) -> OrderStatus:
    """Translate a status; one that nobody told us of is UNKNOWN, which counts as live."""
    status = STATUSES.get(word)
    if status is None:
        logger.warning("unknown order status %r treated as live", word)
        return OrderStatus.UNKNOWN
    return status


def parse_order(row: Mapping[str, Any]) -> BrokerOrder:
    """Read one row of the order book, of an order's history, or one order message."""
    try:
        quantity, filled = _units(row, "quantity"), _units(row, "filled_quantity")
        if filled > quantity:
            raise ParseError(f"filled_quantity was {filled} of {quantity}")
        return BrokerOrder(
            order_id=_text(row, "order_id"),
            tag=row.get("tag") or "",
            status=order_status(_text(row, "status")),
            instrument=_instrument_key(row),
            side=Side(row["transaction_type"]),
            product=_product(row),
            quantity=quantity,
            filled_quantity=filled,
            average_price=_price(row["average_price"] or 0),
            status_message=row.get("status_message") or "",
            broker_status=row["status"],
            placed_at=ist_moment(row.get("order_timestamp")),
            updated_at=ist_moment(row.get("exchange_update_timestamp") or row.get("exchange_timestamp")),
            price=_price(row.get("price") or 0) or None,
            trigger_price=_price(row.get("trigger_price") or 0) or None,
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _broken("order", row, error) from error


def parse_trade(row: Mapping[str, Any]) -> BrokerTrade:
    """Read one fill. `fill_timestamp` has the date; a trade's `order_timestamp` is a time of day only."""
    try:
        filled_at = ist_moment(row.get("fill_timestamp") or row.get("exchange_timestamp"))
        if filled_at is None:
            raise ParseError("fill_timestamp was missing")
        return BrokerTrade(
            trade_id=_text(row, "trade_id"),
            order_id=_text(row, "order_id"),
            instrument=_instrument_key(row),
            side=Side(row["transaction_type"]),
            product=_product(row),
            quantity=_units(row, "quantity"),
            price=_price(row["average_price"]),
            filled_at=filled_at,
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _broken("trade", row, error) from error


def parse_positions(data: Mapping[str, Any]) -> list[BrokerPosition]:
    """Read the `net` half of the positions answer: overnight and today together."""
    return [parse_position(row) for row in _rows(data, "net")]


def parse_position(row: Mapping[str, Any]) -> BrokerPosition:
    """Read one net position; a flat one of today is a row too, with quantity 0."""
    try:
        return BrokerPosition(
            instrument=_instrument_key(row),
            product=_product(row),
            net_quantity=_signed_units(row, "quantity"),
            average_price=_price(row["average_price"]),
            last_price=_price(row["last_price"]),
            pnl=to_decimal(row["pnl"]),
            bought=_told_units(row, "day_buy_quantity"),
            sold=_told_units(row, "day_sell_quantity"),
            overnight=_whole(row, "overnight_quantity"),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _broken("position", row, error) from error


def parse_last_prices(data: Mapping[str, Any]) -> dict[str, Decimal]:
    """Read quote, OHLC or LTP answers: instrument key to last price. Unknown instruments are absent."""
    try:
        return {key: _price(row["last_price"]) for key, row in data.items()}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ParseError(f"a quote could not be read: {error}") from error


def parse_quotes(data: Mapping[str, Any]) -> dict[str, PriceQuote]:
    """Read a full quote answer: instrument key to last price and circuit band. Unknown instruments are absent."""
    try:
        return {key: _quote(row) for key, row in data.items()}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ParseError(f"a quote could not be read: {error}") from error


def _quote(row: Mapping[str, Any]) -> PriceQuote:
    lower, upper = (to_decimal(row.get(f"{end}_circuit_limit") or 0) or None for end in ("lower", "upper"))
    return PriceQuote(to_decimal(row["last_price"]), lower, upper)


def parse_candles(data: Mapping[str, Any]) -> list[Candle]:
    """Read historical candles: lists of time, open, high, low, close, volume and perhaps open interest."""
    return [parse_candle(row) for row in _rows(data, "candles")]


def parse_candle(row: list[Any]) -> Candle:
    """Read one candle list; its time has a zone of its own (+0530)."""
    try:
        start = ist_moment(row[0])
        if start is None:
            raise ParseError("time was missing")
        open_, high, low, close = (to_decimal(price) for price in row[1:5])
        return Candle(start, open_, high, low, close, int(row[5]), int(row[6]) if len(row) > 6 else None)
    except (IndexError, TypeError, ValueError) as error:
        raise ParseError(f"candle {row!r} could not be read: {error}") from error


def parse_profile(row: Mapping[str, Any]) -> BrokerProfile:
    """Read who the account belongs to."""
    try:
        return BrokerProfile(_text(row, "user_id"), row.get("user_name") or "", row.get("email") or "")
    except (KeyError, TypeError, ValueError) as error:
        raise ParseError(f"the profile could not be read: {error}") from error


def parse_funds(row: Mapping[str, Any]) -> BrokerFunds:
    """Read the equity segment of the margins answer."""
    try:
        return BrokerFunds(
            available=to_decimal(row["net"]),
            used=to_decimal(row["utilised"]["debits"]),
            opening_balance=to_decimal(row["available"]["opening_balance"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ParseError(f"the margins could not be read: {error}") from error


def is_order_message(frame: str) -> bool:
    """Say whether a text frame of the socket is an order message, readable or not."""
    return _order_data(frame) is not None


def parse_order_frame(frame: str) -> BrokerOrder | None:
    """Read a text frame of the ticker socket; None when it is no order message."""
    data = _order_data(frame)
    return None if data is None else parse_order(data)


def _order_data(frame: str) -> dict[str, Any] | None:
    try:
        message = json.loads(frame)
    except ValueError:
        return None
    if not isinstance(message, dict) or message.get("type") != "order":
        return None
    data = message.get("data")
    return data if isinstance(data, dict) else None


def rows_of(data: object) -> list[Mapping[str, Any]]:
    """Give a list answer's rows. Raises ParseError for anything else: an empty answer is a list too."""
    if not isinstance(data, list):
        raise ParseError(f"a list was expected, was {type(data).__name__}")
    return data


def _rows(data: Mapping[str, Any], name: str) -> list[Any]:
    rows = data.get(name) if isinstance(data, Mapping) else None
    if not isinstance(rows, list):
        raise ParseError(f"a list {name!r} was expected")
    return rows


def _instrument_key(row: Mapping[str, Any]) -> str:
    exchange = row["exchange"]
    if exchange not in EXCHANGES:
        raise ParseError(f"exchange was {exchange!r}")
    return f"{exchange}:{_text(row, 'tradingsymbol')}"


def _product(row: Mapping[str, Any]) -> str:
    product: str = row["product"]
    if product not in PRODUCTS:
        raise ParseError(f"product was {product!r}")
    return product


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row[name]
    if not isinstance(value, str) or not value:
        raise ParseError(f"{name} was {value!r}")
    return value


def _whole(row: Mapping[str, Any], name: str) -> int:
    if type(row[name]) is int:
        return int(row[name])
    number = to_decimal(row[name])
    if number != int(number):
        raise ParseError(f"{name} was {row[name]!r}")
    return int(number)


def _signed_units(row: Mapping[str, Any], name: str) -> int:
    number = _whole(row, name)
    if abs(number) > MOST_UNITS:
        raise ParseError(f"{name} was {number}")
    return number


def _units(row: Mapping[str, Any], name: str) -> int:
    number = _signed_units(row, name)
    if number < 0:
        raise ParseError(f"{name} was {number}")
    return number


def _price(value: Any) -> Decimal:
    price = to_decimal(value)
    if not -MOST_RUPEES <= price <= MOST_RUPEES:
        raise ParseError(f"a price was {value!r}")
    return price


def _told_units(row: Mapping[str, Any], name: str) -> int | None:
    """Read units that may be left out: then they are not known, and not 0."""
    return None if row.get(name) is None else _units(row, name)


def _broken(what: str, row: object, error: Exception) -> ParseError:
    name = row.get("order_id") if isinstance(row, Mapping) else None
    return ParseError(f"{what} {name or ''} could not be read: {type(error).__name__}: {error}")
