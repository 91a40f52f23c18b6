"""Beat on market time: rows fall due by the market's clock, whatever the wall says."""

from collections.abc import Iterator
from datetime import date, time

import pytest
from django_celery_beat.models import PeriodicTask
from redis import Redis

from algosystem.celery import app
from tests.factories import make_client
from tests.fakes.clock import FakeClock
from trading.beat import MarketEntry, MarketScheduler, RunningTasks, read_the_market
from trading.clock.live import LiveClock
from trading.domain.timezone import at_ist
from trading.services.schedule import entry_name, sync_schedule

DAY = date(2026, 11, 23)


@pytest.fixture
def market() -> Iterator[FakeClock]:
    clock = FakeClock(at_ist(DAY, time(9, 20)))
    read_the_market(clock)
    yield clock
    read_the_market(LiveClock())


@pytest.mark.proves("F51", "I6")
@pytest.mark.django_db
def test_a_client_is_due_at_its_time_on_the_markets_clock_and_only_once(market: FakeClock) -> None:
    client = make_client("alice", square_off_at=time(15, 7))
    sync_schedule(market.now())
    row = PeriodicTask.objects.get(name=entry_name(client))

    market.set(at_ist(DAY, time(15, 6, 59)))
    assert not MarketEntry(row, app=app).is_due().is_due
    market.set(at_ist(DAY, time(15, 7)))
    assert MarketEntry(row, app=app).is_due().is_due

    ran = next(MarketEntry(row, app=app))
    assert not ran.is_due().is_due
    assert ran.last_run_at == market.now()


@pytest.mark.django_db
def test_every_enabled_row_is_looked_at_however_far_from_the_walls_hour(market: FakeClock) -> None:
    client = make_client("alice", square_off_at=time(15, 7))
    sync_schedule(market.now())

    scheduler = MarketScheduler(app=app, lazy=True)

    assert entry_name(client) in {row.name for row in scheduler.enabled_models_qs()}
    assert {"fetch instruments", "fetch ranges", "verify flat", "day report"} <= set(scheduler.all_as_schedule())


@pytest.mark.django_db(transaction=True)
def test_beat_itself_makes_the_rows_of_a_new_installation(market: FakeClock) -> None:
    make_client("alice")

    MarketScheduler(app=app)

    assert PeriodicTask.objects.filter(name="fetch instruments").exists()


def test_a_task_is_running_until_it_ended(redis: "Redis[bytes]") -> None:
    tasks = RunningTasks(redis, LiveClock())
    tasks.sent("one")
    tasks.sent("two")
    tasks.ended("one")
    assert tasks.any()

    tasks.ended("two")

    assert not tasks.any()
