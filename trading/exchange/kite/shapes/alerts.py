"""Alerts and their history as the API shows them."""

from typing import Any

from trading.exchange.kite.shapes.numbers import price
from trading.exchange.venue.alert_values import Alert, BasketOrder, Firing, Placed, Sight
from trading.exchange.venue.marketclock import stamp

NEVER = "0001-01-01 00:00:00"
"""The last trade time of an index."""


def alert_row(alert: Alert, *, with_basket: bool) -> dict[str, Any]:
    """Shape of one alert. Create and modify answer without the basket, the reads with it."""
    wish = alert.wish
    lhs, rhs = wish.lhs, wish.rhs
    basket = (
        {"basket": {"items": [_item(number, order) for number, order in enumerate(wish.basket, start=1)]}}
        if with_basket and wish.basket
        else {}
    )
    return basket | {
        "type": wish.type,
        "user_id": alert.user_id,
        "uuid": alert.uuid,
        "name": wish.name,
        "status": alert.status,
        "disabled_reason": alert.disabled_reason,
        "lhs_attribute": lhs.attribute,
        "lhs_exchange": lhs.exchange,
        "lhs_tradingsymbol": lhs.tradingsymbol,
        "operator": wish.operator,
        "rhs_type": "constant" if rhs is None else "instrument",
        "rhs_attribute": rhs.attribute if rhs else "",
        "rhs_exchange": rhs.exchange if rhs else "",
        "rhs_tradingsymbol": rhs.tradingsymbol if rhs else "",
        "rhs_constant": float(wish.constant) if rhs is None else 0,
        "alert_count": len(alert.history),
        "created_at": stamp(alert.created_ms),
        "updated_at": stamp(alert.updated_ms),
    }


def _item(number: int, order: BasketOrder) -> dict[str, Any]:
    return {
        "id": number,
        "tradingsymbol": order.tradingsymbol,
        "exchange": order.exchange,
        "instrument_token": order.token,
        "weight": order.weight,
        "params": {
            "validity": order.validity,
            "validity_ttl": 0,
            "variety": "regular",
            "product": order.product,
            "order_type": order.order_type,
            "transaction_type": order.side.value,
            "quantity": order.quantity,
            "disclosed_quantity": order.disclosed_quantity,
            "price": float(order.price),
            "trigger_price": float(order.trigger_price),
            "squareoff": 0,
            "stoploss": 0,
            "trailing_stoploss": 0,
            "gtt": {"target": 0, "stoploss": 0},
            "tags": [order.tag] if order.tag else [],
        },
    }


def history_row(alert: Alert, firing: Firing) -> dict[str, Any]:
    """Shape of one line of an alert's history; `order_meta` is null for a simple alert."""
    return {
        "uuid": alert.uuid,
        "type": alert.wish.type,
        "meta": [_sight(sight) for sight in firing.sights],
        "condition": firing.condition,
        "created_at": stamp(firing.at_ms),
        "order_meta": [_placed(one) for one in firing.placed] if firing.placed else None,
    }


def _placed(one: Placed) -> dict[str, Any]:
    return {
        "instrument_token": one.token,
        "status": "success" if one.order_id else "failed",
        "order_id": one.order_id,
        "rejection_reason": one.reason,
    }


def _sight(sight: Sight) -> dict[str, Any]:
    return {
        "instrument_token": sight.operand.token,
        "tradingsymbol": sight.operand.tradingsymbol,
        "exchange": sight.operand.exchange,
        "timestamp": stamp(sight.at_ms),
        "last_price": price(sight.ltp),
        "ohlc": {
            "open": price(sight.open),
            "high": price(sight.high),
            "low": price(sight.low),
            "close": price(sight.close),
        },
        "net_change": price(sight.ltp - sight.close),
        "last_trade_time": stamp(sight.last_trade_ms) if sight.last_trade_ms else NEVER,
        "last_quantity": sight.last_quantity,
        "buy_quantity": sight.buy_quantity,
        "sell_quantity": sight.sell_quantity,
        "volume": sight.volume,
        "volume_tick": 0,
        "average_price": price(sight.average_price),
        "oi": sight.oi,
        "oi_day_high": sight.oi,
        "oi_day_low": sight.oi,
        "lower_circuit_limit": price(sight.lower_circuit),
        "upper_circuit_limit": price(sight.upper_circuit),
    }
