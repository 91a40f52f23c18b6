"""Real minute bars, replayed from a folder of `<SYMBOL>.csv.gz` files.

A file holds `ts,open,high,low,close,volume`: ts is the minute's start as `2024-05-15T09:15:00+05:30`,
ascending; minutes may be missing (silence). Index files are named `NIFTY_50`, `NIFTY_BANK`, `INDIAVIX`.
What is wrong with a folder or a file is said in one ValueError with file and line.
"""

import gzip
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from functools import lru_cache
from math import gcd
from pathlib import Path
from statistics import median_low
from typing import Final

from trading.domain.instruments import InstrumentClass
from trading.domain.money import PRICE_SCALE
from trading.exchange.market.bar import Bar, merged
from trading.exchange.market.barfile import parse_bars
from trading.exchange.market.hours import DayHours, Hours, day_of
from trading.exchange.market.listing import INDICES, Listing, index, stock

SUFFIX: Final = ".csv.gz"
SYMBOLS: Final = {"INDIAVIX": "INDIA VIX"}
TICKS: Final = (50_000, 10_000, 5_000, 1_000, 500, 100)
"""Tick sizes of NSE in 1/10,000 rupee, the coarsest first."""
BUSY: Final = ((1_000_000, 0.55), (100_000, 0.35), (20_000, 0.18), (0, 0.12))
"""Share of seconds with a trade, by the volume of an ordinary day from this many units on."""


class BarsSource:
    """Implements `source.Source` for the instruments and days of a folder."""

    def __init__(self, folder: Path, calendar: Hours) -> None:
        self._calendar = calendar
        self._bars: dict[int, dict[date, tuple[Bar, ...]]] = {}
        self.listings: Sequence[Listing] = [self._load(path) for path in _files(folder)]
        self.days = sorted({day for days in self._bars.values() for day in days})
        if len(self.days) < 2:
            raise ValueError(f"{folder} holds bars of one day; a day to trade needs one before it for its ranges")

    def check_day(self, day: date) -> None:
        """Raise ValueError unless `day` can be traded: it and a day before it are in the folder."""
        span = f"the folder has {len(self.days)} days, {self.days[0]} to {self.days[-1]}"
        if day not in self.days:
            raise ValueError(f"day {day} is not in the folder of bars; {span}")
        if day == self.days[0]:
            raise ValueError(
                f"day {day} has no day before it in the folder, for its ranges; {span}: choose {self.days[1]} or later"
            )

    def days_until(self, day: date) -> list[date]:
        """Give the folder's days up to and with `day`."""
        return self.days[: bisect_right(self.days, day)]

    def hours(self, day: date, instrument_class: InstrumentClass) -> DayHours:
        """Give the session of that date by the calendar."""
        return self._calendar.day_hours(day, instrument_class)

    def bars(self, token: int, day: date) -> tuple[Bar, ...]:
        """Give the file's bars of one day, none when it has none."""
        return self._bars[token].get(day, ())

    def whole_day(self, token: int, day: date) -> Bar | None:
        """Give the one bar of a day, None when the instrument did not trade."""
        return merged(bars) if (bars := self.bars(token, day)) else None

    def previous_close(self, token: int, day: date) -> int:
        """Give the last close before `day`; an instrument that begins on `day` has its first open."""
        days = list(self._bars[token])
        before = bisect_left(days, day)
        return self._bars[token][days[before - 1]][-1].close if before else self._bars[token][days[0]][0].open

    def _load(self, path: Path) -> Listing:
        bars = _read(path)
        days: dict[date, list[Bar]] = {}
        for bar in bars:
            days.setdefault(day_of(bar.start_ms), []).append(bar)
        symbol = symbol_of(path)
        step = step_of(bars)
        volume = median_low(sum(bar.volume for bar in each) for each in days.values())
        listing = (
            index(symbol, step=step)
            if symbol in INDICES or symbol.startswith("NIFTY ")
            else _share(symbol, step, volume)
        )
        if listing.token in self._bars:
            raise ValueError(
                f"{path.name} has token {listing.token}, as another file of the folder; rename one of them"
            )
        self._bars[listing.token] = {day: tuple(each) for day, each in days.items()}
        return listing


def folder_days(folder: Path, calendar: Hours) -> list[date]:
    """Give the days of a folder that can be traded: all but its first. Raises ValueError as `BarsSource`."""
    return BarsSource(folder, calendar).days[1:]


def symbol_of(path: Path) -> str:
    """Give the tradingsymbol that a file is named for: NIFTY_50 is the index `NIFTY 50`."""
    stem = path.name.removesuffix(SUFFIX)
    return SYMBOLS.get(stem, stem.replace("_", " ") if stem.startswith("NIFTY_") else stem)


def step_of(bars: Sequence[Bar]) -> int:
    """Give the coarsest tick size that all prices are multiples of, else their greatest common divisor."""
    common = gcd(*(price for bar in bars for price in bar[1:5]))
    return next((tick for tick in TICKS if common % tick == 0), common)


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise ValueError(f"{folder} is not a folder; bars are a folder of <SYMBOL>{SUFFIX} files")
    found = sorted(folder.glob(f"*{SUFFIX}"))
    if not found:
        raise ValueError(f"{folder} holds no bars; they are files named <SYMBOL>{SUFFIX}, as INFY{SUFFIX}")
    return found


def _read(path: Path) -> tuple[Bar, ...]:
    stat = path.stat()
    return _parsed(path, stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=64)
def _parsed(path: Path, _size: int, _changed_ns: int) -> tuple[Bar, ...]:
    """Parse a file once a process, for the choice of a day and for the day itself; a changed file is read again."""
    try:
        text = gzip.decompress(path.read_bytes()).decode()
    except (OSError, EOFError, ValueError) as error:
        raise ValueError(f"{path.name} is no whole gzip file of text: {error}") from error
    return tuple(parse_bars(path.name, text))


def _share(symbol: str, step: int, daily_volume: int) -> Listing:
    busy = next(share for least, share in BUSY if daily_volume >= least)
    tick_size = Decimal(step) / PRICE_SCALE
    return stock(symbol, tick_size, daily_volume=daily_volume, busy=busy, spread_steps=1 if busy > 0.3 else 4)
