"""The orders of accounts that stand in the book, in their priority: better price, then the longer in the book, then
by tag; never by id."""

from bisect import bisect_left, insort
from collections.abc import Sequence
from operator import itemgetter

from trading.domain.orders import Side
from trading.exchange.venue.orders import Order

Key = tuple[int, int, str, str, int]


def priority_key(order: Order) -> Key:
    """Give what sorts the orders of one side."""
    better = -order.side.sign * order.terms.price
    return better, order.resting_since_ms, order.tag, order.user_id, order.sequence


class Queues:
    """Orders that wait for a counterparty, and stops that wait for their trigger, of all instruments.

    An order's price, time and tag do not change while it is in here: take it out before, and put it in again.
    """

    def __init__(self) -> None:
        self._sides: dict[tuple[int, Side], list[tuple[Key, Order]]] = {}
        self._keys: dict[str, Key] = {}
        self._stops: dict[int, dict[str, Order]] = {}

    def put(self, order: Order) -> None:
        """Put an order in at its place."""
        self.take_out(order)
        key = self._keys[order.order_id] = priority_key(order)
        insort(self._sides.setdefault((order.instrument.token, order.side), []), (key, order), key=itemgetter(0))

    def put_stop(self, order: Order) -> None:
        """Let a stop wait for its trigger."""
        self.take_out(order)
        self._stops.setdefault(order.instrument.token, {})[order.order_id] = order

    def take_out(self, order: Order) -> None:
        """Take an order out, wherever it waits."""
        token = order.instrument.token
        self._stops.get(token, {}).pop(order.order_id, None)
        key = self._keys.pop(order.order_id, None)
        if key is not None:
            line = self._sides[token, order.side]
            del line[bisect_left(line, key, key=itemgetter(0))]

    def of(self, token: int, side: Side) -> Sequence[tuple[Key, Order]]:
        """Give the orders of one side with their keys, the best first. It changes when orders come and go."""
        return self._sides.get((token, side), ())

    def best_first(self, token: int, side: Side) -> list[Order]:
        """Give the orders of one side as they stand now."""
        return [order for _, order in self.of(token, side)]

    def has_at(self, token: int, side: Side, price: int) -> bool:
        """Say whether an order of this side waits at a price."""
        line = self.of(token, side)
        better = -side.sign * price
        at = bisect_left(line, better, key=lambda entry: entry[0][0])
        return at < len(line) and line[at][0][0] == better

    def stops(self, token: int) -> list[Order]:
        """Give the stops of an instrument."""
        return list(self._stops.get(token, {}).values())
