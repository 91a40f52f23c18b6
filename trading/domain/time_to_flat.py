"""How long it takes from the first order of a square-off until the broker shows the account flat."""

from dataclasses import dataclass
from datetime import timedelta
from math import ceil

MINUTE_S = 60
REPRICING = timedelta(seconds=14)
"""Patience of the first three attempts of an exit (2, 4 and 8 s): what the slowest order may rest."""
VERIFYING = timedelta(seconds=5)
"""Reading orders, trades and positions, twice."""


@dataclass(frozen=True, slots=True)
class CallRate:
    """Order calls that an account may make; place, modify and cancel share them."""

    per_second: int
    per_minute: int

    def time_for(self, calls: int) -> timedelta:
        """Give the time in which so many calls can leave: whole minutes' budgets first, then by the second."""
        minutes, rest = divmod(max(0, calls), self.per_minute)
        rest_s = ceil(rest / self.per_second)
        return timedelta(seconds=minutes * MINUTE_S + min(rest_s, MINUTE_S))


@dataclass(frozen=True, slots=True)
class ExitWork:
    """What one account has to do: exit `orders` (positions x slices), and working orders to cancel before.

    Slices of one position go one after the other: `in_a_row` is the most that one position has.
    """

    orders: int = 0
    cancels: int = 0
    in_a_row: int = 0

    @property
    def calls(self) -> int:
        """Calls that share the rate budget: every exit may have to be re-priced once."""
        return self.cancels + 2 * self.orders

    def __add__(self, other: "ExitWork") -> "ExitWork":
        return ExitWork(self.orders + other.orders, self.cancels + other.cancels, max(self.in_a_row, other.in_a_row))


def time_to_flat(work: ExitWork, rate: CallRate, *, round_trip: timedelta) -> timedelta:
    """Give how long an account needs, in whole seconds, nothing without work.

    `round_trip` is from an order's decision to its last fill, as measured today.
    """
    if not work.calls:
        return timedelta(0)
    needed = rate.time_for(work.calls) + max(1, work.in_a_row) * round_trip + REPRICING + VERIFYING
    return timedelta(seconds=ceil(needed.total_seconds()))
