"""One contract's day: a future, an option, or a share of another exchange, that follows a reference price.

Within a minute its worth is a rising (or falling) function of the reference alone, so that the reference's open,
high, low and close give the contract's. That is why nothing has to be walked through to know a day so far.
"""

from collections.abc import Sequence
from math import sqrt
from typing import Final

from trading.domain.instruments import InstrumentType
from trading.domain.money import to_scaled
from trading.exchange.market.bar import Bar
from trading.exchange.market.listing import OPERATING_BAND_PERCENT, Listing, circuits
from trading.exchange.market.randomness import mix
from trading.exchange.market.wide.course import Happening, Interest
from trading.exchange.market.wide.pricing import option_value, width_of
from trading.exchange.market.wide.reference import Reference
from trading.exchange.market.wide.term import Term
from trading.exchange.market.wide.wander import chance, unit

THIN_LOTS: Final = 4
"""A minute with fewer lots is one trade."""
INTEREST_MINUTES: Final = 3
"""Open interest is told anew this often."""
SETTLED_OVER: Final = 30
"""A contract that traded in the last so many minutes closes at its last price, else at what it is worth."""
WOBBLE: Final = 0.008
"""How far one strike's volatility is from the smile, changing every five minutes; call and put share it."""
FLEX_PERCENT: Final = 5
LEAST_RANGE_STEPS: Final = 40
"""The upper circuit of a contract that is worth next to nothing, in price steps."""
_SIGNS: Final = {InstrumentType.CE: 1, InstrumentType.PE: -1}


