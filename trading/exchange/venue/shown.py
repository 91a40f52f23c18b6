"""What quotes and ticks show of a book in which accounts trade: the street less what was taken, and their orders."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, fields
from itertools import islice
from operator import attrgetter

from trading.domain.orders import Side
from trading.exchange.market.quotes import NO_LEVEL, SHOWN_LEVELS, Level, Picture, Quote
from trading.exchange.venue.depletion import Depletion
from trading.exchange.venue.orders import Order
from trading.exchange.venue.sharedbook import Line

_NOTHING = Picture((NO_LEVEL,) * SHOWN_LEVELS, (NO_LEVEL,) * SHOWN_LEVELS, 0, 0)
_FIELDS = attrgetter(*(one.name for one in fields(Quote)))

Levels = tuple[Level, ...]
Missing = dict[int, int]
"""Units that are missing, by price."""


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
    wanted, buy_quantity = _side(quote, Side.BUY, whole.bids, whole.buy_quantity, depletion, bids, asks)
    offered, sell_quantity = _side(quote, Side.SELL, whole.asks, whole.sell_quantity, depletion, asks, bids)
    seen = Picture(wanted, offered, buy_quantity, sell_quantity)
    return ShownQuote(*_FIELDS(quote), seen)  # type: ignore[call-arg]  # as many as fields


def _side(
    quote: Quote, side: Side, street: Levels, total: int, depletion: Depletion, mine: Line, others: Line
) -> tuple[Levels, int]:
    """Give the five levels of one side and its units in all; `street` are the five that nobody touched."""
    missing = {price: units for price in depletion.prices(side) if (units := depletion.at(side, price, quote.serial))}
    nearest = others[0][1].terms.price if others else None
    is_crossed = nearest is not None and (street[0].price - nearest) * side.sign >= 0 and street[0].price > 0
    is_among = bool(mine) and (mine[0][1].terms.price - street[-1].price) * side.sign >= 0
    if is_among or is_crossed or not all(missing.get(level.price, 0) < level.quantity for level in street):
        levels = _merged(quote, side, missing, mine, nearest)
    elif missing:
        levels = tuple([_less(level, missing.get(level.price, 0)) for level in street])
    else:
        levels = street
    return levels, max(0, total + _units(mine) - sum(missing.values()))


def _merged(quote: Quote, side: Side, missing: Missing, mine: Line, nearest: int | None) -> Levels:
    """Merge the best levels of street and accounts, padded to five."""
    units: Counter[int] = Counter()
    orders: Counter[int] = Counter()
    for level in islice(_street(quote, side, missing, nearest), SHOWN_LEVELS):
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


def _street(quote: Quote, side: Side, missing: Missing, nearest: int | None) -> Iterator[Level]:
    """Yield what the street has left, without what is about to trade with an account's order on the other side."""
    for level in quote.levels(side):
        gone = missing.get(level.price, 0)
        crosses = nearest is not None and (level.price - nearest) * side.sign >= 0
        if gone < level.quantity and not crosses:
            yield _less(level, gone)


def _less(level: Level, gone: int) -> Level:
    if not gone:
        return level
    left = level.quantity - gone
    return Level(level.price, left, min(level.orders, left))


def _visible(order: Order) -> int:
    return min(order.remaining, order.terms.disclosed_quantity or order.remaining)


def _units(line: Line) -> int:
    return sum(_visible(order) for _, order in line)
