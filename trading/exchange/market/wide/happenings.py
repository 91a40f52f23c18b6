"""What befalls a share with a fixed price band on a day: it is locked at its circuit, or nobody trades it at all."""

from collections.abc import Container
from datetime import date
from typing import Final, NamedTuple

from trading.exchange.market.randomness import mix, number_of
from trading.exchange.market.wide.wander import chance

LOCK_CHANCES: Final = {2: 0.020, 5: 0.020, 10: 0.006, 20: 0.002, 40: 0.001}
"""Chance of a lock a day, by the price band in percent. Assumed: we have no data on it."""
UPPER_SHARE: Final = 0.6
UNLOCKED_SHARE: Final = 0.25
"""What part of the locks opens again the same day."""
FADE_DAYS: Final = 30
"""So many calendar days later nothing is left of a lock in the price."""
_DAY_SALT: Final = 0x9E6D62D06F6A9A9B


class Lock(NamedTuple):
    """A day's lock: `side` is 1 at the upper circuit (only bids), -1 at the lower; shares of the day's minutes.

    `until` is 1 for a lock that holds to the close.
    """

    side: int
    since: float
    until: float


class Fate:
    """All days of one instrument."""

    def __init__(self, seed: int, key: str, band_percent: int, quiet_days: float, days: Container[date]) -> None:
        """`days` are the trading days: nothing happens between them."""
        self._days = days
        self._number = number_of("fate", seed, key)
        self._band = band_percent / 100
        self._lock_chance = LOCK_CHANCES.get(band_percent, 0.0)
        self._quiet_days = quiet_days

    def lock(self, day: date) -> Lock | None:
        """Give the day's lock. Almost always there is none."""
        if not self._lock_chance:
            return None
        number = self._of(day, 1)
        if chance(number) >= self._lock_chance or day not in self._days:
            return None
        side = 1 if chance(number + 1) < UPPER_SHARE else -1
        since = max(0.0, 0.95 * chance(number + 2) - 0.15)
        if chance(number + 3) >= UNLOCKED_SHARE:
            return Lock(side, since, 1.0)
        return Lock(side, since, min(0.97, since + 0.05 + 0.25 * chance(number + 4)))

    def is_quiet(self, day: date) -> bool:
        """Say whether nobody trades it all day."""
        return self._quiet_days > 0 and chance(self._of(day, 2)) < self._quiet_days and self.lock(day) is None

    def lift(self, day: date) -> float:
        """Give what earlier locks that held to the close still do to the price: a factor that goes back to 1."""
        if not self._lock_chance:
            return 1.0
        factor, number = 1.0, day.toordinal()
        for back in range(1, FADE_DAYS):
            lock = self.lock(date.fromordinal(number - back))
            if lock is not None and lock.until == 1.0:
                factor *= 1 + lock.side * self._band * (1 - back / FADE_DAYS)
        return factor

    def _of(self, day: date, what: int) -> int:
        return mix(self._number + day.toordinal() * _DAY_SALT + (what << 60)) >> 1
