"""Orders, order messages and trades."""

from typing import Any

from trading.domain.instruments import Instrument
from trading.domain.orders import Side
from trading.exchange.kite.shapes.numbers import average, price
from trading.exchange.market.quotes import Quote
from trading.exchange.venue.cover import trigger_range
from trading.exchange.venue.marketclock import stamp
from trading.exchange.venue.orders import Order, Snapshot, Status, Trade
from trading.exchange.venue.refusals import Refusal
from trading.exchange.venue.users import User

REQUESTS = frozenset({Status.MODIFY_VALIDATION_PENDING, Status.CANCEL_PENDING, Status.AMO_MODIFIED})
"""The states with which a client's later requests begin."""

ON_THE_WAY = frozenset({Status.MODIFY_VALIDATION_PENDING, Status.MODIFY_PENDING, Status.CANCEL_PENDING})
"""Wishes that the exchange has not answered yet."""


def order_row(order: Order, state: Snapshot) -> dict[str, Any]:
    """Shape of one order in the book or in its history; tags and an auction's number are there when it has any."""
    row = _order_core(order, state) | {
        "account_id": order.user_id,
        "modified": state.modified,
        "validity_ttl": state.terms.ttl,
        "tag": order.tag or None,
    }
    if tags := _tags(order, state):
        row["tags"] = tags
    if order.kind.auction_number:
        row["auction_number"] = order.kind.auction_number
    return row


def _order_core(order: Order, state: Snapshot) -> dict[str, Any]:
    terms, instrument = state.terms, order.instrument
    at_exchange = stamp(state.exchange_ms) if state.exchange_ms is not None else None
    return {
        "placed_by": order.kind.placed_by or order.user_id,
        "order_id": order.order_id,
        "exchange_order_id": order.exchange_order_id if at_exchange else None,
        "parent_order_id": order.kind.parent_order_id,
        "status": state.status.value,
        "status_message": state.message,
        "status_message_raw": state.raw,
        "order_timestamp": stamp(_asked_ms(order, state)),
        "exchange_update_timestamp": _updated_at(state),
        "exchange_timestamp": at_exchange,
        "variety": order.kind.variety,
        "exchange": instrument.exchange,
        "tradingsymbol": instrument.tradingsymbol,
        "instrument_token": instrument.token,
        "order_type": terms.order_type,
        "transaction_type": order.side.value,
        "validity": terms.validity,
        "product": order.product,
        "quantity": terms.quantity,
        "disclosed_quantity": terms.disclosed_quantity,
        "price": price(terms.price),
        "trigger_price": price(terms.trigger_price),
        "average_price": average(state.filled_value, state.filled),
        "filled_quantity": state.filled,
        "pending_quantity": 0 if state.status is Status.REJECTED else terms.quantity - state.filled,
        "cancelled_quantity": state.cancelled,
        "market_protection": 0,
        "meta": _meta(order),
        "guid": f"{order.sequence}X{order.order_id[-8:]}",
    }


def _asked_ms(order: Order, state: Snapshot) -> int:
    """Give when the API took the last request about the order: placing, modifying or cancelling it.

    Zerodha's mock answers: an order of 09:15:38 that is cancelled at 09:18:57 has the second time (orders.json), the
    states of a modification have its own (order_info.json).
    """
    asked = (line.at_ms for line in reversed(order.history) if line.status in REQUESTS and line.at_ms <= state.at_ms)
    return next(asked, order.placed_ms)


def _updated_at(state: Snapshot) -> str | None:
    """Give the exchange's last word on the order, None while it has none."""
    if state.exchange_ms is None:
        return None
    return stamp(state.exchange_ms if state.status in ON_THE_WAY else state.at_ms)


def _meta(order: Order) -> dict[str, Any]:
    leg = order.kind.iceberg
    return {} if leg is None else {"iceberg": leg._asdict() | {"remaining_quantity": leg.remaining_quantity}}


def child_row(child: Order | Refusal) -> dict[str, Any]:
    """Shape of one slice in the reply to an autosliced order: its id, or the error that it met."""
    if isinstance(child, Order):
        return {"order_id": child.order_id}
    error = {"code": child.status, "error_type": child.error_type, "message": child.message, "data": None}
    return {"error": error}


def _tags(order: Order, state: Snapshot) -> list[str]:
    """Give the client's tag, then the marks of slicing and of market protection."""
    tags = [order.tag] if order.tag else []
    if order.kind.slice_of:
        tags += ["autoslice", f"autoslice:{order.kind.slice_of}"]
    if state.terms.percent is not None:
        tags += ["mktp", f"mktp:{state.terms.percent}"]
    return tags


def order_message(order: Order, word: str, app: User, checksum: str) -> dict[str, Any]:
    """Shape of a postback and of a socket's order message; the socket's checksum is empty."""
    state = order.history[-1]
    return _order_core(order, state) | {
        "user_id": order.user_id,
        "unfilled_quantity": 0 if state.status is Status.COMPLETE else state.terms.quantity - state.filled,
        "app_id": app.app_id,
        "checksum": checksum,
        "status": word,
        "tag": order.tag or None,
    }


def trade_row(trade: Trade, order: Order) -> dict[str, Any]:
    """Shape of one trade."""
    at = stamp(trade.at_ms)
    return {
        "trade_id": trade.trade_id,
        "order_id": trade.order_id,
        "exchange": order.instrument.exchange,
        "tradingsymbol": order.instrument.tradingsymbol,
        "instrument_token": trade.token,
        "product": trade.product,
        "average_price": price(trade.price),
        "quantity": trade.quantity,
        "exchange_order_id": order.exchange_order_id,
        "transaction_type": trade.side.value,
        "fill_timestamp": at,
        "order_timestamp": stamp(order.placed_ms)[11:],
        "exchange_timestamp": at,
    }


def trigger_range_row(instrument: Instrument, side: Side, quote: Quote) -> dict[str, Any]:
    """Shape of the range for a cover order's stop."""
    lower, upper = trigger_range(side, quote.ltp)
    return {"instrument_token": instrument.token, "lower": price(lower), "upper": price(upper)}
