"""The others in a call auction: a made-up book whose own equilibrium is the price that the market's tape prints.

All follows from the print, stateless, so a restart in mid-auction finds the same book. Accounts' orders are served
from it and never move the price; beyond what it offers they stay unfilled.
"""

from datetime import datetime
from typing import Final

from trading.domain.auctions import CallAuction
from trading.domain.orders import Side
from trading.exchange.market.prints import Print
from trading.exchange.market.randomness import mix, number_of
from trading.exchange.venue.call_auction import Interest

AT_MARKET_PERCENT: Final = 25
BETTER_PERCENT: Final = 35
"""What of the matched volume had no limit, and what a better one than the price; the rest had the price itself."""
LEVELS: Final = 4
SURPLUS_PERCENT: Final = 40
"""One side has up to so much more at the price than was matched."""
BEHIND_PERCENT: Final = 30
"""What waits at each worse price, of the matched volume."""


def others(token: int, printed: Print, auction: CallAuction, step: int) -> list[Interest]:
    """Give the interests behind an auction's print; matched alone they trade its units at its price."""
    chance = number_of("auction book", token, printed.price, printed.quantity, auction.start.isoformat())
    surplus = printed.quantity * (chance % (SURPLUS_PERCENT + 1)) // 100
    has_more = Side.BUY if chance >> 40 & 1 else Side.SELL
    return [
        one for side in Side for one in _side(side, printed, auction, step, chance, surplus if side is has_more else 0)
    ]


def _side(side: Side, printed: Print, auction: CallAuction, step: int, chance: int, surplus: int) -> list[Interest]:
    volume, salt = printed.quantity, chance ^ (side is Side.BUY)
    at_market = volume * AT_MARKET_PERCENT // 100
    level = volume * BETTER_PERCENT // 100 // LEVELS
    better = [(level, printed.price + side.sign * step * (place + 1)) for place in range(LEVELS)]
    at_price = volume - at_market - level * LEVELS + surplus
    behind = volume * BEHIND_PERCENT // 100
    worse = [(behind, printed.price - side.sign * step * (place + 1)) for place in range(LEVELS)]
    rows: list[tuple[int, int | None]] = [(at_market, None), *better, (at_price, printed.price), *worse]
    return [
        Interest(side, quantity, limit, _since(auction, mix(salt + place)), ("",))
        for place, (quantity, limit) in enumerate(rows)
        if quantity and (limit is None or limit > 0)
    ]


def _since(auction: CallAuction, chance: int) -> int:
    """Give a moment of the order entry."""
    first, last = _ms(auction.entry_start), _ms(auction.entry_end)
    return first + chance % (last - first)


def _ms(moment: datetime) -> int:
    return int(moment.timestamp()) * 1000
