"""What a broker shows of the books, possibly some wire seconds late (`book_lag_s`)."""

from collections.abc import Callable

from trading.exchange.venue.accounts import Account
from trading.exchange.venue.behaviour import Behaviour
from trading.exchange.venue.books import Books
from trading.exchange.venue.conversions import replayed
from trading.exchange.venue.orders import Order, Snapshot, Trade
from trading.exchange.venue.positions import Position


class Reads:
    """Order book, trades and positions of one user as the broker's screens have them now."""

    def __init__(self, books: Callable[[], Books], behaviour: Behaviour, monotonic: Callable[[], float]) -> None:
        self._books = books
        self._behaviour = behaviour
        self._monotonic = monotonic

    def _account(self, user_id: str) -> Account:
        return self._books().accounts[user_id]

    def _seen_until(self) -> float:
        """Give the wire moment up to which the screens have followed."""
        lag = self._behaviour.book_lag_s
        return self._monotonic() - lag if lag else float("inf")

    def orders(self, user_id: str) -> list[tuple[Order, Snapshot]]:
        """Give each order with its newest visible state; an order too young is absent."""
        until = self._seen_until()
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
        until = self._seen_until()
        lines = [line for line in order.history if line.wire_s <= until]
        return (order, lines) if lines else None

    def trades(self, user_id: str) -> list[tuple[Trade, Order]]:
        """Give the day's visible fills, oldest first."""
        until = self._seen_until()
        account = self._account(user_id)
        return [(trade, account.orders[trade.order_id]) for trade in account.trades if trade.wire_s <= until]

    def positions(self, user_id: str) -> list[Position]:
        """Give the day's positions, flat ones too."""
        account = self._account(user_id)
        if not self._behaviour.book_lag_s:
            return list(account.positions.values())
        until = self._seen_until()
        trades = (trade for trade, _ in self.trades(user_id))
        conversions = (one for one in account.conversions if one.wire_s <= until)
        return list(replayed(account, trades, conversions).values())
