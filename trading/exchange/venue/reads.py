"""What a broker shows of the books, possibly some wire seconds late (`book_lag_s`)."""

from collections.abc import Callable
from math import inf

from trading.exchange.venue.accounts import Account
from trading.exchange.venue.behaviour import Behaviour
from trading.exchange.venue.books import Books
from trading.exchange.venue.conversions import replayed
from trading.exchange.venue.hand import Hand
from trading.exchange.venue.orders import Order, Snapshot, Trade
from trading.exchange.venue.positions import Position

ORDERS, TRADES, POSITIONS = "orders", "trades", "positions"


class Reads:
    """Order book, trades and positions of one user as the broker's screens have them now."""

    def __init__(
        self, books: Callable[[], Books], behaviour: Behaviour, monotonic: Callable[[], float], hand: Hand
    ) -> None:
        self._books = books
        self._behaviour = behaviour
        self._monotonic = monotonic
        self._hand = hand

    def _account(self, user_id: str) -> Account:
        return self._books().accounts[user_id]

    def _seen_until(self, user_id: str, screen: str) -> float:
        """Give the wire moment up to which a screen (orders, trades, positions) has followed."""
        lag = max(self._behaviour.book_lag_s, self._hand.script.lag_s(user_id, screen))
        return self._monotonic() - lag if lag else inf

    def orders(self, user_id: str) -> list[tuple[Order, Snapshot]]:
        """Give each order with its newest visible state; an order too young is absent."""
        until = self._seen_until(user_id, ORDERS)
        found = []
        for order in self._account(user_id).orders.values():
            state = next((line for line in reversed(order.history) if line.wire_s <= until), None)
            if state is not None:
                found.append((order, state))
        return found

    def history(self, user_id: str, order_id: str) -> tuple[Order, list[Snapshot]] | None:
        """Give an order's visible states, oldest first; None when it is not (yet) this user's."""
        order = self._account(user_id).orders.get(order_id)
        if order is None:
            return None
        until = self._seen_until(user_id, ORDERS)
        lines = [line for line in order.history if line.wire_s <= until]
        return (order, lines) if lines else None

    def trades(self, user_id: str) -> list[tuple[Trade, Order]]:
        """Give the day's visible fills, oldest first."""
        return self._trades_until(user_id, self._seen_until(user_id, TRADES))

    def _trades_until(self, user_id: str, until: float) -> list[tuple[Trade, Order]]:
        account = self._account(user_id)
        return [(trade, account.orders[trade.order_id]) for trade in account.trades if trade.wire_s <= until]

    def positions(self, user_id: str) -> list[Position]:
        """Give the day's positions, flat ones too."""
        account = self._account(user_id)
        until = self._seen_until(user_id, POSITIONS)
        if until == inf:
            return list(account.positions.values())
        trades = (trade for trade, _ in self._trades_until(user_id, until))
        conversions = (one for one in account.conversions if one.wire_s <= until)
        return list(replayed(account, trades, conversions).values())