class Contract:
    """Implements `course.Course`."""

    def __init__(
        self,
        listing: Listing,
        reference: Reference,
        term: Term,
        *,
        day_lots: float,
        interest: tuple[int, int],
        spread_factor: float,
        salt: int,
    ) -> None:
        """`interest` are the units open at the beginning and at the end of the day; `salt` is the contract's chance."""
        instrument = listing.instrument
        self.listing = listing
        self.minutes: Sequence[int] = reference.minutes
        self.previous_close = 0
        self._reference = reference
        self._term = term
        self._sign = _SIGNS.get(instrument.instrument_type, 0)
        self._strike = to_scaled(instrument.strike)
        self._step = listing.step
        self._lot = max(1, instrument.lot_size)
        self._day_lots = day_lots
        self._interest = interest
        self._spread_factor = spread_factor
        self._salt = salt
        self._strike_salt = mix(self._strike + term.salt) >> 1
        self._place = -1
        self._factor = self._width = 1.0

    def worth(self, place: int, spot: int) -> int:
        """Give the model's price in a minute for a price of the reference, on the grid, at least one step."""
        if place != self._place:
            self._enter(place)
        price = spot * self._factor
        if self._sign:
            price = option_value(self._sign * (price - self._strike), self._width)
        return max(1, int(price / self._step + 0.5)) * self._step

    def _enter(self, place: int) -> None:
        """Take in what stays the same for a minute."""
        self._place = place
        factor, deviation = self._term.at(place)
        if self._sign:
            forward = self._reference.bars[place].open * factor
            wobble = 1 + WOBBLE * unit(self._strike_salt + place // 5)
            self._width = width_of(forward, self._strike, deviation) * wobble
        self._factor = factor

    def bar(self, place: int) -> Bar | None:
        """Give a minute's bar, None when nobody traded."""
        lots = self._lots(place)
        if not lots:
            return None
        spot = self._reference.bars[place]
        close = self.worth(place, spot.close)
        if lots < THIN_LOTS:
            return Bar(spot.start_ms, close, close, close, close, lots * self._lot)
        first, one, other = (self.worth(place, price) for price in (spot.open, spot.high, spot.low))
        return Bar(spot.start_ms, first, max(one, other), min(one, other), close, lots * self._lot)

    def _lots(self, place: int) -> int:
        number = self._salt + place
        mean = self._day_lots * self._reference.volume_shares[place] * (0.4 + 1.2 * chance(number))
        whole = int(mean)
        return whole + (chance(number + (1 << 40)) < mean - whole)

    def happenings(self, place: int) -> Sequence[Happening]:
        """Give a minute's trades; without any the book moves once, with the minute's first tick of the reference."""
        ticks, bar = self._reference.ticks(place), self.bar(place)
        if bar is None:
            at_ms, spot = ticks[0]
            return [Happening(at_ms, 0, 0, is_bought=False, touch=self._around(self.worth(place, spot)))]
        lots = bar.volume // self._lot
        if lots < THIN_LOTS:
            return [self._trade(ticks[-1][0], bar.close, bar.volume)]
        chosen = _chosen(ticks, min(lots, 2 + int(1.5 * sqrt(lots))))
        each = max(1, lots // len(chosen)) * self._lot
        left, trades = bar.volume, []
        for order, (at_ms, spot, is_corner) in enumerate(chosen, start=1):
            price = self.worth(place, spot)
            if not is_corner:
                price += (mix(self._salt + at_ms) % 3 - 1) * self._step
                price = min(max(price, bar.low), bar.high)
            units = left if order == len(chosen) else min(each, left - self._lot * (len(chosen) - order))
            left -= units
            trades.append(self._trade(at_ms, price, units))
        return trades

    def _trade(self, at_ms: int, price: int, units: int) -> Happening:
        spread = self._spread(price)
        is_bought = bool(mix(self._salt + at_ms) & 1)
        touch = (price - spread, price) if is_bought else (price, price + spread)
        return Happening(at_ms, price, units, is_bought, (max(0, touch[0]), touch[1]))

    def _around(self, worth: int) -> tuple[int, int]:
        """Give a book around what the contract is worth."""
        half = self._spread(worth) // self._step // 2 * self._step
        return max(0, worth - half), max(worth + half, worth + self._step)

    def _spread(self, price: int) -> int:
        """Give the distance of bid and ask: as usual for this price, on the grid."""
        forward = self._reference.bars[max(0, self._place)].open * self._factor
        inside = max(0.0, self._sign * (forward - self._strike)) if self._sign else None
        usual = self._term.spread(price, forward, inside) * self._spread_factor
        return max(1, int(usual / self._step + 0.5)) * self._step

    def interest(self, place: int) -> Interest:
        """Give open interest: from the day's beginning straight to its end, in whole lots."""
        begin, end = self._interest
        share = min(1.0, (place - place % INTEREST_MINUTES) / max(1, len(self.minutes) - INTEREST_MINUTES))
        now = begin + int((end - begin) * share) // self._lot * self._lot
        return Interest(now, max(begin, now), min(begin, now))

    def limits(self, high: int, low: int) -> tuple[int, int]:
        """Give the operating range: 10 % around a future's close, for an option up to what that means for its worth."""
        if not self._sign:
            close, percent = self.previous_close, OPERATING_BAND_PERCENT
            while high and max(high - close, close - low) * 100 >= close * percent:
                percent += FLEX_PERCENT
            return circuits(close, percent, self._step)
        spot = self._reference.previous_close * (100 + self._sign * OPERATING_BAND_PERCENT) // 100
        upper = max(self._far(spot), LEAST_RANGE_STEPS * self._step)
        while upper <= high:
            upper = upper * 3 // 2 // self._step * self._step
        return self._step, upper

    def _far(self, spot: int) -> int:
        """Give what an option would be worth at a far price, with half as much volatility again."""
        factor, deviation = self._term.at(0)
        price = spot * factor
        width = width_of(price, self._strike, 1.5 * deviation)
        price = option_value(self._sign * (price - self._strike), width)
        return max(1, int(price / self._step + 0.5)) * self._step

    def close(self) -> int:
        """Give where it closes: the last price of the last half hour, else what it is worth then."""
        last = len(self.minutes) - 1
        for place in range(last, max(-1, last - SETTLED_OVER), -1):
            bar = self.bar(place)
            if bar is not None:
                return bar.close
        return self.worth(last, self._reference.close)


def _chosen(ticks: Sequence[tuple[int, int]], wanted: int) -> list[tuple[int, int, bool]]:
    """Choose at most so many ticks of a minute (four or more): its corners, and others evenly between them."""
    prices = [price for _, price in ticks]
    corners = {0, len(ticks) - 1, prices.index(max(prices)), prices.index(min(prices))}
    others = [place for place in range(len(ticks)) if place not in corners]
    room = wanted - len(corners)
    if room < len(others):
        others = [others[order * len(others) // room] for order in range(room)]
    return [(*ticks[place], place in corners) for place in sorted(corners.union(others))]
