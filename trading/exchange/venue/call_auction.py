"""Matching of a call auction: one price for everybody. Pure; prices are scaled integers.

Source: SEBI HO/47/11/11(3)2025-MRD-POD2/I/2765/2026 and brokers' pages on the pre-open session: the price at which
most is traded, of several the one with the least imbalance, of those the one nearest to the reference price (the
previous close, in the closing auction its own reference); where the reference lies in the middle of two, itself.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import NamedTuple

from trading.domain.orders import Side


class Interest(NamedTuple):
    """Units that somebody wants to buy or sell in the auction. `limit` None takes any price.

    `rank` orders what has the same price and the same time: the tag, never an id.
    """

    side: Side
    quantity: int
    limit: int | None
    since_ms: int
    rank: tuple[str, ...] = ()
    key: str = ""
    """Whose order it is; empty for the market's own."""

    def takes(self, price: int) -> bool:
        """Say whether it may trade at a price."""
        return self.limit is None or (price - self.limit) * self.side.sign <= 0


def equilibrium(interests: Iterable[Interest], reference: int) -> int | None:
    """Give the one price of the auction, None when nothing can be traded."""
    every = list(interests)
    prices = sorted({one.limit for one in every if one.limit is not None} or {reference})
    wanted, offered = _wanted(every), _offered(every)
    found: list[tuple[tuple[int, int, int], int]] = []
    for price in prices:
        buys, sells = wanted(price), offered(price)
        if min(buys, sells):
            found.append(((-min(buys, sells), abs(buys - sells), abs(price - reference)), price))
    if not found:
        return None
    best = min(found)[0]
    chosen = [price for terms, price in found if terms == best]
    return chosen[0] if len(chosen) == 1 else reference


def fills_at(interests: Iterable[Interest], price: int, *, market_first: bool) -> list[tuple[Interest, int]]:
    """Give what everybody trades at a price: (interest, units), units above 0, the first served first.

    Both sides trade the same units. Served are market orders before limit orders (or after them), then the better
    limit, then the longer in the book, then by rank.
    """
    eligible = [one for one in interests if one.takes(price)]
    sides = [_queue(eligible, side, market_first=market_first) for side in Side]
    volume = min(sum(one.quantity for one in queue) for queue in sides)
    return [fill for queue in sides for fill in _served(queue, volume)]


def _queue(eligible: Iterable[Interest], side: Side, *, market_first: bool) -> list[Interest]:
    def place(one: Interest) -> tuple[int, int, int, tuple[str, ...]]:
        is_market = one.limit is None
        better = 0 if one.limit is None else -side.sign * one.limit
        return int(is_market != market_first), better, one.since_ms, one.rank

    return sorted((one for one in eligible if one.side is side), key=place)


def _served(queue: Iterable[Interest], volume: int) -> list[tuple[Interest, int]]:
    fills = []
    for one in queue:
        taken = min(one.quantity, volume)
        if not taken:
            break
        volume -= taken
        fills.append((one, taken))
    return fills


class _Ladder:
    """Units by limit, added up: how many have a limit of at most, or of at least, a price."""

    def __init__(self, interests: Iterable[Interest]) -> None:
        rows = sorted((one.limit, one.quantity) for one in interests if one.limit is not None)
        self._limits: Sequence[int] = [limit for limit, _ in rows]
        self._sums = [0, *accumulate(quantity for _, quantity in rows)]

    def up_to(self, price: int) -> int:
        return self._sums[bisect_right(self._limits, price)]

    def from_(self, price: int) -> int:
        return self._sums[-1] - self._sums[bisect_left(self._limits, price)]


def _at_market(interests: Iterable[Interest]) -> int:
    return sum(one.quantity for one in interests if one.limit is None)


def _wanted(interests: Iterable[Interest]) -> "_Curve":
    buys = [one for one in interests if one.side is Side.BUY]
    return _Curve(_Ladder(buys), _at_market(buys), is_buy=True)


def _offered(interests: Iterable[Interest]) -> "_Curve":
    sells = [one for one in interests if one.side is Side.SELL]
    return _Curve(_Ladder(sells), _at_market(sells), is_buy=False)


class _Curve(NamedTuple):
    ladder: _Ladder
    at_market: int
    is_buy: bool

    def __call__(self, price: int) -> int:
        return self.at_market + (self.ladder.from_(price) if self.is_buy else self.ladder.up_to(price))
