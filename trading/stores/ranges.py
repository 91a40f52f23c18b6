"""The reference range of each watched line on a day: one answer for the engine and for the pages."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from trading.domain.ladder_config import LadderConfig, LadderConfigError, RangeSource
from trading.domain.opening_range import OpeningRange as FoundRange
from trading.domain.opening_range import OpeningWindow
from trading.domain.reference_range import ReferenceRange
from trading.models import DayRange, InstrumentRow, OpeningRange, WatchItem
from trading.stores.calendar import previous_session

LONGEST_REASON = 200


class LineRange(NamedTuple):
    """A line's range, or why there is none (yet); `is_final` when there will be none today."""

    range: ReferenceRange | None = None
    why_not: str = ""
    is_final: bool = False


def line_config(item: WatchItem) -> Mapping[str, Any]:
    """Give what of the ladder differs from the defaults: the line's own settings over its strategy's."""
    of_strategy = {} if item.mapping is None else item.mapping.strategy.config
    return {**of_strategy, **item.config}


def line_ranges(items: Sequence[WatchItem], day: date) -> dict[int, LineRange]:
    """Give the range of each line by its key. Needs `instrument` and `mapping__strategy` loaded."""
    instruments = {item.instrument_id for item in items}
    last = _last_session(instruments, day)
    found = OpeningRange.objects.filter(day=day, instrument__in=instruments).select_related("instrument")
    opening = {(row.instrument_id, row.minutes): row.to_domain() for row in found}
    return {item.pk: _line_range(item, day, last.get(item.instrument_id), opening) for item in items}


def save_opening_range(day: date, found: FoundRange) -> FoundRange:
    """Keep what was found of a window unless somebody was first; gives what is kept.

    Raises InstrumentRow.DoesNotExist for an instrument that nobody watches.
    """
    exchange, _, symbol = found.instrument.partition(":")
    instrument = InstrumentRow.objects.get(broker=found.broker, exchange=exchange, tradingsymbol=symbol)
    row, _ = OpeningRange.objects.select_related("instrument").get_or_create(
        instrument=instrument,
        day=day,
        minutes=found.minutes,
        defaults={
            "high": found.high,
            "low": found.low,
            "source": found.told_by,
            "why_not": found.why_not[:LONGEST_REASON],
        },
    )
    return row.to_domain()


def _line_range(
    item: WatchItem, day: date, last: ReferenceRange | None, opening: Mapping[tuple[int, int], FoundRange]
) -> LineRange:
    try:
        config = LadderConfig.from_mapping(line_config(item))
    except LadderConfigError:
        return _of_last_session(last)  # whoever makes the ladder refuses it, with the reasons
    if config.range_source is RangeSource.OPENING_RANGE:
        return _of_window(OpeningWindow(day, config.opening_range_minutes), item.instrument_id, opening)
    if config.range_source is RangeSource.MANUAL:
        return _by_hand(config)
    return _of_last_session(last)


def _of_last_session(last: ReferenceRange | None) -> LineRange:
    return LineRange(last) if last else LineRange(why_not="the last session's range is not known yet")


def _of_window(window: OpeningWindow, instrument_id: int, opening: Mapping[tuple[int, int], FoundRange]) -> LineRange:
    found = opening.get((instrument_id, window.minutes))
    if found is None:
        return LineRange(why_not=f"the opening range ({window.words()}) is not known yet")
    return LineRange(found.reference(), found.why_not, is_final=bool(found.why_not))


def _by_hand(config: LadderConfig) -> LineRange:
    if config.manual_high is None or config.manual_low is None:
        return LineRange(why_not="no high and low are set for the range by hand")
    return LineRange(ReferenceRange(config.manual_high, config.manual_low, RangeSource.MANUAL))


def _last_session(instrument_ids: set[int], day: date) -> dict[int, ReferenceRange]:
    """Give what instruments did on the last session before `day`, by instrument."""
    session = previous_session(day)
    if session is None:
        return {}
    rows = DayRange.objects.filter(day=session, instrument__in=instrument_ids)
    return {row.instrument_id: _previous(row) for row in rows}


def _previous(row: DayRange) -> ReferenceRange:
    day = row.day.isoformat()
    return ReferenceRange(row.high, row.low, RangeSource.PREVIOUS_DAY, day, day, row.source)
