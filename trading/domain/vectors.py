"""Runs one worked case of the ladder (the JSON form of docs/ladder.md) and names the first difference."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import time
from decimal import Decimal
from typing import Any

from trading.domain.ladder import Ladder
from trading.domain.ladder_config import LadderConfig
from trading.domain.ladder_events import Entry, LadderEvent, SquareOff, Stop, TargetReached
from trading.domain.money import PAISA, from_scaled, to_decimal, to_paisa, to_scaled
from trading.domain.timezone import second_of_day


class VectorError(ValueError):
    """The file is no worked case: a key is missing or has no usable value."""


@dataclass(frozen=True, slots=True)
class VectorResult:
    """What the ladder made of a case, in the form of its `expected`."""

    levels: dict[str, dict[str, object]] | None
    events: list[dict[str, Any]]
    realised_pnl: str


def run_vector(case: Mapping[str, Any]) -> VectorResult:
    """Feed a case's ticks to a ladder. Raises VectorError when the case cannot be read."""
    try:
        ladder = _build(case)
        ticks = [(second_of_day(time.fromisoformat(at)), to_scaled(to_decimal(price))) for at, price in case["ticks"]]
    except KeyError as error:
        raise VectorError(f"lacks {error}") from error
    except (TypeError, ValueError, AttributeError) as error:
        raise VectorError(str(error)) from error
    events: list[LadderEvent] = [ladder.not_traded] if ladder.not_traded else []
    for second, price in ticks:
        events.extend(ladder.on_tick(second, price))
    levels = ladder.levels.as_dict() if ladder.levels else None
    return VectorResult(levels, [event.as_dict() for event in events], str(to_paisa(realised_pnl(events))))


def realised_pnl(events: Sequence[LadderEvent]) -> Decimal:
    """Give the rupees that the exits earned when every order fills at its tick's price; no charges."""
    total, entry = Decimal(0), 0
    for event in events:
        if isinstance(event, Entry):
            entry = event.ltp
        elif isinstance(event, TargetReached | Stop | SquareOff):
            total += from_scaled(event.ltp - entry) * event.quantity * event.side.sign
    return total


def first_difference(case: Mapping[str, Any], result: VectorResult) -> str | None:
    """Say in one sentence where the result first leaves the case's `expected`; None when it does not."""
    try:
        expected = case["expected"]
        events, levels, pnl = list(expected["events"]), expected["levels"], to_decimal(expected["realised_pnl"])
    except (KeyError, TypeError, ValueError) as error:
        raise VectorError(f"expected lacks {error}") from error
    for number, (wanted, got) in enumerate(zip(events, result.events, strict=False), 1):
        if wanted != got:
            return f"event {number}: expected {wanted}, got {got}"
    shorter = min(len(events), len(result.events))
    if len(events) > shorter:
        return f"event {shorter + 1}: expected {events[shorter]}, got no further event"
    if len(result.events) > shorter:
        return f"event {shorter + 1}: expected no further event, got {result.events[shorter]}"
    if levels != result.levels:
        return f"levels: {_first_level(levels, result.levels)}"
    if pnl.quantize(PAISA) != Decimal(result.realised_pnl):
        return f"realised_pnl: expected {pnl}, got {result.realised_pnl}"
    return None


def _build(case: Mapping[str, Any]) -> Ladder:
    instrument, day_range, quantity = case["instrument"], case["range"], case["quantity"]
    if isinstance(quantity, bool) or not isinstance(quantity, int):
        raise ValueError(f"quantity must be a whole number, was {quantity!r}")
    return Ladder(
        LadderConfig.from_mapping(case["config"]),
        high=to_decimal(day_range["high"]),
        low=to_decimal(day_range["low"]),
        tick_size=to_decimal(instrument["tick_size"]),
        lot_size=instrument["lot_size"],
        quantity=quantity,
    )


def _first_level(wanted: Any, got: dict[str, dict[str, object]] | None) -> str:
    if got is None or not isinstance(wanted, Mapping):
        return f"expected {wanted}, got {got}"
    for side, levels in got.items():
        for name, value in levels.items():
            expected = wanted.get(side, {}).get(name)
            if expected != value:
                return f"{side} {name}: expected {expected}, got {value}"
    return f"expected {wanted}, got {got}"
