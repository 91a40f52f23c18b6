"""The ledger as the test truth: everything of the day as JSON-able data, and a hash over its contents.

The hash leaves out ids, sequence numbers and wall times, and does not depend on the order between accounts.
Money is strings of rupees.
"""

import json
from hashlib import sha256
from typing import Any

from trading.domain.money import from_scaled
from trading.exchange.venue.accounts import Account, Position
from trading.exchange.venue.books import Books
from trading.exchange.venue.marketclock import moment_of
from trading.exchange.venue.orders import Order, Trade

_IDS = ("order_id", "trade_id", "sequence")


def money(scaled: int) -> str:
    """Give scaled rupees as an exact string with at least two decimals."""
    exact = from_scaled(scaled).quantize(from_scaled(1))
    text = f"{exact:f}"
    return text[:-2] if text.endswith("00") else text


def ledger_truth(books: Books) -> dict[str, Any]:
    """Give every account's orders, trades, positions and money, by user id."""
    return {user_id: _account(account) for user_id, account in sorted(books.accounts.items())}


def ledger_hash(books: Books) -> str:
    """Give the hex SHA-256 over the ledger's contents."""
    contents = {user_id: _without_ids(account) for user_id, account in ledger_truth(books).items()}
    text = json.dumps({"day": books.day.isoformat(), "accounts": contents}, sort_keys=True, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()


def _without_ids(account: dict[str, Any]) -> dict[str, Any]:
    bare = dict(account)
    for name in ("orders", "trades"):
        rows = [{key: value for key, value in row.items() if key not in _IDS} for row in account[name]]
        bare[name] = sorted(rows, key=lambda row: json.dumps(row, sort_keys=True))
    return bare


def _account(account: Account) -> dict[str, Any]:
    positions = [_position(position) for _, position in sorted(account.positions.items())]
    return {
        "orders": [_order(order) for order in account.orders.values()],
        "trades": [_trade(trade, account.orders[trade.order_id]) for trade in account.trades],
        "positions": positions,
        "holdings": [
            {
                "instrument": holding.instrument.key,
                "quantity": holding.quantity,
                "average_price": money(holding.average_price),
            }
            for _, holding in sorted(account.holdings.items())
        ],
        "cash": money(account.cash),
        "realised_pnl": money(account.realised),
    }


def _order(order: Order) -> dict[str, Any]:
    terms = order.terms
    return {
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
