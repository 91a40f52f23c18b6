"""A generated day, made once, and a small folder of bars."""

import gzip
from collections.abc import Callable, Iterable
from datetime import date, time, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from trading.domain.timezone import at_ist
from trading.exchange.market import Market, make_market

DAY = date(2026, 11, 23)
Row = tuple[str, str, str, str, str, int]


def last_day(market: Market, token: int) -> tuple[Decimal, Decimal, Decimal]:
    """Give high, low and close of the day before the market's, as a client reads them: from its minutes."""
    start = at_ist(market.previous_day, time())
    minutes = market.candles(token, start, start + timedelta(hours=23), "minute", market.step_times[0])
    return max(one[2] for one in minutes), min(one[3] for one in minutes), minutes[-1][4]


@pytest.fixture(scope="session")
def finished() -> Market:
    """The day 2026-11-23 of seed 1 at its end. Read only."""
    market = make_market(DAY, 1)
    market.advance(market.step_times[-1])
    return market


@pytest.fixture
def write_bars(tmp_path: Path) -> Callable[[str, Iterable[Row]], Path]:
    """Write one file of the folder: rows of (`2024-05-15 09:15`, open, high, low, close, volume)."""

    def write(symbol: str, rows: Iterable[Row]) -> Path:
        lines = ["ts,open,high,low,close,volume"]
        for moment, *prices, volume in rows:
            lines.append(",".join([f"{moment.replace(' ', 'T')}:00+05:30", *prices, str(volume)]))
        (tmp_path / f"{symbol}.csv.gz").write_bytes(gzip.compress("\n".join(lines).encode()))
        return tmp_path

    return write
