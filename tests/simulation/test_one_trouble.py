"""Days that have one kind of trouble and no other: what a planted defect cannot hide behind."""

import pytest

from tests.evidence.plugin import Tally
from trading.simulation.day import play
from trading.simulation.weather import draw

DAYS = 6
KINDS = (
    ("F11", "F26"), ("F12", "F17"), ("F13",), ("F14", "F26"), ("F18", "F24"), ("F28",), ("F29", "F30"), ("F33",),
    ("F34",), ("F44",), ("F46",), ("F65",), ("F66",), ("F67",),
)  # fmt: skip


@pytest.mark.parametrize(
    "faults", [pytest.param(each, marks=pytest.mark.proves(*each), id="-".join(each)) for each in KINDS]
)
def test_days_of_one_trouble_break_no_invariant(faults: tuple[str, ...], tally: Tally) -> None:
    days = [play(seed, draw(seed, faults)) for seed in range(3000, 3000 + DAYS)]

    broken = {day.seed: [one.text for one in day.violations] for day in days if day.violations}
    tally.count(tried=DAYS, survived=DAYS - len(broken))
    assert broken == {}
    assert sum(any(day.struck.values()) for day in days) >= DAYS // 2
