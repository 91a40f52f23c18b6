"""Whole trading days with real processes and a kill switch at noon: the same on SQLite and on PostgreSQL."""

import os
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import pytest

from tests.days.days import Day, assert_the_day_is_sound, assert_the_same, last_fill_at, trade_a_day, words_of
from tests.days.stack import ROOT
from tests.postgres import PostgresServer

pytestmark = [pytest.mark.processes, pytest.mark.timeout(5400)]

BARS = ROOT.parent / "shared" / "data" / "bars"


def trade_the_generated_day(state_dir: Path, servers: Mapping[str, str] | None = None) -> Day:
    options = ("--day", "2026-11-23", "--seed", "83")
    return trade_a_day(state_dir, *options, kill="bharat@demo.local", kill_user="AB1002", servers=servers)


@pytest.fixture(scope="module")
def generated_day(tmp_path_factory: pytest.TempPathFactory) -> Day:
    """The generated day on the embedded SQLite and Redis."""
    return trade_the_generated_day(tmp_path_factory.mktemp("days") / "one")


@pytest.mark.proves("I6", "I9", "I11", database="sqlite")
def test_on_the_generated_day_everything_happens_and_everybody_is_flat_in_time(generated_day: Day) -> None:
    assert_the_day_is_sound(generated_day)

    with_auction = {instrument for _, instrument in generated_day.fills} - {"NSE:ABBOTINDIA", "NSE:GILLETTE"}
    assert last_fill_at(generated_day, with_auction) < "15:14:30"
    words = words_of(generated_day)
    sides = {order["side"] for account in generated_day.ledger.values() for order in account["orders"]}
    assert sides == {"BUY", "SELL"}
    assert {"ENTRY", "TARGET", "TRAIL", "STOP", "SKIPPED", "SQUARE_OFF"} <= set(words)
    assert words.count("TARGET") >= 5
    assert any(Decimal(account["realised_pnl"]) != 0 for account in generated_day.ledger.values())


@pytest.mark.proves("I6", "I9", "I11", database="postgresql")
@pytest.mark.postgres
def test_the_generated_day_is_the_same_on_postgresql_with_a_redis_of_ones_own(
    generated_day: Day, postgres_server: PostgresServer, redis_server: str, tmp_path: Path
) -> None:
    servers = {"DATABASE_URL": postgres_server.make_database("day"), "REDIS_URL": redis_server}

    day = trade_the_generated_day(tmp_path / "postgres", servers)

    assert_the_day_is_sound(day)
    assert_the_same(generated_day, day)
    assert not (tmp_path / "postgres" / "db.sqlite3").exists()
    assert not (tmp_path / "postgres" / "valkey").exists()


@pytest.mark.proves("I6", "I9", "I11", database="sqlite")
@pytest.mark.skipif(
    not BARS.is_dir() and os.environ.get("CI") != "true", reason=f"no real minute bars beside the project ({BARS})"
)
def test_on_a_day_of_real_bars_everybody_is_flat_in_time(tmp_path: Path) -> None:
    options = ("--day", "2024-05-16", "--seed", "1", "--bars", str(BARS))
    day = trade_a_day(tmp_path, *options, kill="asha@demo.local", kill_user="AB1001")

    assert_the_day_is_sound(day)
    assert words_of(day).count("TARGET") >= 5
