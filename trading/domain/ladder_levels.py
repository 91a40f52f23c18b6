"""The ladder's price levels of one instrument and day: exact, rounded once to the tick.

Prices leave here as integers of 1/10,000 rupee (`money.PRICE_SCALE`) for the hot loop.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from itertools import pairwise
from math import floor

from trading.domain.ladder_config import LadderConfig
from trading.domain.money import PRICE_SCALE, format_scaled, to_scaled
from trading.domain.orders import Side


class LadderSide(StrEnum):
    """The two sides of the ladder. `sign` is +1 where a rising price is profit."""

    LONG = "long"
    SHORT = "short"

    @property
    def sign(self) -> int:
        """+1 for long, -1 for short."""
        return 1 if self is LadderSide.LONG else -1

    @property
    def entry_side(self) -> Side:
        """The order side that opens a position on this side."""
        return Side.BUY if self is LadderSide.LONG else Side.SELL

    @property
    def exit_side(self) -> Side:
        """The order side that closes it."""
        return self.entry_side.opposite


@dataclass(frozen=True, slots=True)
class SideLevels:
    """Entry, T1..T10 and Y1..Y10 of one side, in 1/10,000 rupee."""

    side: LadderSide
    entry: int
    targets: tuple[int, ...]
    stops: tuple[int, ...]

    def is_ordered(self) -> bool:
        """True when entry and targets, and the stops, step strictly into profit, Y1 being a loss, all positive."""
        sign = self.side.sign
        rising = all((b - a) * sign > 0 for a, b in pairwise((self.entry, *self.targets)))
        ratchet = all((b - a) * sign > 0 for a, b in pairwise(self.stops))
        loses = (self.entry - self.stops[0]) * sign > 0
        return rising and ratchet and loses and min(self.entry, *self.targets, *self.stops) > 0

    def as_dict(self) -> dict[str, object]:
        """Give prices as strings: `{"entry", "targets", "stops"}`."""
        return {
            "entry": format_scaled(self.entry),
            "targets": [format_scaled(price) for price in self.targets],
            "stops": [format_scaled(price) for price in self.stops],
        }


@dataclass(frozen=True, slots=True)
class Levels:
    """Both sides; they are always computed and listed, whatever may be traded."""

    long: SideLevels
    short: SideLevels

    def of(self, side: LadderSide) -> SideLevels:
        """Give one side's levels."""
        return self.long if side is LadderSide.LONG else self.short

    def as_dict(self) -> dict[str, dict[str, object]]:
        """Give `{"long": {...}, "short": {...}}` with prices as strings."""
        return {"long": self.long.as_dict(), "short": self.short.as_dict()}


def compute_levels(config: LadderConfig, *, high: Decimal, low: Decimal, tick_size: Decimal) -> Levels:
    """Compute every level from the day's range. Rupees in, 1/10,000 rupee out.

    Targets and stops start from the rounded entry level and the unrounded range and are rounded once, a tie
    going to the higher price. Raises ValueError for a tick size that is not a positive multiple of 0.0001.
    """
    tick = to_scaled(tick_size)
    if tick <= 0:
        raise ValueError(f"tick_size must be positive, was {tick_size}")
    spread = Fraction(high - low) * PRICE_SCALE
    buy = Fraction(low) * PRICE_SCALE + Fraction(config.entry_buy_fraction) * spread
    sell = Fraction(high) * PRICE_SCALE - Fraction(config.entry_sell_fraction) * spread
    return Levels(
        _side_levels(config, LadderSide.LONG, _to_tick(buy, tick), spread, tick),
        _side_levels(config, LadderSide.SHORT, _to_tick(sell, tick), spread, tick),
    )


def why_not_traded(levels: Levels, config: LadderConfig) -> str | None:
    """Name the reason for which these levels cannot be traded, or None. Lots are checked by the ladder."""
    sides = (levels.long, levels.short)
    if not all(side.is_ordered() for side in sides) or levels.short.entry >= levels.long.entry:
        return "range_too_small"
    if any(abs(side.targets[0] - side.entry) * 10_000 < config.min_step_bps * side.entry for side in sides):
        return "step_too_small"
    return None


def _side_levels(config: LadderConfig, side: LadderSide, entry: int, spread: Fraction, tick: int) -> SideLevels:
    def level(fraction: Decimal) -> int:
        return _to_tick(entry + side.sign * Fraction(fraction) * spread, tick)

    targets = tuple(level(fraction) for fraction in config.target_fractions)
    return SideLevels(side, entry, targets, tuple(level(fraction) for fraction in config.stop_fractions))


def _to_tick(price: Fraction, tick: int) -> int:
    """Round to the nearest multiple of the tick; a tie goes to the higher price."""
    return floor(price / tick + Fraction(1, 2)) * tick
