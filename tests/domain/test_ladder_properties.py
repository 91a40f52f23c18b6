"""What holds for every path of prices and every configuration."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.domain.ladders import make_ladder
from trading.domain.ladder import Ladder
from trading.domain.ladder_events import Entry, SquareOff, Stop, TargetReached, TickEvent, Trail
from trading.domain.money import to_scaled

OPEN, LAST = 9 * 3600 + 15 * 60, 15 * 3600 + 20 * 60
Path = list[tuple[int, int]]

configs = st.fixed_dictionaries(
    {
        "sides": st.sampled_from(["both", "long", "short"]),
        "trigger": st.sampled_from(["cross", "level"]),
        "rearm": st.sampled_from(["flat", "any"]),
        "max_entries_per_side": st.integers(1, 4),
        "booking_fractions": st.sampled_from(
            [["0.1"] * 10, ["0.5", "0.5", *["0"] * 8], ["0"] * 9 + ["1"], ["0.25", "0", "0.25", "0.5", *["0"] * 6]]
        ),
    }
)
LADDER = make_ladder().levels
assert LADDER is not None
LEVELS = [price for side in (LADDER.long, LADDER.short) for price in (side.entry, *side.targets, *side.stops)]
# Prices of 94 to 115 rupees around the levels of both sides, and the smallest steps beside a level.
prices = st.one_of(
    st.integers(0, 420).map(lambda n: to_scaled(Decimal(94) + Decimal(n) * Decimal("0.05"))),
    st.builds(lambda level, off: level + off, st.sampled_from(LEVELS), st.integers(-1, 1)),
)
paths = st.lists(st.tuples(st.integers(OPEN - 60, LAST), prices), max_size=60).map(
    lambda path: list(zip(sorted(second for second, _ in path), (price for _, price in path), strict=True))
)


def run(ladder: Ladder, path: Path) -> list[TickEvent]:
    return [event for second, price in path for event in ladder.on_tick(second, price)]


def run_with_idle_band(ladder: Ladder, path: Path) -> list[TickEvent]:
    """Show the ladder only the ticks that the engine's two comparisons let through."""
    events: list[TickEvent] = []
    low, high = ladder.bounds()
    for second, price in path:
        if low < price < high and second < ladder.square_off_second:
            continue
        events.extend(ladder.on_tick(second, price))
        low, high = ladder.bounds()
    return events


@settings(max_examples=300)
@given(config=configs, path=paths, quantity=st.integers(1, 40))
def test_skipping_ticks_inside_the_band_changes_no_decision(config: dict[str, Any], path: Path, quantity: int) -> None:
    every, few = make_ladder(quantity=quantity, **config), make_ladder(quantity=quantity, **config)

    assert run_with_idle_band(few, path) == run(every, path)
    assert few.snapshot()["position"] == every.snapshot()["position"]


@given(config=configs, path=paths, cut=st.integers(0, 60))
def test_a_restart_at_any_tick_changes_no_decision(config: dict[str, Any], path: Path, cut: int) -> None:
    whole, before, after = make_ladder(**config), make_ladder(**config), make_ladder(**config)

    events = run(before, path[:cut])
    after.restore(json.loads(json.dumps(before.snapshot())))
    events += run(after, path[cut:])

    assert events == run(whole, path)
    assert after.snapshot() == whole.snapshot()


@pytest.mark.proves("I4", "I25")
@given(config=configs, path=paths, quantity=st.integers(1, 40))
def test_exits_never_exceed_the_entry_and_stops_never_loosen(config: dict[str, Any], path: Path, quantity: int) -> None:
    open_quantity, stop = 0, 0
    for event in run(make_ladder(quantity=quantity, **config), path):
        match event:
            case Entry():
                assert open_quantity == 0
                open_quantity, stop = event.quantity, event.stop
            case TargetReached():
                assert 0 <= event.quantity <= open_quantity
                open_quantity -= event.quantity
            case Trail():
                assert event.from_stop == stop
                assert (event.to_stop - stop) * event.side.sign > 0
                assert event.open_quantity == open_quantity > 0
                stop = event.to_stop
            case Stop() | SquareOff():
                assert event.quantity == open_quantity > 0
                open_quantity = 0


@pytest.mark.proves("I4")
@given(filled=st.integers(1, 60), path=paths, cut=st.integers(0, 20))
def test_whatever_filled_leaves_exactly_once(filled: int, path: Path, cut: int) -> None:
    ladder = make_ladder(quantity=60, sides="long", trigger="level")
    ladder.on_tick(OPEN, to_scaled(Decimal("108.10")))
    exits = [event for event in run(ladder, path[:cut]) if not isinstance(event, Trail)]
    was_open = ladder.position_side is not None

    ladder.entry_filled(filled)
    exits += [event for event in run(ladder, path[cut:]) if not isinstance(event, Trail | Entry)]
    left = ladder.open_quantity

    gone = sum(event.quantity for event in exits if isinstance(event, TargetReached | Stop | SquareOff))
    if was_open:
        assert gone + left == max(filled, gone)
