"""Orders, order messages and trades."""

from typing import Any

from trading.exchange.kite.shapes.numbers import average, price
from trading.exchange.venue.marketclock import stamp
from trading.exchange.venue.orders import Order, Snapshot, Status, Trade
from trading.exchange.venue.users import User

ON_THE_WAY = frozenset({Status.MODIFY_VALIDATION_PENDING, Status.MODIFY_PENDING, Status.CANCEL_PENDING})
"""Wishes that the exchange has not answered yet."""


def order_row(order: Order, state: Snapshot) -> dict[str, Any]:
    """Shape of one order in the book or in its history."""
    tags = _tags(order, state)
    return _order_core(order, state) | {
        "account_id": order.user_id,
        "modified": state.modified,
        "validity_ttl": 0,
        "auction_number": None,
        "tag": order.tag or None,
        "tags": tags or None,
    }


def _order_core(order: Order, state: Snapshot) -> dict[str, Any]:
    terms, instrument = state.terms, order.instrument
    at_exchange = stamp(state.exchange_ms) if state.exchange_ms is not None else None
    return {
        "placed_by": order.user_id,
        "order_id": order.order_id,
        "exchange_order_id": order.exchange_order_id if at_exchange else None,
        "parent_order_id": None,
        "status": state.status.value,
        "status_message": state.message,
        "status_message_raw": state.raw,
        "order_timestamp": stamp(order.placed_ms),
        "exchange_update_timestamp": _updated_at(state),
        "exchange_timestamp": at_exchange,
        "variety": "regular",
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
        "meta": {},
        "guid": f"{order.sequence}X{order.order_id[-8:]}",
    }


def _updated_at(state: Snapshot) -> str | None:
    """Give the exchange's last word on the order, None while it has none."""
    if state.exchange_ms is None:
        return None
    return stamp(state.exchange_ms if state.status in ON_THE_WAY else state.at_ms)


def _tags(order: Order, state: Snapshot) -> list[str]:
    """Give the client's tag, then the marks of market protection."""
    tags = [order.tag] if order.tag else []
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
