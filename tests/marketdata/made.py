"""Ticks as tests need them."""

from trading.domain.ticks import Tick

INFY, SBIN, NIFTY = 408065, 779521, 256265
NINE_FIFTEEN = 1_795_405_500
"""2026-11-23 09:15:00 IST in epoch seconds."""


def tick(token: int = INFY, ltp: int = 15_635_500, *, after_s: int = 0) -> Tick:
    """Make a tick of 09:15 or so many seconds later."""
    return Tick(token, ltp, NINE_FIFTEEN + after_s, 15_600_000, 15_700_000, 15_500_000, 15_601_000, 1_200)
