"""The command that runs any folder of worked cases."""

import json
from io import StringIO
from pathlib import Path
from shutil import copy

import pytest
from django.core.management import CommandError, call_command

VECTORS = Path(__file__).parent / "vectors"
CASE = VECTORS / "edge_break_even_after_T1.json"


def test_a_folder_of_passing_cases_is_counted() -> None:
    out = StringIO()

    call_command("run_vectors", str(VECTORS), stdout=out)

    assert out.getvalue().splitlines()[-1] == "30 passed, 0 failed"


def test_a_failing_case_exits_1_and_names_the_first_event_that_differs(tmp_path: Path) -> None:
    case = json.loads(CASE.read_text())
    case["expected"]["events"][0]["quantity"] = 7
    (tmp_path / "wrong.json").write_text(json.dumps(case))
    copy(CASE, tmp_path / "right.json")
    out = StringIO()

    with pytest.raises(SystemExit) as stopped:
        call_command("run_vectors", str(tmp_path), stdout=out)

    assert stopped.value.code == 1
    assert "wrong.json: event 1: expected" in out.getvalue()
    assert out.getvalue().splitlines()[-1] == "1 passed, 1 failed"


def test_a_path_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="missing does not exist"):
        call_command("run_vectors", str(tmp_path / "missing"))


def test_a_folder_without_cases_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="holds no"):
        call_command("run_vectors", str(tmp_path))


@pytest.mark.parametrize(
    ("text", "message"), [("{", "is no JSON file"), ("[]", "is no ladder vector"), ("{}", "is no ladder vector: lacks")]
)
def test_a_malformed_file_is_an_error(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "bad.json"
    file.write_text(text)

    with pytest.raises(CommandError, match=message):
        call_command("run_vectors", str(file))
