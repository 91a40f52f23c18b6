"""A whole trading day of real minute bars with real processes and a kill switch at noon."""

import os
from pathlib import Path

import pytest

from tests.days.days import assert_the_day_is_sound, trade_a_day, words_of
from tests.days.stack import ROOT

pytestmark = [pytest.mark.processes, pytest.mark.timeout(900)]

BARS = ROOT.parent / "shared" / "data" / "bars"


@pytest.mark.proves("I6", "I9", "I11", database="sqlite")
@pytest.mark.skipif(
    not BARS.is_dir() and os.environ.get("CI") != "true", reason=f"no real minute bars beside the project ({BARS})"
)
def test_on_a_day_of_real_bars_everybody_is_flat_in_time(tmp_path: Path) -> None:
    options = ("--day", "2024-05-16", "--seed", "1", "--bars", str(BARS))
    day = trade_a_day(tmp_path, *options, kill="asha@demo.local", kill_user="AB1001")

    assert_the_day_is_sound(day)
    assert words_of(day).count("TARGET") >= 5
