"""Where a ladder stands: its levels, and the sentence that says it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from trading.domain.errors import TradingError
from trading.domain.ladder_config import STEPS, LadderConfig
from trading.domain.ladder_levels import compute_levels, why_not_traded
from trading.domain.money import format_scaled, grouped
from trading.domain.orders import Purpose
from trading.domain.reference_range import ReferenceRange
from trading.domain.sentences import range_words as source_words
from trading.domain.sentences import rupees
from trading.models import Client, LadderState, OrderIntentRow, WatchItem
from trading.stores.ranges import LineRange, line_config, line_ranges


@dataclass(frozen=True, slots=True)
class ItemLevels:
    """Both sides' levels of a watched instrument today; None with a reason where there are none.

    `range_words` says where the range of the levels comes from, and what it is.
    """

    levels: dict[str, dict[str, Any]] | None
    why_not: str
    range_words: str = ""


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


def levels_of(item: WatchItem, day: date, ranges: Mapping[int, LineRange] | None = None) -> ItemLevels:
    """Compute the day's levels of a watched instrument from the range that its line is on, as the engine does.

    `ranges` are those of `line_ranges` by the line's key, read here when they are not given.
    """
    known = (line_ranges([item], day) if ranges is None else ranges)[item.pk]
    if known.range is None:
        return ItemLevels(None, known.why_not)
    words = range_words(known.range)
    high, low = known.range.high, known.range.low
    try:
        config = LadderConfig.from_mapping(line_config(item))
        levels = compute_levels(config, high=high, low=low, tick_size=item.instrument.tick_size)
    except (TradingError, ValueError) as error:
        return ItemLevels(None, str(error), words)
    reason = why_not_traded(levels, config) if high > low else "range_too_small"
    return ItemLevels(levels.as_dict(), (reason or "").replace("_", " "), words)


def range_words(known: ReferenceRange) -> str:
    """Say where a range comes from and what it is: `previous session, 20 Nov 2026: 1,450.00 to 1,500.00`."""
    told = known.as_dict()
    return f"{source_words(told)}: {rupees(told['low'])} to {rupees(told['high'])}"


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
