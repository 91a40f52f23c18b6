"""A release in market hours: another build does not come in beside one that trades (F64)."""

from datetime import date, datetime, time, timedelta

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from pytest_django.fixtures import Settings

from tests.fakes.clock import FakeClock
from trading.clock.live import LiveClock
from trading.domain.timezone import at_ist
from trading.management.commands import run_strategy
from trading.services.build import build_words
from trading.services.release import release_problem
from trading.stores import heartbeats

pytestmark = [pytest.mark.django_db, pytest.mark.proves("F64", "I14")]

MONDAY, SUNDAY = date(2026, 11, 23), date(2026, 11, 22)


def at(clock: str, day: date = MONDAY) -> datetime:
    return at_ist(day, time.fromisoformat(clock))


def lives(part: str, wall: datetime, build: str = "build 0123456789ab") -> None:
    heartbeats.beat(part, wall=wall, detail=build)


@pytest.mark.parametrize("part", ["engine", "standby"])
def test_another_build_does_not_come_in_while_one_trades(part: str) -> None:
    lives(part, at("09:00"))

    problem = release_problem(at("09:00:03"))

    assert problem.startswith(f"{part} of another build trades")
    assert "ALGO_RELEASE_NOW=1" in problem


@pytest.mark.parametrize(
    "wall", [at("08:59:59"), at("15:45"), at("11:00", SUNDAY)], ids=["before", "after", "on a Sunday"]
)
def test_outside_of_market_hours_it_may(wall: datetime) -> None:
    lives("engine", wall)

    assert release_problem(wall) == ""


def test_the_same_build_starts_at_any_time_and_a_page_of_another_build_holds_nobody_up() -> None:
    lives("engine", at("11:00"), build_words())
    lives("web", at("11:00"))

    assert release_problem(at("11:00")) == ""


def test_where_nobody_of_the_other_build_lives_positions_want_somebody() -> None:
    lives("engine", at("11:00"))
    lives("standby", at("11:00:20"))
    heartbeats.stopped("standby", wall=at("11:00:21"))

    assert release_problem(at("11:00:22")) == ""


def test_an_operator_who_says_so_releases_at_once_and_a_simulated_market_has_no_such_hours(
    settings: Settings,
) -> None:
    lives("engine", at("11:00"))
    settings.ALGO_RELEASE_NOW = True
    assert release_problem(at("11:00")) == ""

    settings.ALGO_RELEASE_NOW, settings.ALGO_CONTROL_URL = False, "http://127.0.0.1:1"
    assert release_problem(at("11:00")) == ""


def test_engine_and_migrate_refuse_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    now = FakeClock(at("11:00")).now()
    monkeypatch.setattr(LiveClock, "wall", lambda self: now)
    lives("engine", now - timedelta(seconds=2))

    with pytest.raises(CommandError, match="refuses to start: engine of another build trades"):
        run_strategy.Command().handle(standby=False)
    with pytest.raises(CommandError, match="Nothing was migrated: engine of another build trades"):
        call_command("migrate", verbosity=0)
