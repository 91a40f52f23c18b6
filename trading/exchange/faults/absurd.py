"""The 40 last prices that no market makes (F05), in the order in which they come. Pure.

Over REST they go out as they are, `NaN` and `Infinity` too. The ticker's wire has whole, unsigned numbers of 32 bits:
what is negative comes as its two's complement there, what is no number or too big as all ones.
"""

from math import inf, isfinite, nan
from typing import Final, NamedTuple

PAISE: Final = 100
ALL_ONES: Final = 2**32 - 1


class Absurd(NamedTuple):
    """One price: `times` the true one, plus `rupees`."""

    times: float
    rupees: float

    def of(self, rupees: float) -> float:
        """Give the absurd price that stands for a true one."""
        return rupees * self.times + self.rupees


PRICES: Final = (
    *(Absurd(0, rupees) for rupees in (0, 0.01, 0.05, -0.05, -1, nan, inf, -inf, 1, 999_999.95, 21_474_836.48,
                                       42_949_672.95, 9_999_999.99, -21_474_836.48)),
    *(Absurd(times, 0) for times in (100, 0.01, 10, 0.1, 1000, 0.001, 2, 0.5, 1.2001, 0.7999, 1.25, 0.75, 1.5, 0.6, 3,
                                     0.33, 20, 0.05, -1, 1.1, 0.9, 1.05, 0.95)),
    *(Absurd(1, rupees) for rupees in (0.01, -0.01, 0.03)),
)  # fmt: skip


def on_the_wire(rupees: float) -> int:
    """Give the 32 bits of a price in paise."""
    paise = rupees * PAISE
    return int(paise) & ALL_ONES if isfinite(paise) and abs(paise) <= ALL_ONES else ALL_ONES
