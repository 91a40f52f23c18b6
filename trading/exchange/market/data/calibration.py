"""What real minutes look like, as numbers: the generated market is drawn from these tables.

Measured on one-minute bars of thirteen liquid NSE stocks, NIFTY 50 and NIFTY BANK, 36 trading days from
2024-05-15 to 2024-07-09. Left out: the Saturday session of 2024-05-18 and the election days 2024-06-03 to
2024-06-05. Only these aggregates are here, no bar of the source.
The tables shape the generator; the single numbers at the end are what its tests hold it to.
"""

from typing import Final

MOVE_FIRST_MINUTES: Final = (5.5, 2.83, 2.41, 1.96, 1.93, 2.12, 2.03, 1.76, 1.55, 1.58, 1.67, 1.63, 1.45, 1.47, 1.45)
"""Deviation of a stock's minute move relative to the day's mean minute, for 09:15 to 09:29.
A move is close to close (the first: open to close), root mean square over stocks and days."""

MOVE_QUARTERS: Final = (
    1.41, 1.19, 1.08, 1.01, 0.95, 0.88, 0.86, 0.83, 0.8, 0.79, 0.75, 0.74,
    0.75, 0.77, 0.75, 0.77, 0.74, 0.76, 0.78, 0.81, 0.87, 0.85, 1.16, 1.04,
)  # fmt: skip
"""The same for each quarter of an hour from 09:30 on."""

VOLUME_FIRST_MINUTES: Final = (5.38, 4.03, 3.09, 2.63, 2.3, 2.4, 2.13, 1.94, 1.8, 1.72, 1.81, 1.64, 1.58, 1.53, 1.47)
"""Volume of a minute relative to the day's mean minute, for 09:15 to 09:29; mean over stocks and days."""

VOLUME_QUARTERS: Final = (
    1.34, 1.03, 0.89, 0.78, 0.76, 0.71, 0.75, 0.7, 0.65, 0.71, 0.71, 0.66,
    0.71, 0.68, 0.68, 0.7, 0.66, 0.72, 0.77, 0.84, 0.99, 1.09, 2.69, 2.41,
)  # fmt: skip
"""The same for each quarter of an hour from 09:30 on."""

DAY_WIDTH: Final = (0.45, 0.59, 0.71, 0.81, 0.9, 1.0, 1.08, 1.21, 1.38, 1.64, 2.43)
"""A stock's day range over its own median: quantiles 2, 10, 20 ... 90, 98 percent."""

MINUTE_VOLUME: Final = (0.2, 0.3, 0.4, 0.5, 0.6, 0.71, 0.85, 1.03, 1.31, 1.86, 4.5)
"""A minute's volume over what its time of day has on average: deciles, the two ends cut."""

BAR_EXCESS: Final = 0.43
"""How far a bar's high stands above its open and close on average (its low as far below them),
in deviations of a minute move. Open to close is 41 % of a bar's range in the median."""

LARGEST_MINUTE: Final = 4.5
"""The largest move of a day after 09:30 over the deviation of its minutes: 3.6, 4.5, 6.2 at 10, 50, 90 %."""

RANGE_OF_NOISE: Final = 1.51
"""Day range over the root of the sum of squared minute moves, as a random walk's (median; indices 1.45)."""

DAY_EFFICIENCY: Final = (0.09, 0.42, 0.77)
"""Distance from open to close over the day's range at 10, 50 and 90 %: trend days and range days."""

INDEX_RANGE_PERCENT: Final = 0.78
"""Median day range of NIFTY 50 in percent of its price; stocks have 1.6 to 2.1."""

FIVE_MINUTE_CORRELATION: Final = (0.33, 0.65)
"""Lowest and highest correlation of a stock's five-minute moves with NIFTY 50's."""
