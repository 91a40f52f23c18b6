"""What a plan means today: its ladder, the opening window it waits for, and the plan a position was entered with."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, time
from decimal import Decimal
from typing import Any

from trading.domain.ladder import Ladder
from trading.domain.ladder_config import LadderConfig, RangeSource
from trading.domain.opening_range import OpeningWindow
from trading.domain.reference_range import ReferenceRange
from trading.domain.sizing import quantity_for
from trading.ports import Plan


@dataclass(frozen=True, slots=True)
class DayTimes:
    """The client's own times (IST): from when the instrument is squared off, and from when nothing is entered."""

    square_off_from: time
    no_new_entry_after: time


def make_ladder(plan: Plan, times: DayTimes) -> Ladder:
    """Build the day's ladder of a plan whose range is known, inside the client's own times.

    Raises LadderConfigError when configuration and times do not fit together.
    """
    if plan.day_range is None:
        raise ValueError(f"{plan.instrument.key} has no range today")
    own = LadderConfig.from_mapping(plan.config)
    square_off_at = min(own.square_off_at, times.square_off_from)
    last_entry = min(own.no_new_entry_after, times.no_new_entry_after, square_off_at)
    bounds = {"square_off_at": square_off_at.isoformat(), "no_new_entry_after": last_entry.isoformat()}
    return Ladder(
        LadderConfig.from_mapping({**plan.config, **bounds}),
        high=plan.day_range.high,
        low=plan.day_range.low,
        tick_size=plan.instrument.tick_size,
        lot_size=plan.instrument.lot_size,
        quantity=_quantity(plan),
    )


def as_entered(plan: Plan, snapshot: Mapping[str, Any]) -> Plan:
    """Give the plan that an open position was entered with: it keeps its ladder, also over a restart.

    Without a position it is the plan of now. Raises KeyError, TypeError, ValueError or ArithmeticError when the
    snapshot cannot be read.
    """
    ladder, kept = snapshot["ladder"], snapshot.get("plan")
    if not (ladder and ladder["position"] and kept):
        return plan
    return replace(plan, config=kept["config"], day_range=ReferenceRange.from_dict(kept["range"]), why_no_range="")


def window_of(plan: Plan, day: date) -> OpeningWindow | None:
    """Give the opening window that a plan's range comes from, None where it comes from elsewhere.

    Raises LadderConfigError for a broken configuration.
    """
    config = LadderConfig.from_mapping(plan.config)
    is_opening = config.range_source is RangeSource.OPENING_RANGE
    return OpeningWindow(day, config.opening_range_minutes) if is_opening else None


def _quantity(plan: Plan) -> Any:
    if plan.quantity is not None:
        return plan.quantity
    capital = plan.capital or Decimal(0)
    return lambda price: quantity_for(capital, price, plan.instrument.lot_size)
