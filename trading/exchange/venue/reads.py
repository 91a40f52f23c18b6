"""What a broker shows of the books, possibly some wire seconds late (`book_lag_s`)."""

from collections.abc import Callable
from itertools import takewhile
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

    def _shown_lines(self, order: Order, until: float) -> list[Snapshot]:
        """Give an order's states up to the newest that the screens show."""
        delayed = "book" in self._behaviour.latency.delays
        for place in range(len(order.history), 0, -1):
            line = order.history[place - 1]
            if line.wire_s <= until and not (delayed and self._is_under_way("book", line.wire_s, order, place)):
                return order.history[:place]
        return []

    def _is_under_way(self, kind: str, wire_s: float, of: Order | Trade, place: int = 0) -> bool:
        age_s = self._monotonic() - wire_s
        return not self._behaviour.latency.is_past(kind, age_s, of.sequence, place)

    def orders(self, user_id: str) -> list[tuple[Order, Snapshot]]:
        """Give each order with its newest visible state; an order too young is absent."""
        until = self._seen_until(user_id, ORDERS)
        shown = ((order, self._shown_lines(order, until)) for order in self._account(user_id).orders.values())
        return [(order, lines[-1]) for order, lines in shown if lines]

    def history(self, user_id: str, order_id: str) -> tuple[Order, list[Snapshot]] | None:
        """Give an order's visible states, oldest first; None when it is not (yet) this user's."""
        order = self._account(user_id).orders.get(order_id)
        lines = [] if order is None else self._shown_lines(order, self._seen_until(user_id, ORDERS))
        return (order, lines) if order is not None and lines else None

    def trades(self, user_id: str) -> list[tuple[Trade, Order]]:
        """Give the day's visible fills, oldest first."""
        account = self._account(user_id)
        until = self._seen_until(user_id, TRADES)
        return [(trade, account.orders[trade.order_id]) for trade in self._trades(account, "book", until)]

    def _trades(self, account: Account, kind: str, until: float) -> list[Trade]:
        seen = [trade for trade in account.trades if trade.wire_s <= until]
        if kind not in self._behaviour.latency.delays:
            return seen
        return list(takewhile(lambda trade: not self._is_under_way(kind, trade.wire_s, trade), seen))

    def positions(self, user_id: str) -> list[Position]:
        """Give the day's positions, flat ones too."""
        account = self._account(user_id)
        until = self._seen_until(user_id, POSITIONS)
        if until == inf and "positions" not in self._behaviour.latency.delays:
            return list(account.positions.values())
        trades = self._trades(account, "positions", until)
        hidden = account.trades[len(trades) :]
        conversions = (
            one  # only what the fills that are shown make possible
            for one in account.conversions
            if one.wire_s <= until and not (hidden and hidden[0].sequence <= one.after_trade)
        )
        return list(replayed(account, trades, conversions).values())
