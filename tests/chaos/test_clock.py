"""The clock of a machine that trades real prices is set while positions are open."""

import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.days.paper_chain import SYMBOLS, Chain, running_chain

pytestmark = [pytest.mark.processes, pytest.mark.timeout(1800)]
QUIET_S = 3.0


@pytest.fixture
def clock_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Name the file that sets the clocks of all processes."""
    monkeypatch.setenv("ALGO_CLOCK_FILE", str(tmp_path / "clock"))
    return tmp_path / "clock"


@pytest.fixture
def chain(redis_url: str, tmp_path: Path, clock_file: Path) -> Iterator[Chain]:
    with running_chain(tmp_path, redis_url) as chain:
        yield chain


@pytest.mark.proves("F58", "I18", database="sqlite")
def test_a_step_switches_entries_off_calls_a_person_and_sends_nothing_by_itself(
    chain: Chain, clock_file: Path, tmp_path: Path
) -> None:
    chain.until(lambda: len(chain.trades()) >= len(SYMBOLS), "entries")
    chain.hold_the_market()  # what is sent from here on, no price asked for
    chain.until(lambda: quiet(chain), "orders on their way to end")
    before = chain.trades()

    clock_file.write_text("300")
    chain.until(lambda: codes(tmp_path), "an alarm")
    clock_file.write_text("-300")
    time.sleep(QUIET_S)

    assert chain.trades() == before
    assert set(codes(tmp_path)) == {"CLOCK_WRONG"}
    assert house(tmp_path)["state"] == "REDUCING"
    assert house(tmp_path)["state_reason"].startswith("entries are off: the clock was set ")


def quiet(chain: Chain) -> bool:
    """Say whether nothing is traded for a while."""
    before = chain.trades()
    time.sleep(QUIET_S)
    return chain.trades() == before


def codes(tmp_path: Path) -> list[str]:
    """Give the alarms about the clock."""
    return [row["code"] for row in rows(tmp_path, "select code from trading_alarm where code like 'CLOCK%'")]


def house(tmp_path: Path) -> dict[str, Any]:
    """Give the house's stored state."""
    return rows(tmp_path, "select state, state_reason from trading_house")[0]


def rows(tmp_path: Path, sql: str) -> list[dict[str, Any]]:
    """Read the database beside its writers."""
    database = sqlite3.connect(f"file:{tmp_path / 'state' / 'db.sqlite3'}?mode=ro", uri=True, timeout=120)
    database.row_factory = sqlite3.Row
    try:
        return [dict(row) for row in database.execute(sql)]
    finally:
        database.close()
