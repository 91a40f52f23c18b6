"""Clocks that a test sets while their process runs."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from trading.clock.live import LiveClock
from trading.clock.simulated import MarketParticipant

NEAR = timedelta(seconds=60)


@pytest.mark.parametrize(("said", "step_s"), [("300", 300), ("-300", -300), ("", 0), ("soon", 0), (None, 0)])
def test_the_wall_is_off_by_what_the_file_says(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, said: str | None, step_s: int
) -> None:
    file = tmp_path / "clock"
    monkeypatch.setenv("ALGO_CLOCK_FILE", str(file))
    if said is not None:
        file.write_text(said)
    expected = datetime.now(UTC) + timedelta(seconds=step_s)

    assert abs(LiveClock().wall() - expected) < NEAR
    assert abs(LiveClock().now() - expected) < NEAR


def test_without_the_variable_no_file_is_looked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("ALGO_CLOCK_FILE", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ALGO_CLOCK_FILE").write_text("300")

    assert abs(LiveClock().wall() - datetime.now(UTC)) < NEAR


def test_wire_time_does_not_step(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    clock = LiveClock()
    before = clock.monotonic()
    (tmp_path / "clock").write_text("300")
    monkeypatch.setenv("ALGO_CLOCK_FILE", str(tmp_path / "clock"))

    assert clock.monotonic() - before < NEAR.total_seconds()


async def test_market_time_of_a_participant_steps_with_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    participant = MarketParticipant("http://127.0.0.1:1", name="engine", role="engine")
    participant._take({"type": "time", "epoch_ms": 1_000_000, "step": 1})
    right = participant.now()
    (tmp_path / "clock").write_text("-300")

    monkeypatch.setenv("ALGO_CLOCK_FILE", str(tmp_path / "clock"))

    assert participant.now() - right == timedelta(seconds=-300)
