"""GTT triggers as the API shows them."""

import json
from typing import Any

from trading.exchange.kite.shapes.numbers import price
from trading.exchange.venue.gtt_values import Gtt, GttOrder, GttResult, GttStatus
from trading.exchange.venue.marketclock import stamp


def gtt_row(gtt: Gtt, app_id: int) -> dict[str, Any]:
    """Shape of one trigger; only the leg that was met has a result. `app_id` is the app that placed it."""
    return {
        "id": gtt.trigger_id,
        "user_id": gtt.user_id,
        "parent_trigger": None,
        "type": gtt.type.value,
        "created_at": stamp(gtt.created_ms),
        "updated_at": stamp(gtt.updated_ms),
        "expires_at": stamp(gtt.expires_ms),
        "status": gtt.status.value,
        "condition": {
            "exchange": gtt.exchange,
            "last_price": price(gtt.last_price),
            "tradingsymbol": gtt.tradingsymbol,
            "trigger_values": [price(value) for value in gtt.values],
            "instrument_token": gtt.token,
        },
        "orders": [_order_row(gtt, leg, app_id) for leg in range(len(gtt.orders))],
        "meta": {} if gtt.status is GttStatus.ACTIVE else None,
    }


def _order_row(gtt: Gtt, leg: int, app_id: int) -> dict[str, Any]:
    order, result = gtt.orders[leg], gtt.result
    is_met = result is not None and result.leg == leg
    return _order(gtt, order) | {"result": _result(gtt, order, result, app_id) if result and is_met else None}


def _order(gtt: Gtt, order: GttOrder) -> dict[str, Any]:
    return {
        "exchange": gtt.exchange,
        "tradingsymbol": gtt.tradingsymbol,
        "product": order.product,
        "order_type": "LIMIT",
        "transaction_type": order.side.value,
        "quantity": order.quantity,
        "price": price(order.price),
    }


def _result(gtt: Gtt, order: GttOrder, result: GttResult, app_id: int) -> dict[str, Any]:
    return _order(gtt, order) | {
        "account_id": gtt.user_id,
        "validity": "DAY",
        "meta": json.dumps({"app_id": app_id, "gtt": gtt.trigger_id}, separators=(",", ":")),
        "timestamp": stamp(result.at_ms),
        "triggered_at": price(result.triggered_at),
        "order_result": {
            "status": "success" if result.order_id else "failed",
            "order_id": result.order_id,
            "rejection_reason": result.reason,
        },
    }
