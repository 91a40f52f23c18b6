"""Where a ladder stands: its levels, and the sentence that says it."""

from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from trading.domain.errors import TradingError
from trading.domain.ladder_config import STEPS, LadderConfig
from trading.domain.ladder_levels import compute_levels, why_not_traded
from trading.domain.money import format_scaled, grouped
from trading.domain.orders import Purpose
from trading.models import Client, DayRange, LadderState, OrderIntentRow, WatchItem
from trading.stores.calendar import previous_session


@dataclass(frozen=True, slots=True)
class ItemLevels:
    """Both sides' levels of a watched instrument today; None with a reason where there are none."""

    levels: dict[str, dict[str, Any]] | None
    why_not: str
    day_range: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class LadderPlace:
    """Where an open position stands: `k` targets reached, stop in force Y`y` in rupees as text."""

    side: str
    k: int
    stop: str
    entered: int

    @property
    def y(self) -> int:
        """The number of the stop in force."""
        return self.k + 1


def levels_of(item: WatchItem, day: date, ranges: dict[int, DayRange] | None = None) -> ItemLevels:
    """Compute the day's levels of a watched instrument from the last session's range."""
    known = last_ranges([item], day) if ranges is None else ranges
    found = known.get(item.instrument_id)
    if found is None:
        return ItemLevels(None, "the last session's range is not known yet")
    span = (str(found.high), str(found.low))
    try:
        of_strategy = {} if item.mapping is None else item.mapping.strategy.config
        config = LadderConfig.from_mapping({**of_strategy, **item.config})
        levels = compute_levels(config, high=found.high, low=found.low, tick_size=item.instrument.tick_size)
    except (TradingError, ValueError) as error:
        return ItemLevels(None, str(error), span)
    reason = why_not_traded(levels, config) if found.high > found.low else "range_too_small"
    return ItemLevels(levels.as_dict(), (reason or "").replace("_", " "), span)


def last_ranges(items: "list[WatchItem]", day: date) -> dict[int, DayRange]:
    """Give what the instruments did on the last session before `day`, by instrument id."""
    session = previous_session(day)
    if session is None:
        return {}
    wanted = [item.instrument_id for item in items]
    return {row.instrument_id: row for row in DayRange.objects.filter(day=session, instrument__in=wanted)}


def places(client: Client, day: date) -> dict[tuple[str, str], LadderPlace]:
    """Give where each open ladder of a client stands, by account key and instrument."""
    found = {}
    for row in LadderState.objects.filter(account__owner=client.user_id, day=day).select_related("account"):
        position = (row.snapshot.get("ladder") or {}).get("position")
        if position:
            stop, entered = format_scaled(int(position["stop"])), int(position["entered"])
            place = LadderPlace(str(position["side"]), int(position["k"]), stop, entered)
            found[(row.account.key, row.instrument)] = place
    return found


def decided_levels(client: Client, day: date) -> dict[tuple[str, str, str], dict[str, Any]]:
    """Give the levels under which each entry of the day was decided, by account key, instrument and order side."""
    entries = OrderIntentRow.objects.filter(client=client, day=day, purpose=Purpose.ENTRY).select_related("account")
    return {
        (row.account.key, row.instrument, row.side): row.reason["levels"]
        for row in entries.order_by("id")
        if row.reason.get("levels")
    }


def sentence_of(place: LadderPlace, *, open_units: int, ltp: Decimal | None) -> str:
    """Say where a position stands, for screen readers and for those who read: the strip in words."""
    stop = Decimal(place.stop)
    away = "" if ltp is None or ltp <= 0 else f", {_percent(abs(ltp - stop) / ltp * 100)} % away"
    return (
        f"{place.side}, T{place.k} of {STEPS} reached, stop Y{place.y} at {grouped(stop)}{away}, "
        f"{open_units} of {max(place.entered, open_units)} open"
    )


def _percent(value: Decimal) -> str:
    return str(value.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP))
