"""Beat's rows: their times, their standing, and when they count as last run."""

from datetime import date, time

import pytest
from django_celery_beat.models import PeriodicTask

from tests.factories import make_client
from trading.domain.timezone import at_ist
from trading.services.schedule import entry_name, put_client_entry, sync_schedule

pytestmark = pytest.mark.django_db

NOW = at_ist(date(2026, 11, 23), time(9, 20))


def test_every_client_has_one_entry_at_its_own_time() -> None:
    client = make_client("alice", square_off_at=time(15, 7), onboarded_at=NOW)

    sync_schedule(NOW)
    sync_schedule(NOW)

    row = PeriodicTask.objects.get(name=entry_name(client))
    assert (row.crontab.hour, row.crontab.minute, str(row.crontab.timezone)) == ("15", "7", "Asia/Kolkata")
    assert row.enabled
    assert row.args == f"[{client.pk}]"


@pytest.mark.proves("F51")
def test_an_entry_that_is_switched_on_later_counts_as_last_run_then_and_not_by_the_wall() -> None:
    client = make_client("alice", onboarded_at=None)
    put_client_entry(client, NOW)
    assert not PeriodicTask.objects.get(name=entry_name(client)).enabled

    client.onboarded_at = NOW
    put_client_entry(client, NOW)

    row = PeriodicTask.objects.get(name=entry_name(client))
    assert row.enabled
    assert row.last_run_at == NOW


def test_a_changed_time_moves_the_entry_and_keeps_when_it_last_ran() -> None:
    client = make_client("alice", onboarded_at=NOW)
    put_client_entry(client, NOW)
    client.square_off_at = time(14, 30)

    put_client_entry(client, at_ist(date(2026, 11, 23), time(11, 0)))

    row = PeriodicTask.objects.get(name=entry_name(client))
    assert (row.crontab.hour, row.crontab.minute) == ("14", "30")
    assert row.last_run_at == NOW
