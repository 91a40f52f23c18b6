"""What `stack` prints for programs, and how the commands find the running stack."""

import json
import os
from datetime import date
from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from algosystem.entry import prepare_environment, state_dir_option
from trading.domain.control import TradingState
from trading.services.running_stack import ProcessView, StackFile, StackView
from trading.services.summary import ClientFigures, HouseFigures
from trading.stack.options import StackOptions, add_arguments
from trading.stack.report import as_data, as_text

STACK = StackView(
    pid=4711,
    url="http://127.0.0.1:8000",
    started_at="2026-11-23T03:20:00+00:00",
    venue="exchange-3f2a",
    processes=(ProcessView("web", "running", 0, 77), ProcessView("strategy", "backing_off", 3)),
    environment={"REDIS_URL": "redis://:pw@127.0.0.1:5/0", "ALGO_VENUE": "demo"},
    sign_in=({"email": "asha@demo.local", "password": "pw", "role": "client"},),
)
HOUSE = HouseFigures(
    market_time="2026-11-23T10:42:07+05:30",
    phase="open",
    feed_age_s=0.25,
    clients=(ClientFigures("asha@demo.local", TradingState.ACTIVE, 2, 7, Decimal("1234.50"), Decimal("-20.05")),),
)


def test_the_json_has_exactly_the_promised_shape() -> None:
    assert as_data(STACK, HOUSE) == {
        "processes": [
            {"name": "web", "state": "running", "restarts": 0},
            {"name": "strategy", "state": "backing_off", "restarts": 3},
        ],
        "market": {"time": "2026-11-23T10:42:07+05:30", "phase": "open"},
        "feed": {"age_s": 0.25},
        "clients": [
            {
                "email": "asha@demo.local",
                "state": "ACTIVE",
                "open_positions": 2,
                "orders": 7,
                "realised_pnl": "1234.50",
                "unrealised_pnl": "-20.05",
            }
        ],
    }


def test_a_person_sees_the_same_and_an_unknown_time_is_not_a_crash() -> None:
    nobody = HouseFigures(None, None, None, ())

    assert "asha@demo.local" in as_text(STACK, as_data(STACK, HOUSE))
    assert "market unknown" in as_text(STACK, as_data(STACK, nobody))


def run_here(state_dir: Path) -> StackFile:
    file = StackFile(state_dir)
    file.lock()
    file.write(STACK)
    return file


@pytest.mark.django_db
def test_summary_adds_the_sign_ins_and_status_does_not(state_dir: Path, redis_url: str) -> None:
    kept = run_here(state_dir)

    answers = {}
    for action in ("status", "summary"):
        out = StringIO()
        call_command("stack", action, "--json", stdout=out)
        answers[action] = json.loads(out.getvalue())

    assert kept.is_running()
    assert "sign_in" not in answers["status"]
    assert answers["summary"]["sign_in"] == [dict(person) for person in STACK.sign_in]


@pytest.mark.parametrize("action", ["status", "summary", "check", "stop"])
def test_without_a_running_stack_the_sentence_says_so(
    state_dir: Path, action: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REDIS_URL", raising=False)

    with pytest.raises(CommandError, match="No stack is running in"):
        call_command("stack", action)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["manage.py", "stack", "status"], None),
        (["manage.py", "stack", "status", "--state-dir", "a"], "a"),
        (["manage.py", "run_stack", "--state-dir=b", "--fresh"], "b"),
    ],
)
def test_the_state_directory_is_read_before_argparse(words: list[str], expected: str | None) -> None:
    assert state_dir_option(words) == expected


@pytest.fixture
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ALGO_STATE_DIR", "REDIS_URL", "ALGO_VENUE", "DJANGO_SETTINGS_MODULE"):
        monkeypatch.setenv(name, os.environ.get(name, ""))  # put back at the end
        monkeypatch.delenv(name)


@pytest.mark.usefixtures("_own_environment")
def test_stack_and_kill_follow_the_running_stack_and_others_only_where_nothing_is_set(tmp_path: Path) -> None:
    kept = run_here(tmp_path)
    os.environ["REDIS_URL"] = "redis://elsewhere/0"

    prepare_environment(["manage.py", "shell", "--state-dir", str(tmp_path)])
    shell = (os.environ["REDIS_URL"], os.environ["ALGO_VENUE"])
    prepare_environment(["manage.py", "kill", "--all", "--state-dir", str(tmp_path)])

    assert kept.is_running()
    assert shell == ("redis://elsewhere/0", "demo")
    assert os.environ["REDIS_URL"] == STACK.environment["REDIS_URL"]
    assert os.environ["ALGO_STATE_DIR"] == str(tmp_path)


@pytest.mark.usefixtures("_own_environment")
def test_a_command_that_a_test_starts_has_the_products_settings(tmp_path: Path) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"

    prepare_environment(["manage.py", "run_exchange", "--state-dir", str(tmp_path)])

    assert os.environ["DJANGO_SETTINGS_MODULE"] == "algosystem.settings"


@pytest.mark.usefixtures("_own_environment")
def test_run_stack_never_joins_another(tmp_path: Path) -> None:
    kept = run_here(tmp_path)

    prepare_environment(["manage.py", "run_stack", "--state-dir", str(tmp_path)])

    assert kept.is_running()
    assert "REDIS_URL" not in os.environ


def parsed(*words: str) -> StackOptions:
    from django.core.management.base import CommandParser

    parser = CommandParser(called_from_command_line=False)
    add_arguments(parser)
    return StackOptions.from_command(vars(parser.parse_args(words)), state_dir=Path("/state"))


def test_options_have_the_promised_defaults() -> None:
    options = parsed()

    assert (options.speed, options.pace, options.has_exchange, options.is_fresh, options.port) == (
        60,
        "hold",
        True,
        False,
        None,
    )


def test_the_markets_options_reach_the_exchange(tmp_path: Path) -> None:
    options = parsed("--speed", "600", "--pace", "free", "--day", "2026-11-23", "--seed", "9", "--bars", str(tmp_path))

    assert options.day == date(2026, 11, 23)
    words = options.exchange_arguments()
    assert words == [
        *("--speed", "600", "--pace", "free", "--day", "2026-11-23"),
        *("--seed", "9", "--bars", str(tmp_path)),
    ]


@pytest.mark.parametrize(
    "words", [["--speed", "0"], ["--speed", "601"], ["--pace", "slow"], ["--day", "23-11-2026"], ["--bars", "/no/such"]]
)
def test_junk_options_are_refused(words: list[str]) -> None:
    with pytest.raises(CommandError):
        parsed(*words)
