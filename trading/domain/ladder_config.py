"""What a trader may change of the 810/910 ladder, and what is refused on saving.

The rules are those of the strategy paper (docs/ladder.md): every fraction is exact, times are IST.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import time
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from itertools import pairwise
from typing import Any

from trading.domain.money import PRICE_SCALE, to_decimal
from trading.domain.timezone import DAY_SECONDS, second_of_day, time_of

STEPS = 10
"""Targets T1..T10 and stops Y1..Y10."""
MARKET_OPEN = time(9, 15)
LARGEST_PRICE = 1_000_000_000
"""Rupees. Above every price there is; levels and rupee columns stay in their bounds."""


class RangeSource(StrEnum):
    """Where the reference range H, L of the day comes from."""

    PREVIOUS_DAY = "previous_day"
    OPENING_RANGE = "opening_range"
    MANUAL = "manual"


class Sides(StrEnum):
    """Which sides may be entered. Levels are computed and checked for both, always."""

    BOTH = "both"
    LONG = "long"
    SHORT = "short"


class Trigger(StrEnum):
    """`cross` needs an armed side; `level` fires on any tick at or beyond the entry level."""

    CROSS = "cross"
    LEVEL = "level"


class Rearm(StrEnum):
    """`flat` arms only without a position, `any` always."""

    FLAT = "flat"
    ANY = "any"


class LadderConfigError(ValueError):
    """The configuration was refused; `problems` names every reason, one sentence each."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def _decimals(*texts: str) -> tuple[Decimal, ...]:
    return tuple(Decimal(text) for text in texts)


