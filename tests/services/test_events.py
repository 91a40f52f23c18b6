"""The event log's chains: whole until somebody touches them."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from tests.factories import TEN_O_CLOCK, make_client
from tests.fakes.clock import FakeClock
from trading.models import Client, EventChain, EventLog
from trading.services import events
from trading.services.anchors import Anchors
from trading.services.log_check import check_log
from trading.stores.chain import event_hash

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice() -> Client:
    client = make_client()
    clock = FakeClock(TEN_O_CLOCK)
    for number in range(5):
        events.record(
            client.pk, "ENTRY", {"number": number, "ltp": Decimal("1490.55"), "text": "₹ \u0000"}, clock=clock
        )
        events.record(None, "BEAT", {"number": number}, clock=clock)
    return client


def line(client: Client, seq: int) -> EventLog:
    return EventLog.objects.get(chain__client=client, seq=seq)


def broken_at(client_id: int | None) -> int | None:
    """Give the first line that does not verify, without any anchor."""
    (report,) = check_log(client_id, is_whole_log=False, anchors=Anchors()).chains
    return report.broken.seq if report.broken else None


def test_an_untouched_log_verifies(alice: Client) -> None:
    report = check_log(anchors=Anchors())

    assert report.is_whole
    assert [(chain.lines, chain.broken) for chain in report.chains] == [(5, None), (5, None)]
    assert line(alice, 1).data == {"number": 0, "ltp": "1490.55", "text": "₹ \u0000"}


def test_a_chain_that_does_not_exist_yet_verifies(alice: Client) -> None:
    report = check_log(alice.pk + 1, is_whole_log=False)

    assert (report.is_whole, report.lines) == (True, 0)


EDITS: dict[str, Callable[[EventLog], object]] = {
    "data": lambda row: EventLog.objects.filter(pk=row.pk).update(body=row.body.replace("1490.55", "1490.56")),
    "kind": lambda row: EventLog.objects.filter(pk=row.pk).update(kind="TARGET"),
    "market time": lambda row: EventLog.objects.filter(pk=row.pk).update(at=row.at + timedelta(microseconds=1)),
    "wall time": lambda row: EventLog.objects.filter(pk=row.pk).update(wall_at=row.wall_at + timedelta(seconds=1)),
    "tag": lambda row: EventLog.objects.filter(pk=row.pk).update(tag="X"),
    "instrument": lambda row: EventLog.objects.filter(pk=row.pk).update(instrument="NSE:X"),
    "account": lambda row: EventLog.objects.filter(pk=row.pk).update(account_key="kite:X"),
    "removal": lambda row: row.delete(),
}


@pytest.mark.proves("I21")
@pytest.mark.parametrize("edit", EDITS)
def test_an_edited_line_is_found(alice: Client, edit: str) -> None:
    EDITS[edit](line(alice, 3))

    assert broken_at(alice.pk) == 3
    assert broken_at(None) is None


def test_an_edit_with_its_hash_made_anew_is_found_by_the_next_line(alice: Client) -> None:
    row = line(alice, 3)
    row.body = row.body.replace("1490.55", "1490.56")
    row.hash = event_hash(row.chain.name, row)
    row.save()

    assert broken_at(alice.pk) == 3


@pytest.mark.proves("I21")
def test_a_cut_off_end_is_found(alice: Client) -> None:
    line(alice, 5).delete()

    assert broken_at(alice.pk) == 5


@pytest.mark.proves("I21")
def test_a_line_moved_to_another_chain_is_found(alice: Client) -> None:
    house = EventChain.objects.get(name="house")
    EventLog.objects.filter(chain=house, seq=5).delete()
    EventLog.objects.filter(pk=line(alice, 5).pk).update(chain=house)

    assert broken_at(None) == 5


def test_a_number_is_given_once(alice: Client) -> None:
    row = line(alice, 5)
    row.pk = None

    with pytest.raises(IntegrityError), transaction.atomic():
        row.save(force_insert=True)


def test_a_rolled_back_event_leaves_no_hole(alice: Client) -> None:
    with transaction.atomic():
        events.record(alice.pk, "LOST", {}, clock=FakeClock(TEN_O_CLOCK))
        transaction.set_rollback(True)

    events.record(alice.pk, "KEPT", {}, clock=FakeClock(TEN_O_CLOCK))

    assert line(alice, 6).kind == "KEPT"
    assert broken_at(alice.pk) is None


def test_what_is_no_number_is_refused(alice: Client) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        events.record(alice.pk, "ENTRY", {"ltp": float("nan")}, clock=FakeClock(TEN_O_CLOCK))
