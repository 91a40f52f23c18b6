"""A quote that came from a real market: five levels a side as the broker sent them."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from trading.domain.orders import Side
from trading.exchange.market.quotes import DEEPEST_LEVEL, NO_LEVEL, SHOWN_LEVELS, Depth, Level, Picture, Quote

NO_DEPTH: Final = Depth(0, 0, 0)
"""A live quote has no synthetic book: what asks for its depth finds nobody."""


@dataclass(frozen=True, slots=True)
class LiveQuote(Quote):
    """A `Quote` with the real book. `wanted` and `offered` are its levels from the touch outwards, without blanks.

    `wanted_in_all` and `offered_in_all` are the units of the whole book, shown and not shown; `step` is the price
    grid (1/10,000 rupee). An index has no levels.
    """

    wanted: tuple[Level, ...] = ()
    offered: tuple[Level, ...] = ()
    wanted_in_all: int = 0
    offered_in_all: int = 0
    step: int = 1

    @property
    def meets_accounts(self) -> bool:
        """Paper orders are not in the real book: each meets the real levels alone, never another paper order."""
        return False

    def picture(self) -> Picture:
        """Give what the broker sent of the book."""
        return Picture(_five(self.wanted), _five(self.offered), self.wanted_in_all, self.offered_in_all)

    def levels(self, side: Side) -> Iterator[Level]:
        """Yield the resting levels of one side from the touch outwards, to the circuit.

        Behind five full levels nobody can see. Assumed: one step apart, each as thick as the mean of the five, until
        the broker's total of that side is used up. A side with fewer than five ends where it ends.
        """
        shown, total = (self.wanted, self.wanted_in_all) if side is Side.BUY else (self.offered, self.offered_in_all)
        yield from shown
        if len(shown) < SHOWN_LEVELS:
            return
        visible = sum(level.quantity for level in shown)
        hidden, thickness = total - visible, max(1, visible // len(shown))
        price, away = shown[-1].price, -self.step if side is Side.BUY else self.step
        for _ in range(DEEPEST_LEVEL - len(shown)):
            price += away
            if hidden <= 0 or not self.lower_circuit <= price <= self.upper_circuit:
                return
            yield Level(price, min(thickness, hidden), 1)
            hidden -= thickness

    def without_book(self, serial: int) -> "LiveQuote":
        """Give the same prices with nobody to trade with: what is too old to be filled at.

        Its serial is another one, so that nobody goes on with a book made of the old quote.
        """
        return replace(self, wanted=(), offered=(), wanted_in_all=0, offered_in_all=0, serial=serial)


def _five(levels: tuple[Level, ...]) -> tuple[Level, ...]:
    return (*levels, *[NO_LEVEL] * (SHOWN_LEVELS - len(levels)))
