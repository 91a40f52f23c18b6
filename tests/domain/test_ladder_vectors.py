"""Every worked case of the strategy paper: the hand-sized ones kept here, all where the papers lie beside us."""

import json
from pathlib import Path
from typing import Any

import pytest

from trading.domain.vectors import VectorError, first_difference, run_vector

OURS = Path(__file__).parent / "vectors"
PAPERS = Path(__file__).parents[2].parent / "shared" / "spec" / "vectors"


def load(file: Path) -> dict[str, Any]:
    case: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return case


@pytest.mark.parametrize("file", sorted(OURS.glob("*.json")), ids=lambda file: file.stem)
def test_the_ladder_decides_as_the_worked_case_says(file: Path) -> None:
    case = load(file)

    assert first_difference(case, run_vector(case)) is None


def test_all_hand_sized_cases_are_kept_here() -> None:
    assert len(list(OURS.glob("edge_*.json"))) == 30


@pytest.mark.skipif(not PAPERS.is_dir(), reason="the folder of all worked cases does not lie beside the project")
def test_the_ladder_decides_as_all_cases_beside_the_project_say() -> None:
    files = sorted(PAPERS.glob("*.json"))

    differences = {file.stem: first_difference(load(file), run_vector(load(file))) for file in files}

    assert len(files) >= 114
    assert {name: text for name, text in differences.items() if text} == {}


def test_a_changed_event_is_named_with_its_number() -> None:
    case = load(OURS / "edge_break_even_after_T1.json")
    case["expected"]["events"][1]["level"] = "1.00"

    difference = first_difference(case, run_vector(case))

    assert difference is not None
    assert difference.startswith("event 2: expected {'event': 'TARGET'")


def test_a_missing_and_a_surplus_event_are_both_differences() -> None:
    case = load(OURS / "edge_break_even_after_T1.json")
    result = run_vector(case)
    events = case["expected"]["events"]

    case["expected"]["events"] = events[:-1]
    surplus = first_difference(case, result)
    case["expected"]["events"] = [*events, events[-1]]
    missing = first_difference(case, result)

    assert surplus is not None
    assert "expected no further event" in surplus
    assert missing is not None
    assert missing.endswith("got no further event")


def test_a_wrong_level_and_a_wrong_profit_are_differences() -> None:
    case = load(OURS / "edge_break_even_after_T1.json")
    result = run_vector(case)

    case["expected"]["realised_pnl"] = "0.49"
    profit = first_difference(case, result)
    case["expected"]["levels"]["short"]["entry"] = "100.85"
    level = first_difference(case, result)

    assert profit == "realised_pnl: expected 0.49, got 0.50"
    assert level == "levels: short entry: expected 100.85, got 100.90"


@pytest.mark.parametrize("key", ["instrument", "range", "quantity", "config", "ticks"])
def test_a_case_without_a_key_is_refused_by_name(key: str) -> None:
    case = load(OURS / "edge_break_even_after_T1.json")
    del case[key]

    with pytest.raises(VectorError, match=key):
        run_vector(case)
