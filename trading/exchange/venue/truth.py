"""The ledger as the test truth: everything of the day as JSON-able data, and a hash over its contents.

The hash leaves out ids, sequence numbers and wall times, and does not depend on the order between accounts.
Money is strings of rupees.
"""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from trading.domain.money import from_scaled
from trading.exchange.venue.accounts import Account, Holding
from trading.exchange.venue.books import Books
from trading.exchange.venue.kinds import REGULAR
from trading.exchange.venue.marketclock import moment_of
from trading.exchange.venue.orders import Order, Trade
from trading.exchange.venue.positions import Conversion, Position

_IDS = ("order_id", "parent_order_id", "trade_id", "sequence", "trigger_id", "uuid", "sip_id")
_LISTS = ("orders", "trades", "conversions", "gtt", "atos", "mf_orders", "mf_sips")
"""Lists that mean the same in any order."""


def money(scaled: int) -> str:
    """Give scaled rupees as an exact string with at least two decimals."""
    exact = from_scaled(scaled).quantize(from_scaled(1))
    text = f"{exact:f}"
    return text[:-2] if text.endswith("00") else text


def ledger_truth(books: Books, standing: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Give every account's orders, trades, positions and money, and what else is `standing`, by user id."""
    return {
        user_id: {**_account(account), **standing.get(user_id, {})}
        for user_id, account in sorted(books.accounts.items())
    }


def ledger_hash(books: Books, standing: Mapping[str, Mapping[str, Any]]) -> str:
    """Give the hex SHA-256 over the ledger's contents."""
    contents = {user_id: _without_ids(account) for user_id, account in ledger_truth(books, standing).items()}
    text = json.dumps({"day": books.day.isoformat(), "accounts": contents}, sort_keys=True, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()


def _without_ids(account: dict[str, Any]) -> dict[str, Any]:
    bare = dict(account)
    for name in (name for name in _LISTS if name in account):
        rows = [{key: value for key, value in row.items() if key not in _IDS} for row in account[name]]
        bare[name] = sorted(rows, key=lambda row: json.dumps(row, sort_keys=True))
    return bare


def _account(account: Account) -> dict[str, Any]:
    positions = [_position(position) for _, position in sorted(account.positions.items())]
    return {
        "orders": [_order(order) for order in account.orders.values()],
        "trades": [_trade(trade, account.orders[trade.order_id]) for trade in account.trades],
        "positions": positions,
        "holdings": [_holding(holding) for _, holding in sorted(account.holdings.items())],
        "cash": money(account.cash),
        "realised_pnl": money(account.realised),
    } | ({"conversions": [_conversion(one) for one in account.conversions]} if account.conversions else {})


def _conversion(one: Conversion) -> dict[str, Any]:
    return {
        "token": one.token,
        "side": one.side.value,
        "is_overnight": one.is_overnight,
        "quantity": one.quantity,
        "old_product": one.old_product,
        "new_product": one.new_product,
        "at": moment_of(one.at_ms).isoformat(),
    }


def _holding(holding: Holding) -> dict[str, Any]:
    settled = {
        "instrument": holding.instrument.key,
        "quantity": holding.quantity,
        "average_price": money(holding.average_price),
    }
    return settled | ({"t1_quantity": holding.t1_quantity} if holding.t1_quantity else {})


def _order(order: Order) -> dict[str, Any]:
    terms = order.terms
    return _order_kind(order) | {
        "order_id": order.order_id,
        "tag": order.tag,
        "instrument": order.instrument.key,
        "side": order.side.value,
        "product": order.product,
        "order_type": terms.order_type,
        "validity": terms.validity,
        "quantity": terms.quantity,
        "price": money(terms.price),
        "trigger_price": money(terms.trigger_price),
        "protection_percent": terms.percent,
        "status": order.status.value,
        "status_message": order.message,
        "filled_quantity": order.filled,
        "filled_value": money(order.filled_value),
        "cancelled_quantity": order.cancelled,
        "modifications": order.modifications,
        "placed_at": moment_of(order.placed_ms).isoformat(),
        "updated_at": moment_of(order.history[-1].at_ms).isoformat(),
    }


def _order_kind(order: Order) -> dict[str, Any]:
    """Give what sets an order apart from a plain one: nothing for a regular order with validity DAY or IOC."""
    kind = order.kind
    leg = kind.iceberg
    told: dict[str, Any] = {
        "variety": None if kind.variety == REGULAR else kind.variety,
        "parent_order_id": kind.parent_order_id,
        "leg": None if leg is None else [*leg],
        "is_slice": bool(kind.slice_of) or None,
        "stop": money(kind.stop) if kind.stop else None,
        "auction_number": kind.auction_number or None,
        "validity_ttl": order.terms.ttl or None,
        "placed_by": kind.placed_by or None,
    }
    return {name: value for name, value in told.items() if value is not None}


def _trade(trade: Trade, order: Order) -> dict[str, Any]:
    return {
        "trade_id": trade.trade_id,
        "order_id": trade.order_id,
        "tag": order.tag,
        "instrument": order.instrument.key,
        "side": trade.side.value,
        "product": trade.product,
        "quantity": trade.quantity,
        "price": money(trade.price),
        "at": moment_of(trade.at_ms).isoformat(),
    }


def _position(position: Position) -> dict[str, Any]:
    return {
        "instrument": position.instrument.key,
        "product": position.product,
        "net_quantity": position.net_quantity,
        "overnight_quantity": position.overnight_quantity,
        "buy_quantity": position.buy_quantity,
        "buy_value": money(position.buy_value),
        "sell_quantity": position.sell_quantity,
        "sell_value": money(position.sell_value),
        "realised_pnl": money(position.realised),
    }
