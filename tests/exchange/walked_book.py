"""A plain walk over the levels of a quote: what one taker alone would get. The venue's own book is `SharedBook`."""

from collections.abc import Iterator

from trading.domain.orders import Side
from trading.exchange.market.quotes import Level, Quote


class Book:
    """One taker's view of the book behind a quote: what it took stays taken until the next quote.

    Make a new one with every quote of the token. Fills walk from the touch outwards, beyond the five
    shown levels too: that is the slippage.
    """

    def __init__(self, quote: Quote) -> None:
        self.quote = quote
        self._sides = {side: _Walk(quote.levels(side)) for side in Side}

    def walk(self, side: Side, quantity: int, limit: int | None) -> list[tuple[int, int]]:
        """Take up to `quantity` units for an order of this side and give (price, units) for each level touched.

        A buy takes offers at `limit` or below, a sell takes bids at `limit` or above; None takes any price.
        Raises ValueError unless `quantity` is positive.
        """
        if quantity <= 0:
            raise ValueError(f"quantity must be positive, was {quantity}")
        resting = self._sides[side.opposite]
        fills: list[tuple[int, int]] = []
        while quantity and (level := resting.best()) is not None and _is_within(side, level.price, limit):
            taken = min(quantity, level.quantity)
            resting.take(taken)
            fills.append((level.price, taken))
            quantity -= taken
        return fills

    def best(self, side: Side) -> int | None:
        """Give the best price that still rests on `side`, or None when that side is empty."""
        level = self._sides[side].best()
        return None if level is None else level.price


def _is_within(side: Side, price: int, limit: int | None) -> bool:
    return limit is None or (price - limit) * side.sign <= 0


class _Walk:
    """One side of the book being eaten from the touch."""

    def __init__(self, levels: Iterator[Level]) -> None:
        self._levels = levels
        self._present: Level | None = None

    def best(self) -> Level | None:
        if self._present is None:
            self._present = next(self._levels, None)
        return self._present

    def take(self, quantity: int) -> None:
        level = self.best()
        if level is not None:
            rest = level.quantity - quantity
            self._present = level._replace(quantity=rest) if rest else None
