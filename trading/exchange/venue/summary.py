"""The ledger in short: what a person wants to see of each account now. Money is strings of rupees."""

from typing import Any

from trading.exchange.venue.accounts import Account
from trading.exchange.venue.books import Books
from trading.exchange.venue.prices import Market
from trading.exchange.venue.truth import money


def ledger_summary(books: Books, market: Market) -> dict[str, Any]:
    """Give orders, live ones, trades, cash, positions and the day's P&L at the last prices, by user id."""
    return {user_id: _summary(account, market) for user_id, account in sorted(books.accounts.items())}


def _summary(account: Account, market: Market) -> dict[str, Any]:
    positions = []
    total = 0
    for (token, product), position in sorted(account.positions.items()):
        pnl = position.pnl(market.quote(token).ltp)
        total += pnl
        net = position.net_quantity
        positions.append(
            {"instrument": position.instrument.key, "product": product, "net_quantity": net, "pnl": money(pnl)}
        )
    return {
        "orders": len(account.orders),
        "live": len(account.live),
        "trades": len(account.trades),
        "cash": money(account.cash),
        "pnl": money(total),
        "positions": positions,
    }
