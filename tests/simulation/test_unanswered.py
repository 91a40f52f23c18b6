"""Days on which calls to the database, its lease and the exit journal go wrong one by one."""

from random import Random

import pytest

from tests.evidence.plugin import Tally
from trading.simulation.day import play
from trading.simulation.troubles import Trouble
from trading.simulation.unanswered import HOWS, ORDER_CALLS, calls, drawn
from trading.simulation.weather import Weather, draw

DAYS = 8


@pytest.mark.proves("F40", "F42", "I1", "I17", "I25", database="none")
def test_days_whose_calls_go_unanswered_break_no_invariant(tally: Tally) -> None:
    days = []
    for seed in range(3000, 3000 + DAYS):
        rng = Random(f"{seed}:many unanswered")
        troubles = tuple(trouble for _ in range(4) for trouble in calls(rng))
        days.append(play(seed, Weather(troubles, draw(seed).shape)))

    broken = {day.seed: [one.text for one in day.violations] for day in days if day.violations}
    tally.count(tried=DAYS, survived=DAYS - len(broken))
    assert broken == {}
    assert sum(any(day.struck.values()) for day in days) >= DAYS - 2


@pytest.mark.proves("F40", database="none")
def test_a_database_that_is_unsure_leaves_some_commits_unanswered() -> None:
    day = play(3000, Weather((Trouble("F40", "store", {"from": 0, "until": 300, "how": "unsure"}),)))

    assert day.violations == ()
    assert day.struck["F40"] > 10


def test_every_call_of_an_order_goes_wrong_in_every_way_within_some_thousand_days() -> None:
    troubles = [one.values for seed in range(3000) for one in drawn(seed) if one.what == "unanswered"]

    found = {(one["call"], one["how"]) for one in troubles}
    assert {(call, how) for call in ORDER_CALLS for how in HOWS} <= found


def test_the_other_troubles_of_a_day_stay_what_they_were() -> None:
    with_some = [seed for seed in range(200) if drawn(seed) and draw(seed).troubles[-len(drawn(seed)) :] == drawn(seed)]

    assert len(with_some) > 10
