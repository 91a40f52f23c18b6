"""The feed's holder signs in after Beat's morning entries: what they could not fetch is fetched then."""

from collections.abc import Iterator
from datetime import date, datetime, time

import pytest
from celery.signals import task_prerun
from pytest_django import DjangoCaptureOnCommitCallbacks
from pytest_django.fixtures import Settings

from tests.factories import make_account, make_client
from tests.web.seed import ControlPort
from trading.domain.timezone import at_ist
from trading.models import BrokerAccount, FeedAccount
from trading.services import morning

pytestmark = pytest.mark.django_db

MONDAY = date(2026, 11, 23)
SUNDAY_NOON = at_ist(date(2026, 11, 22), time(12, 0))
"""What the worker's clock shows here: the task starts, sees no trading day and asks nobody."""


@pytest.fixture
def started(settings: Settings) -> Iterator[list[str]]:
    """Give the names of the tasks that a worker has started."""
    names: list[str] = []

    def note(sender: object, **_: object) -> None:
        names.append(getattr(sender, "name", ""))

    port = ControlPort(now=SUNDAY_NOON)
    settings.ALGO_CONTROL_URL = port.url
    task_prerun.connect(note)
    yield names
    task_prerun.disconnect(note)
    port.close()


@pytest.fixture
def feed() -> BrokerAccount:
    account = make_account(make_client("alice"))
    FeedAccount.objects.create(account=account)
    return account


@pytest.mark.parametrize("at", [time(9, 0), time(9, 10), time(13, 0)])
def test_dump_and_ranges_are_fetched_after_a_late_sign_in(
    at: time,
    feed: BrokerAccount,
    started: list[str],
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        morning.catch_up(feed, at_ist(MONDAY, at))

    assert started == ["trading.tasks.fetch_morning"]


def test_before_nine_beat_will_do_it(
    feed: BrokerAccount, started: list[str], django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        morning.catch_up(feed, at_ist(MONDAY, time(8, 59, 59)))

    assert started == []


def test_a_client_who_signs_in_late_fetches_nothing_for_the_house(
    feed: BrokerAccount, started: list[str], django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    other = make_account(make_client("charlie"))
    now: datetime = at_ist(MONDAY, time(10, 0))

    with django_capture_on_commit_callbacks(execute=True):
        morning.catch_up(other, now)

    assert started == []
