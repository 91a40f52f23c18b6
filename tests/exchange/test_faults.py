"""Rules of scripted faults: what they match and what is refused."""

from datetime import time, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.exchange.fakes import DAY, Times
from trading.exchange.faults import journal
from trading.exchange.faults.engine import Faults
from trading.exchange.faults.journal import Journal
from trading.exchange.faults.rules import TICK, UPDATE, Target
from trading.exchange.faults.scripts import parse_wish

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
        {"action": "drop", "match": {"method": "PATCH"}},
        {"action": "drop", "at": "noon"},
        {"action": "drop", "at": "15:08:00.5"},
        {"action": "drop", "at": {"from": "15:22", "until": "15:08"}},
        {"action": "drop", "at": {"since": "15:22"}},
        {"action": "drop", "every": 0},
        {"action": "drop", "after": -1},
        {"action": "drop", "every_s": 3},
        {"action": "drop", "schedule": [37]},
        {"action": "drop", "match": {"instrument": "NSE:INFY"}},
        {"action": "reject", "match": {"method": "POST"}},
        {"action": "fill"},
        {"action": "fill", "schedule": [101]},
        {"action": "lock"},
        {"action": "lock", "match": {"instrument": "NSE:INFY"}, "kind": "sideways"},
        {"action": "trade", "match": {"user_id": "AB1001"}},
        {"action": "close", "n": 3},
        {"action": "close", "every_s": 0},
        {"action": "status", "match": {"method": "TICK"}},
        "drop",
        5,
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(rule: Any) -> None:
    faults = Faults()

    with pytest.raises(ValueError, match=r"must be|must end|may have|regular expression|cannot be done|must name"):
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


def struck(faults: Faults, times: int, target: Target = ORDER) -> str:
    """Ask so often and give a letter each: x for a strike."""
    return "".join("." if faults.pick(target, "before_accept") is None else "x" for _ in range(times))


@pytest.mark.parametrize(
    ("when", "pattern"),
    [
        ({}, "xxxxxx"),
        ({"n": 2}, "xx...."),
        ({"after": 2}, "..xxxx"),
        ({"after": 2, "n": 1}, "..x..."),
        ({"every": 3}, "x..x.."),
        ({"after": 1, "every": 2, "n": 2}, ".x.x.."),
    ],
)
def test_a_rule_passes_over_the_first_requests_and_strikes_every_so_many(when: dict[str, int], pattern: str) -> None:
    faults = Faults()
    faults.add({"action": "status", **when})

    assert struck(faults, 6) == pattern


def test_only_what_a_rule_is_about_counts_for_it() -> None:
    faults = Faults()
    faults.add({"action": "status", "after": 1, "match": {"user_id": "AB1001"}})

    assert struck(faults, 3, Target("POST", "/orders/regular", "AB1002")) == "..."
    assert struck(faults, 2) == ".x"


@pytest.mark.parametrize(
    ("at", "struck_at"),
    [
        ("10:30", ["10:30:00", "15:00:00"]),
        ({"from": "10:00:00", "until": "10:30:00"}, ["10:00:00", "10:29:59"]),
        ({"until": "10:00"}, ["09:59:59"]),
    ],
)
def test_a_rule_holds_in_its_span_of_the_market_day(at: Any, struck_at: list[str]) -> None:
    times = Times()
    faults = Faults(now_ms=times.now_ms)
    faults.add({"action": "status", "at": at})
    found = []
    for moment in ("09:59:59", "10:00:00", "10:29:59", "10:30:00", "15:00:00"):
        times.go_to(time.fromisoformat(moment))
        if struck(faults, 1) == "x":
            found.append(moment)

    assert found == struck_at


def test_a_rule_for_some_seconds_ends_that_long_after_its_first_strike() -> None:
    times = Times()
    faults = Faults(now_ms=times.now_ms, monotonic=times.monotonic)
    faults.add({"action": "status", "for_s": 30})
    times.wire_s += 1000
    first = struck(faults, 1)
    times.wire_s += 29.9
    last = struck(faults, 1)
    times.wire_s += 0.1

    assert (first, last, struck(faults, 1)) == ("x", "x", ".")


def test_a_script_may_go_on_rule_by_rule() -> None:
    faults = Faults()
    wish = {"script": "two then one", "mode": "sequence", "rules": [{"action": "rst", "n": 2}, {"action": "status"}]}
    faults.enforce(parse_wish(wish, faults.scripts()))

    actions = [rule.action for _ in range(4) if (rule := faults.pick(ORDER, "before_accept"))]

    assert actions == ["rst", "rst", "status", "status"]


