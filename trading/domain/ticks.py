"""A market-data packet as the hot loop sees it."""

from typing import NamedTuple


class Tick(NamedTuple):
    """One packet. Prices are integers of 1/10,000 rupee (`money.PRICE_SCALE`).

    `exchange_ts` is the exchange's time stamp in epoch seconds; open, high, low are of today,
    `close` is yesterday's; `volume` is today's so far, 0 for an index.
    """

    token: int
    ltp: int
    exchange_ts: int
    open: int
    high: int
    low: int
    close: int
    volume: int
