"""Simulated days: the same seed is the same day everywhere, and the command says what came of many."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from trading.simulation.day import play
from trading.simulation.weather import Weather, draw

ROOT = Path(__file__).parents[2]
FOUR = ("--days", "4", "--seed", "7", "--json")


def simulate(*options: str, hash_seed: str = "0") -> tuple[int, list[str]]:
    """Run the command in a process of its own."""
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    command = [sys.executable, "manage.py", "simulate", *options]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode in (0, 1), done.stderr
    return done.returncode, done.stdout.splitlines()


def result_of(lines: list[str]) -> dict[str, Any]:
    """Read the last line."""
    found: dict[str, Any] = json.loads(lines[-1])
    return found


@pytest.mark.proves("I20")
def test_the_same_seed_is_the_same_day_in_every_process_and_in_any_order() -> None:
    _, one = simulate(*FOUR, hash_seed="1")
    _, two = simulate(*FOUR, "--jobs", "2", hash_seed="2")

    assert result_of(one) == result_of(two)
    assert result_of(one)["days"] == 4
    assert set(result_of(one)) == {"days", "violations", "failing_seeds", "hash"}


@pytest.mark.proves("I20")
def test_a_day_does_not_depend_on_the_days_before_it() -> None:
    first = play(3)
    play(4)

    assert play(3).digest == first.digest


def test_another_seed_is_another_day() -> None:
    assert play(1, Weather()).digest != play(2, Weather()).digest


def test_a_weather_read_back_from_its_file_plays_the_same_day(tmp_path: Path) -> None:
    kept = json.loads(json.dumps(draw(21).to_json()))

    assert play(21, Weather.from_json(kept)).digest == play(21).digest


def test_only_the_faults_that_were_asked_for_are_there() -> None:
    assert draw(5, ("F11", "F46")).faults == ("F11", "F46")


def test_a_fault_that_no_day_can_have_is_refused_with_those_that_one_can() -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "simulate", "--days", "1", "--faults", "F99"],
        cwd=ROOT, capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip

    assert done.returncode == 1
    assert "F99" in done.stderr
    assert "F11" in done.stderr


def test_a_quiet_day_trades_and_is_flat() -> None:
    day = play(0, Weather())

    assert day.violations == ()
    assert day.orders > 10
    assert min(day.looked[rule] for rule in ("I1", "I2", "I4", "I6", "I8", "I9", "I11", "I13", "I14", "I17", "I25")) > 0
