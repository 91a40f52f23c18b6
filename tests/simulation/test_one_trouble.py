"""Days that have one kind of trouble and no other: what a planted defect cannot hide behind."""

import pytest

from tests.evidence.plugin import Tally
from trading.simulation.day import play
from trading.simulation.troubles import Trouble
from trading.simulation.weather import Weather, draw

DAYS = 6
KINDS = (
    ("F11", "F26"), ("F12", "F17"), ("F13",), ("F14", "F26"), ("F18", "F24"), ("F28",), ("F29", "F30"), ("F33",),
    ("F34",), ("F44",), ("F46",), ("F65",), ("F66",), ("F67",), ("F21", "F25"), ("F57",),
)  # fmt: skip
STOPS = (("F18", "F24"), ("F17", "F35"), ("F29", "F44"))


@pytest.mark.parametrize(
    "faults", [pytest.param(each, marks=pytest.mark.proves(*each), id="-".join(each)) for each in KINDS]
)
def test_days_of_one_trouble_break_no_invariant(faults: tuple[str, ...], tally: Tally) -> None:
    days = [play(seed, draw(seed, faults)) for seed in range(3000, 3000 + DAYS)]

    broken = {day.seed: [one.text for one in day.violations] for day in days if day.violations}
    tally.count(tried=DAYS, survived=DAYS - len(broken))
    assert broken == {}
    assert sum(any(day.struck.values()) for day in days) >= DAYS // 2


@pytest.mark.proves("I4", "I5", "F35")
def test_days_with_a_stop_at_the_exchange_break_no_invariant(tally: Tally) -> None:
    days = []
    for seed in range(3000, 3000 + DAYS):
        drawn = draw(seed, STOPS[seed % len(STOPS)])
        days.append(play(seed, Weather(drawn.troubles, drawn.shape._replace(stop_percent=1 + seed % 2))))

    broken = {day.seed: [one.text for one in day.violations] for day in days if day.violations}
    rested = sum(event.kind == "ORDER_UPDATED" and "TRIGGER" in str(event.data) for day in days for event in day.events)
    tally.count(tried=DAYS, survived=DAYS - len(broken))
    assert broken == {}
    assert rested >= DAYS // 2


@pytest.mark.proves("I14", "F46")
def test_a_holder_that_stands_still_between_gate_and_claim_claims_nothing_under_its_old_epoch() -> None:
    """It cannot be killed by its successor, and goes on after it was overtaken: only the claim's epoch is left."""
    stands = {"at": 20, "for_s": 40.0, "second": True, "may_kill": False, "armed": True}
    days = [play(seed, Weather((Trouble("F46", "freeze", stands),))) for seed in (1, 2, 3)]

    assert [one.text for day in days for one in day.violations] == []
    assert [day.struck["F46"] for day in days] == [1, 1, 1]
