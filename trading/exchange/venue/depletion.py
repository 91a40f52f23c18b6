"""What accounts took of one instrument's synthetic book, and how the street brings it back.

Each new quote (one serial) brings back a fifth to three fifths of what is missing at a price, by chance that follows
from serial and price alone: nothing has to be done at a tick, and after a restart the same is missing.
"""

from collections.abc import Iterable
from typing import Final

from trading.domain.orders import Side
from trading.exchange.market.randomness import mix

LEAST_PERCENT: Final = 20
SPAN_PERCENT: Final = 41

Missing = tuple[int, int]
"""(units, serial of the quote at which so many were missing)."""


class Depletion:
    """Units that are missing by side and price."""

    def __init__(self) -> None:
        self._missing: dict[tuple[Side, int], Missing] = {}

    def __bool__(self) -> bool:
        """Say whether anything may still be missing."""
        return bool(self._missing)

    def at(self, side: Side, price: int, serial: int) -> int:
        """Give the units that are missing from the street's orders of this side at a price, under this quote."""
        found = self._missing.get((side, price))
        if found is None:
            return 0
        units, since = found
        if serial > since:  # remembered, so that no quote is healed twice
            units = _healed(units, since, serial, price)
            self._missing[side, price] = (units, serial)
        return units

    def prices(self, side: Side) -> list[int]:
        """Give the prices at which units may be missing."""
        return [price for one, price in self._missing if one is side]

    def take(self, side: Side, price: int, units: int, serial: int) -> None:
        """Note that units of the street's orders of this side were taken."""
        self._missing[side, price] = (self.at(side, price, serial) + units, serial)

    def forget_healed(self, serial: int) -> None:
        """Drop the prices at which nothing is missing any more."""
        whole = [key for key in list(self._missing) if not self.at(*key, serial)]
        for key in whole:
            del self._missing[key]

    def pack(self) -> list[list[object]]:
        """Give JSON-able data."""
        return [[side, price, *missing] for (side, price), missing in self._missing.items()]

    def unpack(self, rows: Iterable[tuple[str, int, int, int]]) -> None:
        """Take back what `pack` gave."""
        for side, price, units, serial in rows:
            self._missing[Side(side), price] = (units, serial)


def _healed(units: int, since: int, serial: int, price: int) -> int:
    """Give what is left of `units` that were missing at the serial `since`."""
    for passed in range(since + 1, serial + 1):
        if not units:
            break
        percent = LEAST_PERCENT + mix(passed * 1_000_003 ^ price) % SPAN_PERCENT
        units -= units * percent // 100 + 1
    return max(0, units)
