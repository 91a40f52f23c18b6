"""Candles of any length from minute bars."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import groupby
from typing import Final

from trading.domain.money import from_scaled
from trading.domain.timezone import IST
from trading.exchange.market.bar import Bar, merged
from trading.exchange.market.hours import DAY_MS, IST_OFFSET_MS, MINUTE_MS, OPEN_OFFSET_MS
from trading.exchange.market.tape import Tape

Candle = tuple[datetime, Decimal, Decimal, Decimal, Decimal, int]
"""Start (aware IST), open, high, low, close in rupees, volume in units (0 for an index)."""

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
DAY_INTERVAL: Final = "day"
MINUTES: Final[dict[str, int]] = {
    "minute": 1, "3minute": 3, "5minute": 5, "10minute": 10, "15minute": 15, "30minute": 30, "60minute": 60,
}  # fmt: skip
INTERVALS: Final = (*MINUTES, DAY_INTERVAL)


def folded(bars: Sequence[Bar], interval: str) -> list[Bar]:
    """Fold one day's minute bars into candles of so many minutes, counted from 09:15.

    Raises ValueError for an interval that Kite does not have.
    """
    if interval not in MINUTES:
        raise ValueError(f"interval must be one of {', '.join(INTERVALS)}, was {interval!r}")
    length = MINUTES[interval] * MINUTE_MS
    groups = groupby(bars, key=lambda bar: _start_of(bar.start_ms, length))
    return [merged(list(group), start) for start, group in groups]


def day_candle(whole: Bar) -> Bar:
    """Give the candle of a whole day: it starts at midnight."""
    return whole._replace(start_ms=_midnight_before(whole.start_ms))


def candle_of(bar: Bar) -> Candle:
    """Give a bar as Kite's candle."""
    start = datetime.fromtimestamp(bar.start_ms // 1000, tz=IST)
    opened, high, low, close = (from_scaled(price) for price in bar[1:5])
    return start, opened, high, low, close, bar.volume


def epoch_ms(moment: datetime) -> int:
    """Give epoch milliseconds. Raises ValueError for a naive moment."""
    if moment.tzinfo is None:
        raise ValueError(f"moment must be aware, was {moment}")
    return (moment - EPOCH) // timedelta(milliseconds=1)


def bars_of_tape(tape: Tape, first_minute_ms: int, until_ms: int, *, is_index: bool) -> list[Bar]:
    """Fold the trades up to and with `until_ms` into minute bars.

    The opening auction's trade belongs to the first minute of the session.
    """
    bars: list[Bar] = []
    before = 0
    rows: Iterable[tuple[int, int, int]] = zip(tape.times, tape.prices, tape.volumes, strict=True)
    for start, group in groupby(rows, key=lambda row: max(first_minute_ms, row[0] - row[0] % MINUTE_MS)):
        seen = [(price, volume) for at_ms, price, volume in group if at_ms <= until_ms]
        if not seen:
            break
        prices = [price for price, _ in seen]
        volume = 0 if is_index else seen[-1][1] - before
        before = seen[-1][1]
        bars.append(Bar(start, prices[0], max(prices), min(prices), prices[-1], volume))
    return bars


def _start_of(at_ms: int, length_ms: int) -> int:
    opened = _midnight_before(at_ms) + OPEN_OFFSET_MS
    return opened + (at_ms - opened) // length_ms * length_ms


def _midnight_before(at_ms: int) -> int:
    return at_ms - (at_ms + IST_OFFSET_MS) % DAY_MS
