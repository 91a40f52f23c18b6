"""One expiry of one underlying on one day: how far ahead it is, minute by minute, how wide prices may go by then."""

from datetime import date
from math import sqrt
from typing import Final

from trading.domain.money import PRICE_SCALE
from trading.exchange.market.hours import DAY_MS
from trading.exchange.market.randomness import number_of
from trading.exchange.market.wide.liquidity import future_spread, option_spread
from trading.exchange.market.wide.pricing import DAYS_OF_YEAR, Level, at_the_money, forward_factor
from trading.exchange.market.wide.reference import Reference
from trading.exchange.market.wide.wander import unit, wander

DAY_MOVE: Final = 0.03
"""Deviation of the volatility's level from one day to the next, as a fraction of it; over months it comes back."""
MINUTE_MOVE: Final = 0.015
"""How far it goes off within a day, on grids of a quarter of an hour."""
BASIS_NOISE: Final = 0.00015
"""How far a future is from its fair price within a day, as a fraction, on the same grid; nothing at expiry."""
DAYS_PER_SESSION: Final = 1.45
"""Volatility runs by trading days (365 / 252), not by the calendar: a weekend takes little from an option."""
SESSION_SHARE: Final = 0.7
"""What of a day's variance comes while the market is open; the rest is the gap of the next morning."""
_QUARTER: Final = 15


class Term:
    """`rank` is the place of the expiry among its family's, the nearest 0. A term without an expiry only adds noise."""

    def __init__(
        self,
        reference: Reference,
        expiry: date | None,
        expiry_ms: int,
        rank: int,
        level: Level,
        word: str,
        carry: float,
    ) -> None:
        """`word` (seed, family) and the day seed how volatility moves; `expiry_ms` is when trading ends, 0: never."""
        self.salt = number_of("term", word, expiry_ms)
        day_number = reference.day.toordinal()
        self.rank = rank
        self._minutes = reference.minutes
        self._expiry_ms = expiry_ms
        self._days_ahead = 0 if expiry is None else _weekdays_between(reference.day, expiry)
        self._carry = carry
        line = wander(number_of("level", word), day_number)
        shift = 1 + DAY_MOVE * max(-10.0, min(16.0, line))
        self._level = Level(level.near * shift, level.far * (1 + (shift - 1) / 2), level.half_days)
        self._day_salt = self.salt + day_number * 1009
        self._known: dict[int, tuple[float, float]] = {}

    def at(self, place: int) -> tuple[float, float]:
        """Give the forward over the spot price, and the deviation of the return until expiry, in one minute."""
        if place not in self._known:
            self._known[place] = self._made(place)
        return self._known[place]

    def spread(self, price: float, forward: float, inside: float | None) -> float:
        """Give the usual distance of bid and ask, in 1/10,000 rupee like the prices; `inside` is None for a future."""
        scale = PRICE_SCALE
        if inside is None:
            return future_spread(price, self.rank)
        return scale * option_spread(price / scale, forward / scale, inside / scale, self.rank)

    def _made(self, place: int) -> tuple[float, float]:
        wobble = self._wobble(place)
        if not self._expiry_ms:
            return 1 + BASIS_NOISE * wobble, 1.0
        left_days = max(0, self._expiry_ms - self._minutes[place]) / DAY_MS
        fading = min(1.0, left_days / 3)
        factor = 1 + (forward_factor(left_days / DAYS_OF_YEAR) - 1) * self._carry + BASIS_NOISE * wobble * fading
        days = DAYS_PER_SESSION * (SESSION_SHARE * (1 - place / len(self._minutes)) + self._days_ahead)
        deviation = at_the_money(self._level, days) * sqrt(days / DAYS_OF_YEAR)
        return factor, deviation * (1 + MINUTE_MOVE * wobble)

    def _wobble(self, place: int) -> float:
        quarter, rest = divmod(place, _QUARTER)
        left = unit(self._day_salt + quarter)
        return left + (unit(self._day_salt + quarter + 1) - left) * rest / _QUARTER


def _weekdays_between(day: date, expiry: date) -> int:
    """Count the weekdays after `day` up to and with the expiry. Holidays count: nobody prices them to the minute."""
    weeks, rest = divmod((expiry - day).days, 7)
    return 5 * weeks + sum(1 for ahead in range(1, rest + 1) if (day.weekday() + ahead) % 7 < 5)
