"""What quotes and ticks show of a book in which accounts trade: the street less what was taken, and their orders."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, fields
from itertools import islice

from trading.domain.orders import Side
from trading.exchange.market.quotes import NO_LEVEL, SHOWN_LEVELS, Level, Picture, Quote
from trading.exchange.venue.depletion import Depletion
from trading.exchange.venue.orders import Order
from trading.exchange.venue.sharedbook import Line

_NOTHING = Picture((NO_LEVEL,) * SHOWN_LEVELS, (NO_LEVEL,) * SHOWN_LEVELS, 0, 0)
_FIELDS = tuple(one.name for one in fields(Quote))


@dataclass(frozen=True, slots=True)
class ShownQuote(Quote):
    """A quote whose depth has the accounts' traces in it."""

    seen: Picture = _NOTHING

    def picture(self) -> Picture:
        """Give what is shown of the book."""
        return self.seen


def shown(quote: Quote, depletion: Depletion, bids: Line, asks: Line) -> Quote:
    """Give the quote as it is shown while accounts have `bids` and `asks` and what they took is missing."""
    if not (depletion or bids or asks):
        return quote
    whole = quote.picture()
    seen = Picture(
        _levels(quote, Side.BUY, depletion, bids, asks),
        _levels(quote, Side.SELL, depletion, asks, bids),
        max(0, whole.buy_quantity + _units(bids) - depletion.total(Side.BUY, quote.serial)),
        max(0, whole.sell_quantity + _units(asks) - depletion.total(Side.SELL, quote.serial)),
    )
    return ShownQuote(**{name: getattr(quote, name) for name in _FIELDS}, seen=seen)


def _levels(quote: Quote, side: Side, depletion: Depletion, mine: Line, others: Line) -> tuple[Level, ...]:
    """Merge the best levels of street and accounts, padded to five."""
    units: Counter[int] = Counter()
    orders: Counter[int] = Counter()
    for level in islice(_street(quote, side, depletion, others), SHOWN_LEVELS):
        units[level.price] += level.quantity
        orders[level.price] += level.orders
    for _, order in mine:
        if order.terms.price not in units and len(units) >= 2 * SHOWN_LEVELS:
            break  # ten prices hold the best five of both
        units[order.terms.price] += _visible(order)
        orders[order.terms.price] += 1
    best = sorted(units, reverse=side is Side.BUY)[:SHOWN_LEVELS]
    levels = [Level(price, units[price], orders[price]) for price in best]
    return (*levels, *[NO_LEVEL] * (SHOWN_LEVELS - len(levels)))


def _street(quote: Quote, side: Side, depletion: Depletion, others: Line) -> Iterator[Level]:
    """Yield what the street has left, without what is about to trade with an account's order on the other side."""
    nearest = others[0][1].terms.price if others else None
    for level in quote.levels(side):
        left = level.quantity - depletion.at(side, level.price, quote.serial)
        crosses = nearest is not None and (level.price - nearest) * side.sign >= 0
        if left > 0 and not crosses:
            yield level._replace(quantity=left, orders=min(level.orders, left))


def _visible(order: Order) -> int:
    return min(order.remaining, order.terms.disclosed_quantity or order.remaining)


def _units(line: Line) -> int:
    return sum(_visible(order) for _, order in line)
