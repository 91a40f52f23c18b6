"""What `make evidence` makes of the results of tests."""

import ast
from pathlib import Path
from typing import Any

import pytest

from scripts.evidence import NO_TEST, is_good, put_in, rows_of
from scripts.evidence_page import page_of
from tests.chaos.troubles import TROUBLES
from tests.evidence.planted import load_plants
from tests.evidence.rows import Row, load_rows

TESTS = Path(__file__).parents[1]


def result(*rows: str, database: str = "none", passed: bool = True, **more: Any) -> dict[str, Any]:
    """Give what the plugin writes of one test."""
    return {"rows": list(rows), "database": database, "test": "tests/engine/a", "passed": passed, "skipped": "", **more}


def only(rows: list[Row], *results: dict[str, Any]) -> dict[str, Any]:
    (row,) = rows_of(rows, results, "abc")
    return row


F11 = Row("F11", "the answer is lost")


def test_a_test_is_one_trial_and_counts_as_survived_when_it_passes() -> None:
    row = only([F11], result("F11", "I1"), result("F11", passed=False), result("I1"))

    assert (row["tried"], row["survived"], row["skipped"], row["how"]) == (2, 1, None, "the engine on a virtual clock")
    assert not is_good(row)


def test_a_test_that_holds_many_trials_says_how_many() -> None:
    assert only([F11], result("F11", tally=[40, 39]))["survived"] == 39
    failed = only([F11], result("F11", passed=False, tally=[40, 40]))
    assert (failed["tried"], failed["survived"]) == (40, 39)


def test_a_fault_that_never_struck_counts_for_nothing() -> None:
    row = only([F11], result("F11", tally=[0, 0]))

    assert (row["tried"], row["survived"], is_good(row)) == (0, 0, False)
    assert only([F11], result("F11", passed=False, tally=[0, 0]))["tried"] == 1


def test_each_database_is_a_row_of_its_own() -> None:
    results = [result("F11", database="sqlite"), result("F11", database="postgresql", passed=False)]

    rows = list(rows_of([F11], results, "abc"))

    assert [(row["database"], row["survived"]) for row in rows] == [("sqlite", 1), ("postgresql", 0)]


def test_what_was_skipped_has_its_reason_and_did_not_survive() -> None:
    row = only([F11], result("F11", passed=False, skipped="no disk to fill"))

    assert (row["tried"], row["survived"], row["skipped"]) == (0, 0, "no disk to fill")


def test_a_row_without_a_test_or_a_reason_is_not_good() -> None:
    assert not is_good(only([F11]))
    assert is_good(only([Row("F11", "", {"none": "needs two machines"})]))


def test_a_defect_that_nothing_caught_is_not_good_and_the_page_says_so() -> None:
    planted = {"id": "P01", "what": "retry", "caught_by": []}

    assert not is_good(planted)
    assert "| P01 | retry | **nothing** |" in page_of([planted])


def test_an_unknown_database_in_the_table_is_refused(tmp_path: Path) -> None:
    table = tmp_path / "rows.toml"
    table.write_text('[F11]\nwhat = "lost"\nskipped = { oracle = "never" }\n')

    with pytest.raises(ValueError, match="the databases are sqlite, postgresql, none"):
        load_rows(table)


def test_a_patch_without_its_head_is_refused(tmp_path: Path) -> None:
    (tmp_path / "P99_silent.patch").write_text("What: something\n\n--- a/x\n+++ b/x\n")

    with pytest.raises(ValueError, match="at least one `Caught-by"):
        load_plants(tmp_path)


def test_a_part_that_no_test_shows_is_told_and_not_counted() -> None:
    rows = list(rows_of([Row("F47", "memory", not_tried="a limit of memory")], [result("F47")], "abc"))

    assert rows[0]["how"] == "the engine on a virtual clock; not tried: a limit of memory"
    assert "| F47 | memory | a part of it | a limit of memory |" in page_of(rows)
    assert "| F47 | memory | 1 / 1 |  |  | the engine on a virtual clock |" in page_of(rows)


def test_a_database_that_must_appear_and_does_not_is_a_hole() -> None:
    row = Row("F11", "", databases=("sqlite", "postgresql"))

    one, two = rows_of([row], [result("F11", database="sqlite")], "abc")

    assert (one["database"], is_good(one)) == ("sqlite", True)
    assert (two["database"], two["skipped"], is_good(two)) == ("postgresql", NO_TEST, False)


def test_the_page_puts_what_failed_and_what_was_not_tried_first() -> None:
    rows = [F11, Row("F42", "full", {"postgresql": "needs root"}), Row("I4", "never more out")]
    results = [result("F11", passed=False), result("F42", database="sqlite"), result("I4", tally=[1200, 1200])]

    page = page_of([*rows_of(rows, results, "abc"), {"id": "P01", "what": "retry", "caught_by": ["tests/a"]}])

    assert "**2 of 3** faults and rules survived every trial; F11 did not." in page
    assert "| F11 | the answer is lost | none | 0 of 1 |" in page
    assert "| F42 | full | postgresql | needs root |" in page
    assert "| F42 | full |  | 1 / 1 | not tried | the engine on a virtual clock |" in page
    assert "| I4 | never more out | 1,200 / 1,200 |  |  | the engine on a virtual clock |" in page
    assert page.index("What did not survive") < page.index("What was not tried") < page.index("## Orders")


def test_a_row_that_is_tried_again_takes_its_place_and_the_page_names_its_commit() -> None:
    rows = [F11, Row("F12", "the answer is late"), Row("I1", "written first")]
    standing = list(rows_of(rows, [result(row.id, passed=row.id != "F12") for row in rows], "abc"))
    anew = list(rows_of(rows[1:2], [result("F12"), result("F12", database="sqlite")], "def"))

    found = put_in(standing, anew)

    assert [(row["id"], row["survived"], row["commit"]) for row in found] == [
        *(("F11", 1, "abc"), ("F12", 1, "def"), ("F12", 1, "def"), ("I1", 1, "abc")),
    ]
    assert "at commit `abc`, F12 again at `def`;" in page_of(found)


def test_every_row_has_a_test_or_a_reason() -> None:
    numbers = {f"F{number:02}" for number in range(1, 70)} | {f"I{number}" for number in range(1, 28)}
    assert set(load_rows()) == numbers - {"F09", "F10", "I15", "I22"}

    without = set(load_rows()) - marked()

    assert {id_ for id_ in without if not load_rows()[id_].skipped} == set()


def marked() -> set[str]:
    """Give the rows that a test names in its marker, read from the source, or in the table of troubles."""
    return {row for trouble in TROUBLES for row in trouble.proves} | {
        part.value
        for path in TESTS.rglob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "proves"
        for part in node.args
        if isinstance(part, ast.Constant) and isinstance(part.value, str)
    }
