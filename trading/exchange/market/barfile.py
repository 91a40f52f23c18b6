"""The text of one bars file: ts,open,high,low,close,volume."""

from datetime import date
from functools import cache
from typing import Final

from trading.exchange.market.bar import Bar
from trading.exchange.market.hours import DAY_MS, MINUTE_MS, midnight_ms

HEADER: Final = "ts,open,high,low,close,volume"
EXAMPLE: Final = "2024-05-15T09:15:00+05:30,1420.50,1422.00,1419.75,1421.05,18250"
DECIMALS: Final = 4
_ZONE: Final = "+05:30"


def parse_bars(name: str, text: str) -> list[Bar]:
    """Parse a whole file. Raises ValueError with file, line and what would be right."""
    lines = text.splitlines()
    if not lines or lines[0].strip().lower() != HEADER:
        raise ValueError(f"{name} line 1 was {lines[0][:80] if lines else 'missing'!r}, must be the header {HEADER}")
    bars: list[Bar] = []
    before = -1
    for number, line in enumerate(lines[1:], start=2):
        if not line.strip():
            continue
        try:
            bar = _bar(line)
            if bar.start_ms <= before:
                raise ValueError("its time is not later than that of the line before")
        except ValueError as error:
            raise ValueError(f"{name} line {number} was {line[:80]!r}: {error}; a line looks like {EXAMPLE}") from error
        before = bar.start_ms
        bars.append(bar)
    if not bars:
        raise ValueError(f"{name} has a header and no bars")
    return bars


def _bar(line: str) -> Bar:
    fields = line.split(",")
    if len(fields) != 6:
        raise ValueError(f"it has {len(fields)} fields instead of 6")
    opened, high, low, close = (_price(text) for text in fields[1:5])
    if not 0 < low <= min(opened, close) <= max(opened, close) <= high:
        raise ValueError("its prices must be positive, open and close between low and high")
    return Bar(_moment(fields[0]), opened, high, low, close, _units(fields[5]))


def _price(text: str) -> int:
    """Read rupees exactly as an integer of 1/10,000, without a float in between."""
    whole, _, part = text.strip().partition(".")
    if len(part.rstrip("0")) > DECIMALS or not (whole + part).isdecimal():
        raise ValueError(f"{text!r} is no price of at most {DECIMALS} decimals")
    return int(whole or "0") * 10**DECIMALS + int(part[:DECIMALS].ljust(DECIMALS, "0"))


def _units(text: str) -> int:
    whole, _, part = text.strip().partition(".")
    if not whole.isdecimal() or part.strip("0"):
        raise ValueError(f"volume {text!r} is no whole number of units")
    return int(whole)


@cache
def _midnight(day: str) -> int:
    return midnight_ms(date.fromisoformat(day))


def _moment(text: str) -> int:
    text = text.strip()
    clock = text[11:19]
    if len(text) != 25 or text[10] not in "T " or not text.endswith(_ZONE):
        raise ValueError(f"time {text!r} is not ISO with {_ZONE}")
    hours, minutes, seconds = int(clock[:2]), int(clock[3:5]), int(clock[6:])
    offset = (hours * 60 + minutes) * MINUTE_MS
    if seconds or clock[2] + clock[5] != "::" or not 0 <= minutes < 60 or not 0 <= offset < DAY_MS:
        raise ValueError(f"time {text!r} is not the start of a minute")
    return _midnight(text[:10]) + offset
