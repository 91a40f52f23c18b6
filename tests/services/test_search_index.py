"""The instrument search after Redis has lost it: a worker makes it anew from the kept file, however many ask."""

from datetime import date
from pathlib import Path

import pytest
import redis as redis_client
from celery.signals import task_prerun

from tests.marketdata.test_master import dump, rows
from trading.marketdata.master import DumpFolder
from trading.marketdata.search import IndexMissing, InstrumentIndex
from trading.services import morning, wiring

pytestmark = pytest.mark.django_db


@pytest.mark.proves("F37")
def test_what_redis_lost_is_read_again_from_the_kept_file(redis: "redis_client.Redis[bytes]", state_dir: Path) -> None:
    folder = DumpFolder(state_dir, "kite")
    folder.accept(dump(rows(2000)), day=date(2026, 11, 23), parse=wiring.dump_parser("kite"))
    index = InstrumentIndex(redis, "kite")
    with pytest.raises(IndexMissing):
        index.search("sym7")

    morning.ask_for_index()

    assert index.search("sym7")[0].key == "NSE:SYM7"


def test_many_searches_ask_for_it_once(redis: "redis_client.Redis[bytes]", state_dir: Path) -> None:
    asked: list[str] = []

    def note(sender: object, **_: object) -> None:
        asked.append(getattr(sender, "name", ""))

    task_prerun.connect(note)
    try:
        for _ in range(5):
            morning.ask_for_index()
    finally:
        task_prerun.disconnect(note)

    assert asked == ["trading.tasks.build_index"]


@pytest.mark.proves("F36")
def test_with_redis_away_asking_is_no_error() -> None:
    morning.ask_for_index()
