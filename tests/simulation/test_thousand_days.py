"""A thousand simulated days without one broken invariant, in which every fault struck and every rule was looked at."""

from typing import Any

import pytest

from tests.evidence.plugin import THOUSAND, Tally
from tests.simulation.conftest import WAITS_S
from trading.simulation.faults import FAULTS

pytestmark = pytest.mark.timeout(WAITS_S)

LEAST_STRIKES = 20
"""Days in which a fault was really in the way, of a thousand."""
LEAST_LOOKS = {"I5": 500, "I7": 100}
LOOKS = 1000
RULES = ("I1", "I2", "I3", "I4", "I5", "I6", "I7", "I8", "I9", "I10", "I11", "I12", "I13", "I14", "I16", "I17",
         "I18", "I19", "I23", "I25", "I27")  # fmt: skip


def least(wanted: int, days: int) -> int:
    """Give how much of what is wanted of a thousand days so many must have."""
    return wanted if days >= THOUSAND else wanted * days // THOUSAND // 2


def test_no_day_breaks_an_invariant(thousand_days: dict[str, Any], pytestconfig: pytest.Config) -> None:
    assert thousand_days["failing_seeds"] == []
    assert thousand_days["violations"] == 0
    assert thousand_days["days"] == pytestconfig.getoption("--simulated-days")


@pytest.mark.parametrize("fault", [pytest.param(each, marks=pytest.mark.proves(each)) for each in FAULTS])
def test_the_fault_strikes_often_and_is_survived(fault: str, thousand_days: dict[str, Any], tally: Tally) -> None:
    counted = thousand_days["faults"].get(fault, {"struck": 0, "survived": 0})
    tally.count(tried=counted["struck"], survived=counted["survived"])

    assert counted["struck"] >= least(LEAST_STRIKES, thousand_days["days"])
    assert counted["survived"] == counted["struck"]


@pytest.mark.parametrize("rule", [pytest.param(each, marks=pytest.mark.proves(each)) for each in RULES])
def test_the_rule_is_looked_at_and_holds(rule: str, thousand_days: dict[str, Any], tally: Tally) -> None:
    looked = thousand_days["looked"].get(rule, 0)
    broken = thousand_days["broken"].get(rule, 0)
    tally.count(tried=looked, survived=looked - broken)

    assert looked >= least(LEAST_LOOKS.get(rule, LOOKS), thousand_days["days"])
    assert broken == 0


@pytest.mark.proves("F41", "F43", "F46", "I14")
def test_a_standby_stands_in_for_a_dead_engine_often(thousand_days: dict[str, Any], tally: Tally) -> None:
    stood_in = thousand_days["looked"].get("I14 stands in", 0)
    tally.count(tried=stood_in, survived=stood_in - thousand_days["broken"].get("I14 stands in", 0))

    assert stood_in >= least(LEAST_STRIKES, thousand_days["days"])
