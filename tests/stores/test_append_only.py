"""The database itself refuses to change the event log, on SQLite and PostgreSQL; without that, verify_log finds it."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.db.models import F

from tests.databases import remove_guards
from tests.factories import TEN_O_CLOCK, make_client
from tests.fakes.clock import FakeClock
from trading.models import Client, EventChain, EventLog
from trading.services import events
from trading.services.anchors import write_anchors
from trading.stores.append_only import missing_triggers

CLOCK = FakeClock(TEN_O_CLOCK)


@pytest.fixture
def alice(database: str, state_dir: Path) -> Client:
    client = make_client()
    for number in range(8):
        events.record(client.pk, "ENTRY", {"number": number}, clock=CLOCK)
        events.record(None, "BEAT", {"number": number}, clock=CLOCK)
    return client


def verify(*words: str) -> tuple[int, dict[str, Any]]:
    """Run the command; gives its exit code and its JSON line."""
    out = io.StringIO()
    try:
        call_command("verify_log", "--json", *words, stdout=out)
        code = 0
    except SystemExit as end:
        code = int(str(end.code))
    return code, json.loads(out.getvalue())


def lines(client: Client) -> Any:
    return EventLog.objects.filter(chain__client=client)


def head(client: Client) -> Any:
    return EventChain.objects.filter(client=client)


REFUSED: dict[str, Callable[[Client], object]] = {
    "edit": lambda client: lines(client).filter(seq=3).update(body="{}"),
    "deletion": lambda client: lines(client).filter(seq=3).delete(),
    "swap": lambda client: lines(client).filter(seq=3).update(seq=99),
    "head put back": lambda client: head(client).update(last_seq=3),
    "chain renamed": lambda client: head(client).update(name="client:99"),
    "chain deleted": lambda client: raw("DELETE FROM trading_eventchain"),
    "raw edit": lambda client: raw("UPDATE trading_eventlog SET kind = 'X' WHERE seq = 3"),
    "raw deletion": lambda client: raw("DELETE FROM trading_eventlog"),
}


def raw(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.proves("I21")
@pytest.mark.parametrize("change", REFUSED)
def test_the_database_refuses_to_change_the_log(alice: Client, change: str) -> None:
    with pytest.raises(DatabaseError, match=r"append-only|only goes on"), transaction.atomic():
        REFUSED[change](alice)

    assert (verify()[0], verify()[1]["lines"]) == (0, 16)


def test_postgresql_refuses_to_empty_the_log_at_once(alice: Client) -> None:
    if connection.vendor != "postgresql":
        with pytest.raises(DatabaseError):  # SQLite knows no TRUNCATE
            raw("TRUNCATE trading_eventlog")
        return
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        raw("TRUNCATE trading_eventlog CASCADE")


def test_every_migrated_database_has_the_guards(alice: Client) -> None:
    """A later migration that makes a table anew (SQLite does so for many changes) must put them on again."""
    assert missing_triggers() == []


def test_a_whole_log_is_said_to_be_whole(alice: Client) -> None:
    write_anchors(wall=CLOCK.wall())

    code, said = verify()

    assert code == 0
    assert (said["ok"], said["lines"], said["anchors"], said["warnings"]) == (True, 16, 2, [])
    assert {chain["anchored_to"] for chain in said["chains"]} == {8}


def test_without_guards_or_anchors_it_says_what_it_cannot_see(alice: Client) -> None:
    remove_guards()

    code, said = verify()

    assert code == 0
    assert "does not refuse changes" in said["warnings"][0]
    assert "no anchors" in said["warnings"][1]


def shift_up(client: Client, behind: int) -> None:
    """Make room behind a line, as an inserter does: numbers move up from the end."""
    for row in lines(client).filter(seq__gt=behind).order_by("-seq"):
        lines(client).filter(pk=row.pk).update(seq=F("seq") + 1)


def swap(client: Client) -> None:
    lines(client).filter(seq=3).update(seq=99)
    lines(client).filter(seq=6).update(seq=3)
    lines(client).filter(seq=99).update(seq=6)


def insert(client: Client) -> None:
    shift_up(client, 2)
    row = lines(client).get(seq=2)
    row.pk, row.seq = None, 3
    row.save(force_insert=True)


def cut(client: Client) -> None:
    last = lines(client).get(seq=4)
    lines(client).filter(seq__gt=4).delete()
    head(client).update(last_seq=4, last_hash=last.hash)


BREAKS: dict[str, tuple[Callable[[Client], object], int]] = {
    "edited": (lambda client: lines(client).filter(seq=3).update(body="{}"), 3),
    "missing": (lambda client: lines(client).filter(seq=3).delete(), 3),
    "edited by a swap": (swap, 3),
    "inserted": (insert, 3),
    "cut": (cut, 5),
}


@pytest.mark.proves("I21")
@pytest.mark.parametrize("kind", BREAKS)
def test_what_was_done_to_an_unguarded_log_is_found_by_name_and_number(alice: Client, kind: str) -> None:
    write_anchors(wall=CLOCK.wall())
    remove_guards()
    change, first_bad = BREAKS[kind]

    change(alice)
    code, said = verify()

    broken = [chain for chain in said["chains"] if chain["broken_at"]]
    assert code == 1
    assert [(chain["chain"], chain["broken_at"]) for chain in broken] == [(f"client:{alice.pk}", first_bad)]
    assert broken[0]["what"] == kind.split(" ")[0]
    assert verify("--client", "alice@example.com")[0] == 1
    assert verify("--client", "house")[0] == 0


def test_a_cut_end_with_its_head_put_back_is_not_found_without_an_anchor(alice: Client) -> None:
    """Said plainly: this is what anchors are for."""
    remove_guards()

    cut(alice)

    assert verify()[0] == 0


def test_a_chain_that_is_gone_as_a_whole_is_found_by_its_anchor(alice: Client) -> None:
    write_anchors(wall=CLOCK.wall())
    remove_guards()
    lines(alice).delete()
    head(alice).delete()

    code, said = verify()

    assert code == 1
    assert "the whole chain is gone" in said["chains"][-1]["text"]


def test_the_engine_may_append_while_the_log_is_checked(alice: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trading.stores.chain.PAGE", 3)
    real = EventChain.refresh_from_db
    appended: list[int] = []

    def append_first(self: EventChain, *args: Any, **named: Any) -> None:
        if not appended and self.client_id == alice.pk:
            appended.append(1)
            events.record(alice.pk, "ENTRY", {"number": 9}, clock=CLOCK)
        real(self, *args, **named)

    monkeypatch.setattr(EventChain, "refresh_from_db", append_first)

    code, said = verify()

    assert (code, said["lines"]) == (0, 17)