def test_a_scripts_account_and_time_hold_for_all_its_rules_and_its_name_takes_it_out() -> None:
    faults = Faults()
    rules = [{"action": "rst"}, {"action": "drop", "match": {"method": "TICK"}}]
    faults.enforce(parse_wish({"script": "S", "user_id": "AB1002", "at": "10:00", "rules": rules}, set()))
    faults.add({"action": "delay"})

    assert [rule.match.get("user_id") for rule in faults.rules.values()] == ["AB1002", "AB1002", None]
    assert [rule.told().get("at") for rule in faults.rules.values()] == [{"from": "10:00:00"}] * 2 + [None]
    faults.remove_script("S")
    assert list(faults.rules) == [3]
    with pytest.raises(ValueError, match=r"rule_id must be one of \[3\], was 1"):
        faults.remove(1)


@pytest.mark.parametrize(
    ("wish", "says"),
    [
        ({"script": "", "rules": [{"action": "rst"}]}, "script must be a name"),
        ({"script": "S", "rules": []}, "rules must be a list"),
        ({"script": "S", "rules": [{"action": "rst"}, {"action": "explode"}]}, "action must be one of"),
        ({"script": "S", "mode": "mixed", "rules": [{"action": "rst"}]}, "mode must be one of together, sequence"),
        (
            {"script": "S", "mode": "sequence", "rules": [{"action": "rst"}] * 2},
            "rule 1 of a sequence must have an end",
        ),
        ({"script": "TAKEN", "rules": [{"action": "rst"}]}, "not in force already"),
        ({"script": "S", "colour": 1, "rules": [{"action": "rst"}]}, "a script had 'colour'"),
        ({"preset": "F99"}, "preset must be one of F01, F02"),
        ({"preset": "F22"}, "preset F22 needs instrument"),
        ({"preset": "F11", "colour": 1}, "a fault rule had 'colour'"),
    ],
)
def test_a_script_that_makes_no_sense_is_refused_whole(wish: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        parse_wish(wish, {"TAKEN"})


def kept(path: Path, times: Times) -> Faults:
    return Faults(now_ms=times.now_ms, monotonic=times.monotonic, journal=Journal(path))


def test_what_was_injected_and_what_is_in_force_survive_the_process(tmp_path: Path) -> None:
    path, times = tmp_path / "faults.jsonl", Times()
    first = kept(path, times)
    first.enforce(parse_wish({"preset": "F14", "user_id": "AB1001", "at": "09:00"}, set()))
    first.enforce(parse_wish([{"action": "delay", "after": 3, "n": 9}], set()))
    first.add({"action": "rst"})
    first.remove(8)
    placed = Target("POST", "/orders/regular", "AB1001", "simkeyab1001")
    assert first.pick(placed, "after_accept") is not None
    struck(first, 5)
    before = first.report()
    with path.open("a") as torn:  # nobody closed the file: the process was killed, in the middle of a line
        torn.write('{"what":"injected","numb')

    second = kept(path, times)

    assert second.report() == before
    assert second.add({"action": "rst"}) == 9
    assert [line["number"] for line in second.log({})] == [1, 2, 3]
    times.go_to(time(9, 30), DAY + timedelta(days=1))
    assert kept(path, times).rules == {}


def test_the_journal_is_bounded_and_still_knows_the_sums(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "KEPT", 10)
    path, times = tmp_path / "faults.jsonl", Times()
    faults = kept(path, times)
    faults.add({"action": "status"})
    struck(faults, 95)

    assert faults.journal.injections.maxlen == 10
    assert len(path.read_text().splitlines()) <= 22
    again = kept(path, times)
    assert again.report()["injected"] == {"status": 95}
    assert again.rules[1].injected == 95
    assert [line["number"] for line in again.log({})] == list(range(86, 96))


def test_the_log_is_asked_by_account_rule_and_number() -> None:
    faults = Faults()
    faults.add({"action": "status"})
    faults.add({"action": "drop", "match": {"method": "UPDATE"}})
    for user_id in ("AB1001", "AB1002", "AB1001"):
        faults.pick(Target("GET", "/orders", user_id), "before_accept")
    faults.pick(Target(UPDATE, "/updates", "AB1001"))

    assert [line["number"] for line in faults.log({"user_id": "AB1001"})] == [1, 3, 4]
    assert [line["number"] for line in faults.log({"user_id": "AB1001", "rule_id": "1"}, since=1)] == [3]
    assert [line["number"] for line in faults.log({}, most=2)] == [3, 4]


def test_a_kept_rule_that_nobody_understands_any_more_does_not_keep_the_exchange_from_starting(tmp_path: Path) -> None:
    path, times = tmp_path / "faults.jsonl", Times()
    first = kept(path, times)
    first.add({"action": "status"})
    path.write_bytes(path.read_bytes().replace(b'"action":"status"', b'"action":"explode"') + b"\xff\xfe\n[1]\n")

    second = kept(path, times)

    assert second.rules == {}
    assert second.add({"action": "rst"}) == 2
