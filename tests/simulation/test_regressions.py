"""Days that broke an invariant once, under the weather they had then: none breaks one again."""

import json
from pathlib import Path
from typing import Any

import pytest

from trading.simulation.day import play
from trading.simulation.weather import Weather

FOLDER = Path(__file__).parent / "regressions"
DAYS = sorted(FOLDER.glob("*.json"))


def kept(path: Path) -> dict[str, Any]:
    """Read one file: seed, weather, which rule was broken, and why."""
    found: dict[str, Any] = json.loads(path.read_text())
    return found


@pytest.mark.parametrize("path", DAYS, ids=lambda path: path.stem)
def test_a_day_that_once_broke_an_invariant_breaks_none_again(path: Path) -> None:
    day = kept(path)

    assert play(day["seed"], Weather.from_json(day["weather"])).violations == ()


def test_every_kept_day_says_what_was_broken_and_why() -> None:
    assert DAYS
    assert all(kept(path)["rule"] and kept(path)["why"] for path in DAYS)