@dataclass(frozen=True, slots=True)
class LadderConfig:
    """The configuration table. Fractions are of the range R, times IST, `min_step_bps` hundredths of a percent.

    `manual_high` and `manual_low` are rupees, the range of `range_source` manual; None where the caller gives it.
    """

    entry_buy_fraction: Decimal = Decimal("0.810")
    entry_sell_fraction: Decimal = Decimal("0.910")
    target_fractions: tuple[Decimal, ...] = _decimals(
        "0.05", "0.10", "0.15", "0.20", "0.25", "0.30", "0.35", "0.40", "0.45", "0.50"
    )
    stop_fractions: tuple[Decimal, ...] = _decimals(
        "-0.50", "0.00", "0.05", "0.10", "0.15", "0.20", "0.25", "0.30", "0.35", "0.40"
    )
    booking_fractions: tuple[Decimal, ...] = _decimals(*["0.10"] * STEPS)
    range_source: RangeSource = RangeSource.PREVIOUS_DAY
    opening_range_minutes: int = 15
    manual_high: Decimal | None = None
    manual_low: Decimal | None = None
    sides: Sides = Sides.BOTH
    trigger: Trigger = Trigger.CROSS
    rearm: Rearm = Rearm.FLAT
    max_entries_per_side: int = 1
    min_lots: int = 1
    min_step_bps: Decimal = Decimal(0)
    session_start: time = MARKET_OPEN
    no_new_entry_after: time = time(15, 0)
    square_off_at: time = time(15, 15)

    @classmethod
    def from_mapping(cls, given: Mapping[str, Any]) -> "LadderConfig":
        """Read what differs from the defaults; fractions may be strings, ints or Decimals, times `HH:MM:SS`.

        With `range_source` opening_range and no `session_start`, the session starts at the end of that
        window. Raises LadderConfigError with every problem found: unknown keys, wrong types, broken rules.
        """
        values, problems = _read(given)
        if problems:
            raise LadderConfigError(tuple(problems))
        if values.get("range_source") is RangeSource.OPENING_RANGE and "session_start" not in values:
            minutes: int = values.get("opening_range_minutes", 15)
            values["session_start"] = opening_range_end(max(minutes, 0))  # below 1 it is refused anyway
        config = cls(**values)
        problems = config.problems()
        if problems:
            raise LadderConfigError(tuple(problems))
        return config

    def to_mapping(self) -> dict[str, Any]:
        """Give all keys in the JSON form that `from_mapping` reads."""
        return {item.name: _to_json(getattr(self, item.name)) for item in fields(self)}

    def problems(self) -> list[str]:
        """Name every reason for which this configuration may not be saved; empty when it may."""
        return [
            *self._fraction_problems(),
            *self._count_problems(),
            *_manual_problems(self.manual_high, self.manual_low),
            *self._time_problems(),
        ]

    def warnings(self) -> list[str]:
        """Name what is allowed but probably not meant."""
        found = [
            f"Y{k + 1} equals T{k} (both {stop}): an unchanged price then stops out at once"
            for k, (target, stop) in enumerate(zip(self.target_fractions, self.stop_fractions[1:], strict=False), 1)
            if stop == target
        ]
        if self.entry_buy_fraction + self.entry_sell_fraction <= 1:
            found.append(
                f"the buy level would not lie above the sell level (fractions {self.entry_buy_fraction} and "
                f"{self.entry_sell_fraction} add up to no more than 1): nothing would ever be traded"
            )
        if self.session_start == self.no_new_entry_after:
            found.append(f"session_start and no_new_entry_after are both {self.session_start}: nothing can be entered")
        return found

    def _fraction_problems(self) -> list[str]:
        found = [
            f"{name} must lie between 0 and 1, was {value}"
            for name, value in (
                ("entry_buy_fraction", self.entry_buy_fraction),
                ("entry_sell_fraction", self.entry_sell_fraction),
            )
            if not 0 < value < 1
        ]
        lists = {name: getattr(self, name) for name in ("target_fractions", "stop_fractions", "booking_fractions")}
        wrong = [f"{name} must have {STEPS} values, had {len(v)}" for name, v in lists.items() if len(v) != STEPS]
        if wrong:
            return found + wrong
        return found + _ladder_problems(self.target_fractions, self.stop_fractions) + _booking(self.booking_fractions)

    def _count_problems(self) -> list[str]:
        counts = ("max_entries_per_side", "min_lots", "opening_range_minutes")
        found = [f"{name} must be at least 1, was {getattr(self, name)}" for name in counts if getattr(self, name) < 1]
        if self.min_step_bps < 0:
            found.append(f"min_step_bps must not be negative, was {self.min_step_bps}")
        return found

    def _time_problems(self) -> list[str]:
        found = []
        if not self.session_start <= self.no_new_entry_after <= self.square_off_at:
            found.append(
                "times must be in order session_start, no_new_entry_after, square_off_at, were "
                f"{self.session_start}, {self.no_new_entry_after}, {self.square_off_at}"
            )
        if self.range_source is RangeSource.OPENING_RANGE and self.opening_range_minutes >= 1:
            end = opening_range_end(self.opening_range_minutes)
            if self.session_start < end:
                found.append(f"session_start must not be before the opening range ends at {end}")
        return found


def _ladder_problems(targets: tuple[Decimal, ...], stops: tuple[Decimal, ...]) -> list[str]:
    found = []
    for name, values in (("target_fractions", targets), ("stop_fractions", stops)):
        found += [
            f"{name} must strictly increase, but {later} follows {earlier} at number {k}"
            for k, (earlier, later) in enumerate(pairwise(values), 2)
            if later <= earlier
        ]
    if targets[0] <= 0:
        found.append(f"the first target fraction must be above 0, was {targets[0]}")
    if stops[0] >= 0:
        found.append(f"the first stop fraction must be below 0, was {stops[0]}")
    found += [
        f"stop {k + 1} at {stop} lies beyond target {k} at {target}, which sets it"
        for k, (target, stop) in enumerate(zip(targets, stops[1:], strict=False), 1)
        if stop > target
    ]
    return found


