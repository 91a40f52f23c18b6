"""Real processes under fire: after every trouble the exchange and the database agree, and I1, I4, I9, I14, I17 hold.

`--chaos-rounds N` tries everything N times as often, `--chaos-seed S` in another order.
"""

import pytest

from tests.chaos.tour import Tour
from tests.chaos.troubles import BOTH, POSTGRESQL, TROUBLES, Trouble
from tests.evidence.plugin import Tally
from tests.told import Tell
from trading.engine.crash_points import POINTS

pytestmark = [pytest.mark.processes, pytest.mark.timeout(7200)]
"""The first test waits for the stacks, and for whatever the seed puts before its own trouble."""

TRIALS = [
    pytest.param(
        database,
        trouble,
        id=f"{database}-{trouble.name.replace(', ', '+').replace(' ', '_')}",
        marks=[pytest.mark.proves(*trouble.proves), *([pytest.mark.postgres] if database == POSTGRESQL else [])],
    )
    for database in BOTH
    for trouble in TROUBLES
    if database in trouble.databases
]


def test_every_named_crash_point_is_died_at_on_each_database() -> None:
    for database in BOTH:
        hits = {point for trouble in TROUBLES if database in trouble.databases for point in trouble.points}

        assert hits == POINTS


@pytest.mark.parametrize(("database", "trouble"), TRIALS)
def test_nothing_is_lost_or_doubled(
    tours: dict[str, Tour], database: str, trouble: Trouble, tally: Tally, tell: Tell
) -> None:
    outcome = tours[database].outcome(trouble.name)

    took = " ".join(f"{seconds:.1f}" for seconds in outcome.seconds)
    tell(f"{database:<11} {trouble.name:<45} {len(outcome.seconds)}/{outcome.wanted}  {took} s")
    tally.count(tried=outcome.tried, survived=len(outcome.seconds))
    if outcome.failure:
        pytest.fail(outcome.failure, pytrace=False)
