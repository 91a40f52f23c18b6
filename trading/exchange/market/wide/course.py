"""What an instrument does over one day, minute by minute: a bar, and what happened inside it."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from trading.exchange.market.bar import Bar
from trading.exchange.market.listing import Listing


class Happening(NamedTuple):
    """A trade (of 0 units for an index), or with `price` 0 only a book that moved.

    `touch` is (best bid, best ask) as in `Quote`, None where the book stands next to the trade.
    """

    at_ms: int
    price: int
    units: int
    is_bought: bool
    touch: tuple[int, int] | None


class Interest(NamedTuple):
    """Open interest in units: now, and the day's highest and lowest so far."""

    now: int
    high: int
    low: int


class Course(Protocol):
    """One instrument's day. `minutes` are the starts of all minutes in which it may trade, ascending.

    What a minute's happenings add up to is that minute's bar, exactly; both can be asked for in any order.
    """

    listing: Listing
    minutes: Sequence[int]
    previous_close: int

    def bar(self, place: int) -> Bar | None:
        """Give a minute's bar, None when nobody traded."""

    def happenings(self, place: int) -> Sequence[Happening]:
        """Give a minute's trades and moves of the book, in order."""

    def interest(self, place: int) -> Interest:
        """Give open interest as known in this minute."""

    def limits(self, high: int, low: int) -> tuple[int, int]:
        """Give the lower and upper circuit, wide enough for what was traded so far (0 and 0: nothing was)."""