def _booking(fractions: tuple[Decimal, ...]) -> list[str]:
    found = [f"booking fraction {k} must not be negative, was {b}" for k, b in enumerate(fractions, 1) if b < 0]
    if sum(Fraction(b) for b in fractions) != 1:  # a sum of Decimals would round
        found.append(f"booking_fractions must add up to 1, added up to {sum(fractions)}")
    return found


def _manual_problems(high: Decimal | None, low: Decimal | None) -> list[str]:
    if high is None and low is None:
        return []
    if high is None or low is None:
        return [f"manual_high and manual_low belong together, were {high} and {low}"]
    found = [
        f"{name} must be above 0, below {LARGEST_PRICE:,} and have at most four decimals, was {price}"
        for name, price in (("manual_high", high), ("manual_low", low))
        if not 0 < price < LARGEST_PRICE or (Fraction(price) * PRICE_SCALE).denominator != 1
    ]
    if high <= low:
        found.append(f"manual_high must be above manual_low, were {high} and {low}")
    return found


def opening_range_end(minutes: int) -> time:
    """Give the IST time at which the first `minutes` of the session are over."""
    # A window of a whole day is cut at the day's end; the order of times then refuses it.
    return time_of(min(second_of_day(MARKET_OPEN) + minutes * 60, DAY_SECONDS - 1))


def _read_fraction(value: object) -> Decimal:
    return to_decimal(value)


def _read_fractions(value: object) -> tuple[Decimal, ...]:
    if not isinstance(value, list | tuple):
        raise ValueError(f"a list of {STEPS} numbers is needed, was {value!r}")
    return tuple(to_decimal(one) for one in value)


def _read_price(value: object) -> Decimal | None:
    return None if value is None else to_decimal(value)


def _read_count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"a whole number is needed, was {value!r}")
    return value


def _read_time(value: object) -> time:
    if isinstance(value, time):
        moment = value
    elif isinstance(value, str) and len(value) == len("HH:MM:SS"):
        moment = time.fromisoformat(value)
    else:
        raise ValueError(f"a time HH:MM:SS is needed, was {value!r}")
    if moment.tzinfo is not None or moment.microsecond:
        raise ValueError(f"a plain IST time HH:MM:SS is needed, was {value!r}")
    return moment


def _reader_of_word(words: type[StrEnum]) -> Callable[[object], StrEnum]:
    def read(value: object) -> StrEnum:
        if not isinstance(value, str) or value not in list(words):
            raise ValueError(f"one of {', '.join(words)} is needed, was {value!r}")
        return words(value)

    return read


_READERS: dict[str, Callable[[object], Any]] = {
    "entry_buy_fraction": _read_fraction,
    "entry_sell_fraction": _read_fraction,
    "target_fractions": _read_fractions,
    "stop_fractions": _read_fractions,
    "booking_fractions": _read_fractions,
    "range_source": _reader_of_word(RangeSource),
    "opening_range_minutes": _read_count,
    "manual_high": _read_price,
    "manual_low": _read_price,
    "sides": _reader_of_word(Sides),
    "trigger": _reader_of_word(Trigger),
    "rearm": _reader_of_word(Rearm),
    "max_entries_per_side": _read_count,
    "min_lots": _read_count,
    "min_step_bps": _read_fraction,
    "session_start": _read_time,
    "no_new_entry_after": _read_time,
    "square_off_at": _read_time,
}


def _read(given: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    values: dict[str, Any] = {}
    problems: list[str] = []
    for key, value in given.items():
        reader = _READERS.get(key)
        if reader is None:
            problems.append(f"{key} is not a setting of the ladder")
            continue
        try:
            values[key] = reader(value)
        except ValueError as error:
            problems.append(f"{key}: {error}")
    return values, problems


def _to_json(value: object) -> object:
    if isinstance(value, tuple):
        return [str(one) for one in value]
    if isinstance(value, time):
        return value.isoformat()
    if value is None:
        return None
    return int(value) if isinstance(value, int) else str(value)
