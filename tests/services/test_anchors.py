"""The anchors file: only added to, chained in itself, readable after a crash in the middle of a line."""

import json
from pathlib import Path

import pytest

from tests.factories import TEN_O_CLOCK, make_client
from tests.fakes.clock import FakeClock
from trading.models import Client
from trading.services import events
from trading.services.anchors import anchor_file, head_words, read_anchors, write_anchors

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("state_dir")]
CLOCK = FakeClock(TEN_O_CLOCK)


@pytest.fixture
def alice() -> Client:
    client = make_client()
    events.record(client.pk, "ENTRY", {}, clock=CLOCK)
    return client


def write() -> int:
    return write_anchors(wall=CLOCK.wall())


def test_only_heads_that_moved_are_noted(alice: Client) -> None:
    assert write() == 1
    assert write() == 0
    events.record(alice.pk, "FILL", {}, clock=CLOCK)
    events.record(None, "BEAT", {}, clock=CLOCK)

    assert write() == 2

    anchors = read_anchors()
    assert sorted(anchors.of[f"client:{alice.pk}"]) == [1, 2]
    assert (list(anchors.of["house"]), anchors.count, anchors.problems) == ([1], 3, ())


@pytest.mark.proves("I21")
def test_a_changed_or_missing_line_of_the_file_is_told(alice: Client) -> None:
    for _ in range(3):
        events.record(alice.pk, "FILL", {}, clock=CLOCK)
        write()
    first, second, third = anchor_file().read_text().splitlines(keepends=True)

    anchor_file().write_text(first + third)
    assert read_anchors().problems == (
        "line 2 of event-log.jsonl does not follow the one above: something was changed",
    )
    anchor_file().write_text(first + json.dumps({**json.loads(second), "seq": 2}) + "\n" + third)
    assert len(read_anchors().problems) == 1


def test_a_line_that_a_crash_cut_off_harms_no_other(alice: Client) -> None:
    write()
    with anchor_file().open("ab") as file:
        file.write(b'{"wall": "2026-11-')
    events.record(alice.pk, "FILL", {}, clock=CLOCK)

    assert write() == 1

    anchors = read_anchors()
    assert sorted(anchors.of[f"client:{alice.pk}"]) == [1, 2]
    assert anchors.problems == ("line 2 of event-log.jsonl cannot be read",)


def test_a_client_is_told_the_head_of_the_own_chain(alice: Client, state_dir: Path) -> None:
    assert head_words(alice.pk).startswith("Your event log has 1 lines; the last one's hash is ")
    assert head_words(alice.pk + 1) == ""
