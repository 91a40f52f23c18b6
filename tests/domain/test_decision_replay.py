"""Whole simulated days, with crashes and sick brokers: the log alone says why, and a changed word is noticed."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.domain.chained import as_chains
from tests.evidence.plugin import Tally
from trading.domain.calendar import MarketCalendar
from trading.domain.chains import LogLine
from trading.domain.decision_replay import DecisionReplay
from trading.domain.timezone import at_ist, ist_day
from trading.simulation.day import DayResult, play

SEEDS = (27, 101)
"""27: the engine is killed and a plan changes while a position is open."""
CALENDAR = MarketCalendar.load()


@pytest.fixture(scope="module")
def days() -> list[DayResult]:
    return [play(seed) for seed in SEEDS]


def wrong_in(lines: list[LogLine]) -> list[str]:
    replay = DecisionReplay(CALENDAR)
    return [text for line in lines for text in replay.take(line)] + list(replay.end())


def chains(days: list[DayResult]) -> Iterator[list[LogLine]]:
    for day in days:
        yield from as_chains(day.events).values()


@pytest.mark.proves("I8", "I20", database="none")
def test_every_decision_and_verdict_of_a_simulated_day_follows_from_the_log(
    days: list[DayResult], tally: Tally
) -> None:
    for lines in chains(days):
        replay = DecisionReplay(CALENDAR)
        assert [text for line in lines for text in replay.take(line)] + list(replay.end()) == []
        tally.count(tried=replay.decisions + replay.verdicts, survived=replay.decisions + replay.verdicts)


@pytest.mark.proves("I8", database="none")
def test_the_entry_conditions_are_computed_anew_from_the_log_alone(days: list[DayResult], tally: Tally) -> None:
    """I8 by hand, without a function of the gate: session, cut-off, tick age, reconciled, ACTIVE, claimed."""
    left = 0
    for lines in chains(days):
        for line in lines:
            data = json.loads(line.body)
            if line.kind != "GATE" or data["purpose"] != "ENTRY" or not data["verdicts"][-1]["ok"]:
                continue
            facts = {verdict["check"]: verdict["facts"] for verdict in data["verdicts"]}
            now = datetime.fromisoformat(facts["tick"]["now"])
            day = ist_day(now)
            assert all(verdict["ok"] for verdict in data["verdicts"])
            assert at_ist(day, time(9, 15)) <= now < at_ist(day, time(15, 15))
            assert now < at_ist(day, time.fromisoformat(facts["cutoff"]["until"]))
            assert abs(now.timestamp() - facts["tick"]["exchange_ts"]) <= facts["tick"]["limit_s"] <= 3
            assert now - datetime.fromisoformat(facts["signal"]["decided_at"]) <= timedelta(seconds=10)
            assert facts["reconciled"]["why_not"] == facts["feed"]["trouble"] == ""
            assert {facts["claim"][name] for name in ("house", "client", "account")} == {"ACTIVE"}
            assert Decimal(facts["order_value"]["price"]) * facts["order_value"]["quantity"] <= Decimal(
                facts["order_value"]["limit"]
            )
            left += 1
    assert left > 0
    tally.count(tried=left, survived=left)


def changed(lines: list[LogLine], kind: str, change: Callable[[dict[str, Any]], object]) -> list[LogLine]:
    """Change the data of the last line of a kind for which `change` finds something to do."""
    for index in reversed(range(len(lines))):
        data = json.loads(lines[index].body)
        if lines[index].kind == kind and change(data) is not False:
            return [*lines[:index], replace(lines[index], body=json.dumps(data)), *lines[index + 1 :]]
    raise LookupError(kind)


def set_verdict(check: str, **facts: Any) -> Callable[[dict[str, Any]], object]:
    def change(data: dict[str, Any]) -> object:
        if data["purpose"] != "ENTRY" or not data["verdicts"][-1]["ok"]:
            return False
        return next(one for one in data["verdicts"] if one["check"] == check)["facts"].update(facts)

    return change


def drop_verdict(check: str) -> Callable[[dict[str, Any]], object]:
    def change(data: dict[str, Any]) -> object:
        if data["purpose"] != "ENTRY" or not data["verdicts"][-1]["ok"]:
            return False
        data["verdicts"] = [one for one in data["verdicts"] if one["check"] != check]
        return True

    return change


LIES: dict[str, tuple[str, Callable[[dict[str, Any]], object]]] = {
    "an entry below its level": ("ENTRY", lambda data: data["tick"].update(ltp="0.05")),
    "an entry of more than planned": ("ENTRY", lambda data: data.update(quantity=data["quantity"] * 100)),
    "an entry on the wrong side": (
        "ENTRY", lambda data: data.update(side="short" if data["side"] == "long" else "long")
    ),
    "a stop that loosens": ("TRAIL", lambda data: data.update(to=data["from"])),
    "a stop hit above its level": ("STOP", lambda data: data.update(level="0.05")),
    "a stop of fewer units": ("STOP", lambda data: data.update(quantity=data["quantity"] + 1)),
    "a target of another number": ("TARGET", lambda data: data.update(k=data["k"] + 1)),
    "levels of another range": ("ENTRY", lambda data: data["levels"].update(entry="1.00")),
    "a plan of another quantity": (
        "LADDER_PLANNED", lambda data: data.update(quantity=(data["quantity"] or 0) + 1000)
    ),
    "a stale tick": ("GATE", set_verdict("tick", exchange_ts=1)),
    "after the cut-off": ("GATE", set_verdict("cutoff", until="09:00:00")),
    "in a stopped house": ("GATE", set_verdict("claim", house="REDUCING")),
    "a value above the cap": ("GATE", set_verdict("order_value", limit="1")),
    "without being claimed under the lease": ("GATE", drop_verdict("lease")),
    "without a look at the session": ("GATE", drop_verdict("session")),
}  # fmt: skip


@pytest.mark.parametrize("lie", LIES)
def test_a_log_that_says_another_thing_than_it_was_decided_by_is_noticed(days: list[DayResult], lie: str) -> None:
    kind, change = LIES[lie]
    told = 0
    for lines in chains(days):
        try:
            false = changed(lines, kind, change)
        except LookupError:
            continue
        noticed = bool(wrong_in(false))
        assert noticed or kind == "LADDER_PLANNED"  # nothing may have been entered by that plan
        told += noticed
    assert told


def test_a_decision_that_is_missing_is_noticed(days: list[DayResult]) -> None:
    lines = max(chains(days), key=len)
    index = next(i for i, line in enumerate(lines) if line.kind == "TARGET")

    assert wrong_in([*lines[:index], *lines[index + 1 :]])
