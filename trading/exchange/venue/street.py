"""The shared books of all instruments: made when an account first trades there, kept with the orders, new every day.

Which units of a new quote reach which waiting order is decided by `Arrivals`.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import Any

from trading.domain.orders import Side
from trading.exchange.market.quotes import Quote
from trading.exchange.venue.orders import Order
from trading.exchange.venue.queueing import Queues
from trading.exchange.venue.sharedbook import SharedBook
from trading.exchange.venue.shelf import Shelf
from trading.exchange.venue.shown import shown

Kept = tuple[str, SharedBook | list[Any]]
"""(day, a book or what its `pack` gave)."""


class Street:
    """The shared book of each instrument that somebody traded today. `day` tells the day of the ledger."""

    def __init__(self, day: Callable[[], date]) -> None:
        self._day = day
        self._books: dict[int, SharedBook] = {}
        self.shelf: Shelf[Kept] = Shelf("street", _packed, _unpacked)

    def book(self, quote: Quote) -> SharedBook:
        """Give the book of the quote's instrument, behind this quote."""
        book = self._books.get(quote.token)
        if book is None:
            book = self._books[quote.token] = self._restored(quote)
        else:
            book.follow(quote)
        return book

    def known(self, token: int) -> SharedBook | None:
        """Give a book that somebody used already."""
        return self._books.get(token)

    def follow(self, quote: Quote) -> int:
        """Go on to a new quote and give the units that traded with it."""
        book = self._books.get(quote.token)
        if book is None:
            return quote.last_quantity  # the first look at it: what traded before is not known
        book.follow(quote)
        return book.traded()

    def changed(self, book: SharedBook) -> None:
        """Have the book written with the orders."""
        self.shelf.put(str(book.quote.token), (self._day().isoformat(), book))

    def restored(self, tokens: Iterable[int], quote_of: Callable[[int], Quote]) -> None:
        """Go on with the books of an earlier process of this day, and with those of waiting orders' tokens."""
        today = self._day().isoformat()
        kept = {int(key): day for key, (day, _) in self.shelf.items()}
        for token in {*tokens, *(token for token, day in kept.items() if day == today)}:
            self.book(quote_of(token))

    def shown(self, quotes: Sequence[Quote], queues: Queues) -> Sequence[Quote]:
        """Give quotes with the accounts' traces in their depth, the same object where there are none."""
        return [self._shown(quote, queues) for quote in quotes] if self._books else quotes

    def _shown(self, quote: Quote, queues: Queues) -> Quote:
        book = self._books.get(quote.token)
        if book is None:
            return quote
        bids, asks = (queues.of(quote.token, side) for side in (Side.BUY, Side.SELL))
        return shown(quote, book.depletion, bids, asks)

    def clear(self) -> None:
        """Begin another day."""
        self._books.clear()

    def _restored(self, quote: Quote) -> SharedBook:
        book = SharedBook(quote)
        kept = self.shelf.get(str(quote.token))
        if kept is not None and kept[0] == self._day().isoformat() and isinstance(kept[1], list):
            book.unpack(kept[1])
        return book


class Arrivals:
    """The units that a new quote brings to the waiting orders of one side, handed out in their priority.

    An order through which the price traded is met whole: the exchange would have let nothing trade behind it. At
    the last price, what was traded goes to those before an order first, street and accounts, and the rest to it.
    """

    def __init__(self, book: SharedBook, side: Side, traded: int) -> None:
        """`traded` units changed hands at the last price since the quote before."""
        self._book = book
        self._side = side
        self._ltp = book.quote.ltp
        comes = book.quote.is_bought is (side is Side.SELL)  # a trade that took the offer met the sellers
        self._left = traded if comes else 0
        self._passed = 0

    def reach(self, order: Order) -> bool:
        """Say whether the last price is at or beyond the order's limit."""
        return (order.terms.price - self._ltp) * self._side.sign >= 0

    def is_beyond(self, order: Order) -> bool:
        """Say whether the order's limit is better than the last price."""
        return (order.terms.price - self._ltp) * self._side.sign > 0

    def units(self, order: Order, wanted: int) -> int:
        """Give how many of `wanted` units come to the order, at its own price."""
        beyond = (order.terms.price - self._ltp) * self._side.sign
        if beyond < 0:
            return 0
        if beyond > 0 and order.mark is not None:
            return wanted
        if beyond == 0:
            before = min(self._left, max(0, self._book.ahead(order) - self._passed))
            self._passed += before
            self._left -= before
        taken = min(self._left, wanted)
        self._left -= taken
        return taken

    def end(self, queues: Queues) -> bool:
        """Let the orders at the last price move up; True when some did."""
        token = self._book.quote.token
        if not self._passed or not queues.has_at(token, self._side, self._ltp):
            return False
        self._book.pass_by(self._side, self._ltp, self._passed)
        return True


def _packed(row: Kept) -> list[Any]:
    day, book = row
    return [day, book.pack() if isinstance(book, SharedBook) else book]


def _unpacked(row: list[Any]) -> Kept:
    day, book = row
    return str(day), book
