"""A venue that stops, or is killed, goes on where it stood."""

import json
import sqlite3
import subprocess
import sys
from datetime import time
from decimal import Decimal
from pathlib import Path

import pytest

from tests.exchange.fakes import DAY, INFY, Desk, FakeMarket, limit, order, quote_of
from trading.domain.orders import Side

BUY, SELL = Side.BUY, Side.SELL

_KILLED_IN_MID_DAY = """
import os, signal, sys
from pathlib import Path
from tests.exchange.fakes import Desk, limit, order
from trading.domain.orders import Side

desk = Desk(Path(sys.argv[1]))
desk.venue.issue_token("AB1001")
desk.trade(order(tag="DONE"))
desk.trade(limit(Side.SELL, 10, 1600, tag="RESTS"))
desk.place(order(tag="PENDING"))
print(desk.venue.issue_token("AB1001"), desk.venue.ledger_hash(), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_after_a_kill_nothing_that_was_answered_is_lost(tmp_path: Path) -> None:
    script = [sys.executable, "-c", _KILLED_IN_MID_DAY, str(tmp_path)]
    killed = subprocess.run(script, capture_output=True, text=True, check=False, timeout=240)
    assert killed.returncode == -9, killed.stderr
    token, ledger_hash = killed.stdout.split()

    desk = Desk(tmp_path)

    assert desk.venue.ledger_hash() == ledger_hash
    assert desk.venue.issue_token("AB1001") == token
    assert desk.venue.has_pending()
    desk.venue.match_pending()
    by_tag = {one.tag: one.status.value for one in desk.venue.books.orders.values()}
    assert by_tag == {"DONE": "COMPLETE", "RESTS": "OPEN", "PENDING": "COMPLETE"}


def test_a_restored_day_goes_on_to_the_same_ledger_as_an_unbroken_one(tmp_path: Path) -> None:
    def morning(desk: Desk) -> None:
        desk.tick(quote_of(INFY, 1500, asks=((1500, 4),)))
        desk.trade(order(quantity=10, tag="A"))
        desk.trade(limit(SELL, 10, 1490, order_type="SL", trigger_price=Decimal(1495), tag="B"))
        placed = desk.venue.books.orders[desk.trade(limit(BUY, 5, 1480, tag="C"))]
        desk.venue.modify(placed, limit(BUY, 6, 1480))

    def afternoon(desk: Desk) -> str:
        desk.times.go_to(time(14, 0))
        desk.venue.match_pending()
        desk.tick(quote_of(INFY, 1494))
        desk.tick(quote_of(INFY, 1470))
        desk.venue.end_of_day()
        return desk.venue.ledger_hash()

    broken, unbroken = Desk(tmp_path), Desk()
    morning(broken)
    morning(unbroken)
    broken.venue.close()

    assert afternoon(Desk(tmp_path)) == afternoon(unbroken)


def test_ids_go_on_counting_over_restarts_and_days(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    first = desk.trade(order())
    desk.venue.close()
    second = Desk(tmp_path).trade(order())
    third = Desk(tmp_path, market=FakeMarket(DAY.replace(day=24))).trade(order())

    assert int(first) < int(second) < int(third)
    assert int(second) == int(first) + 1


def test_another_day_opens_with_what_the_last_one_left(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.trade(order(quantity=10))
    desk.trade(limit(BUY, 10, 1400))
    desk.venue.close()

    again = Desk(tmp_path, market=FakeMarket(DAY.replace(day=24)))
    once_more = Desk(tmp_path, market=FakeMarket(DAY.replace(day=24)))

    for reopened in (again, once_more):
        account = reopened.venue.books.accounts["AB1001"]
        assert account.orders == {}
        assert account.net_quantity(INFY.token, "MIS") == 10


def test_a_history_grows_on_disk_line_by_line_and_comes_back_whole(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    placed = desk.venue.books.orders[desk.trade(limit(BUY, 5, 1480))]
    for quantity in range(6, 26):
        desk.venue.modify(placed, limit(BUY, quantity, 1480))
        desk.venue.match_pending()
    desk.venue.close()

    again = Desk(tmp_path).venue.books.orders[placed.order_id]
    with sqlite3.connect(tmp_path / "ledger.sqlite3") as ledger:
        rows = ledger.execute("SELECT body FROM lines").fetchall()

    assert [line._replace(wire_s=0) for line in again.history] == [line._replace(wire_s=0) for line in placed.history]
    assert sum(len(json.loads(body)) for (body,) in rows) == len(placed.history) > 80


def test_a_ledger_that_kept_histories_inside_the_orders_is_read_and_goes_on(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    placed = desk.venue.books.orders[desk.trade(limit(BUY, 5, 1480))]
    desk.venue.close()
    with sqlite3.connect(tmp_path / "ledger.sqlite3") as ledger:
        ((lines,),) = ledger.execute(
            "SELECT json_group_array(json(value)) FROM lines, json_each(lines.body)"
        ).fetchall()
        ledger.execute("UPDATE orders SET body = json_set(body, '$.history', json(?))", [lines])
        ledger.execute("DELETE FROM lines")

    desk = Desk(tmp_path)
    words = [line.status.value for line in desk.venue.books.orders[placed.order_id].history]
    desk.venue.cancel(desk.venue.books.orders[placed.order_id])
    desk.venue.match_pending()
    desk.venue.close()

    assert words == [line.status.value for line in placed.history]
    kept = Desk(tmp_path).venue.books.orders[placed.order_id].history
    assert [line.status.value for line in kept] == [*words, "CANCEL PENDING", "CANCELLED"]


def test_the_ledger_file_is_for_its_owner_only(tmp_path: Path) -> None:
    Desk(tmp_path)

    assert (tmp_path / "ledger.sqlite3").stat().st_mode & 0o777 == 0o600


def test_a_file_that_is_no_ledger_is_named_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "ledger.sqlite3").write_bytes(b"no database " * 1000)

    with pytest.raises(ValueError, match=r"ledger\.sqlite3 cannot be read \(file is not a database\); .*--fresh"):
        Desk(tmp_path)


def test_a_ledger_of_instruments_that_are_gone_is_named_with_the_remedy(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.trade(order())
    desk.venue.close()
    market = FakeMarket()
    del market.instruments[INFY.token]

    with pytest.raises(ValueError, match=r"it holds NSE:INFY, which this market does not know.*--fresh"):
        Desk(tmp_path, market=market)
