"""Rules of scripted faults: what they match and what is refused."""

from typing import Any

import pytest

from trading.exchange.faults import Faults
from trading.exchange.faults.rules import TICK, UPDATE, Target

ORDER = Target("POST", "/orders/regular", "AB1001", "simkeyab1001")


@pytest.mark.parametrize(
    ("match", "hits"),
    [
        ({}, True),
        ({"method": "post"}, True),
        ({"method": "GET"}, False),
        ({"path": "/orders"}, True),
        ({"path": "/order$"}, False),
        ({"path": "^/orders/reg"}, True),
        ({"path": "^/orders$"}, False),
        ({"user_id": "AB1002"}, False),
        ({"api_key": "simkeyab1001", "user_id": "AB1001"}, True),
        ({"method": "UPDATE"}, False),
    ],
)
def test_a_rule_matches_by_method_path_user_and_key(match: dict[str, str], *, hits: bool) -> None:
    faults = Faults()
    faults.add({"match": match, "action": "delay"})

    assert (faults.pick(ORDER, "before_accept") is not None) is hits


def test_a_rule_strikes_only_in_its_phase() -> None:
    faults = Faults()
    faults.add({"action": "rst", "phase": "after_accept"})

    assert faults.pick(ORDER, "before_accept") is None
    assert faults.pick(ORDER, "reply") is None
    assert faults.pick(ORDER, "after_accept") is not None


def test_socket_messages_are_hit_only_when_named() -> None:
    faults = Faults()
    faults.add({"action": "drop"})
    assert faults.pick(Target(UPDATE, "/updates", "AB1001"), "reply") is None
    faults.add({"action": "drop", "match": {"method": "TICK"}})

    assert faults.pick(Target(UPDATE, "/updates", "AB1001"), "reply") is None
    assert faults.pick(Target(TICK, "/ticks", "AB1001"), "reply") is not None


@pytest.mark.parametrize(
    "rule",
    [
        {},
        {"action": "explode"},
        {"action": "drop", "phase": "later"},
        {"action": "drop", "prob": 1.5},
        {"action": "drop", "n": -1},
        {"action": "drop", "often": 3},
        {"action": "drop", "match": {"colour": "red"}},
        {"action": "drop", "match": {"path": "^("}},
        {"action": "dup", "match": {"method": "POST"}},
        {"action": "rst", "match": {"method": "UPDATE"}},
        {"action": "drop", "n": 1.5},
        {"action": "drop", "n": float("inf")},
        {"action": "delay", "seconds": float("inf")},
        {"action": "drop", "prob": float("nan")},
        {"action": "status", "status": 99},
        {"action": "body", "content_type": "text/html\r\nX-Forged: 1"},
        {"action": "drop", "match": [1]},
        "drop",
        5,
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(rule: Any) -> None:
    faults = Faults()

    with pytest.raises(ValueError, match=r"must be|may have|regular expression|cannot be done"):
        faults.add(rule)
    assert faults.rules == {}


def test_a_refused_rule_does_not_change_the_chances_of_the_next_one() -> None:
    undisturbed, disturbed = Faults(), Faults()
    for faults in (undisturbed, disturbed):
        if faults is disturbed:
            with pytest.raises(ValueError, match="action must be"):
                faults.add({"action": "explode"})
        faults.add({"action": "delay", "prob": 0.5})

    struck = [[faults.pick(ORDER, "before_accept") is None for _ in range(30)] for faults in (undisturbed, disturbed)]

    assert struck[0] == struck[1]
