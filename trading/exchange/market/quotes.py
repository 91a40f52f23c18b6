"""The present state of one instrument, and the order book that stands behind it.

The book is synthetic: its levels follow from the quote alone (by a stateless mix of its serial number),
so that nothing has to be stored and everybody who asks sees the same. All prices are integers of
1/10,000 rupee (`money.PRICE_SCALE`), quantities are units.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final, NamedTuple

from trading.domain.orders import Side
from trading.exchange.market.randomness import mix

SHOWN_LEVELS: Final = 5
DEEPEST_LEVEL: Final = 400
"""Beyond this many levels of one side there is nobody."""
GROWTH_PERCENT: Final = 35
"""Each level away from the touch holds this much more of the base quantity."""
_BUY_SALT: Final = 0x5851F42D4C957F2D
_SELL_SALT: Final = 0x14057B7EF767814F


class Level(NamedTuple):
    """One price of the depth: what rests there, and in how many orders."""

    price: int
    quantity: int
    orders: int


_level: Final = tuple.__new__
"""Makes a `Level` in half the time of its own constructor."""
NO_LEVEL: Final = Level(0, 0, 0)


class Picture(NamedTuple):
    """What a client is shown of a book: five levels a side (see `Quote.bids`), and all the units behind each."""

    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    buy_quantity: int
    sell_quantity: int


class Depth(NamedTuple):
    """How thick an instrument's book is: the price grid, the quantity at the touch, the usual spread in steps.

    A `base_quantity` of 0 means that there is no book at all (an index). Every order is a multiple of `lot` units.
    """

    step: int
    base_quantity: int
    spread_steps: int
    lot: int = 1


@dataclass(frozen=True, slots=True)
class Quote:
    """What a snapshot of one instrument says.

    Before the first trade of the day `ltp` is yesterday's close and open, high and low are 0.
    `close` is yesterday's close, `average_price` the volume weighted price of today (0 for an index),
    `last_trade_ms` and `at_ms` epoch milliseconds of market time. `is_bought` says that the last trade
    took the offer, so that the last price is the best ask, else it is the best bid. `touch` is (best bid, best ask)
    where they do not stand next to the last price: an instrument that seldom trades, or one at its circuit. A side
    of it that is 0 has nobody.
    """

    token: int
    ltp: int
    last_quantity: int
    average_price: int
    volume: int
    open: int
    high: int
    low: int
    close: int
    last_trade_ms: int
    at_ms: int
    lower_circuit: int
    upper_circuit: int
    oi: int
    depth: Depth
    serial: int
    is_bought: bool
    oi_day_high: int = 0
    oi_day_low: int = 0
    touch: tuple[int, int] | None = None

    @property
    def meets_accounts(self) -> bool:
        """Say whether orders of accounts trade with each other in this book, and not with the street alone."""
        return True

    def picture(self) -> "Picture":
        """Give what is shown of the book. Made anew at each call: ask once for all four."""
        bids, asks = self._shown(Side.BUY), self._shown(Side.SELL)
        return Picture(bids, asks, self._total(bids, _BUY_SALT), self._total(asks, _SELL_SALT))

    @property
    def bids(self) -> tuple[Level, ...]:
        """Five levels, the highest price first; a missing level is all zeros."""
        return self.picture().bids

    @property
    def asks(self) -> tuple[Level, ...]:
        """Five levels, the lowest price first; a missing level is all zeros."""
        return self.picture().asks

    @property
    def buy_quantity(self) -> int:
        """Units wanted in the whole book, shown and not shown."""
        return self.picture().buy_quantity

    @property
    def sell_quantity(self) -> int:
        """Units offered in the whole book, shown and not shown."""
        return self.picture().sell_quantity

    def levels(self, side: Side) -> Iterator[Level]:
        """Yield the resting levels of one side from the touch outwards, to the circuit or to the deepest level."""
        step, base, _, lot = self.depth
        if not base:
            return
        price, salt = self._touch(side)
        if not price:
            return
        away = -step if side is Side.BUY else step
        lowest, highest, serial = self.lower_circuit, self.upper_circuit, self.serial * 1_000_003
        for place in range(DEEPEST_LEVEL):  # a busy feed asks for a hundred thousand levels a second
            if not lowest <= price <= highest:
                return
            chance = mix(serial + place ^ salt)
            quantity = base * (100 + GROWTH_PERCENT * place) * (40 + chance % 121) // 10_000 + 1
            quantity += -quantity % lot
            lots = quantity // lot
            yield _level(Level, (price, quantity, 1 + (chance >> 32) % (lots if lots < 24 else 24)))
            price += away if chance >> 48 & 3 else 2 * away  # now and then a price at which nobody waits

    def _touch(self, side: Side) -> tuple[int, int]:
        """Give the best price of one side, and the salt of its chance."""
        step, _, usual, _ = self.depth
        if self.touch is not None:
            return self.touch[side is Side.SELL], _BUY_SALT if side is Side.BUY else _SELL_SALT
        spread = step * (1 + mix(self.serial) % (2 * usual - 1))
        if side is Side.BUY:
            return (self.ltp - spread if self.is_bought else self.ltp), _BUY_SALT
        return (self.ltp if self.is_bought else self.ltp + spread), _SELL_SALT

    def _shown(self, side: Side) -> tuple[Level, ...]:
        shown = tuple(islice(self.levels(side), SHOWN_LEVELS))
        return shown + (NO_LEVEL,) * (SHOWN_LEVELS - len(shown))

    def _total(self, shown: tuple[Level, ...], salt: int) -> int:
        visible = sum([level[1] for level in shown])
        if not visible:
            return 0
        total = visible + self.depth.base_quantity * (120 + mix(self.serial ^ salt) % 97)
        return total - total % self.depth.lot
