"""Real processes, the last minutes before a square-off: the standby alone makes everybody flat that it is due for.

First without Redis, beside an engine that stands still; then without the database, beside an engine that was killed.
The supervisor stands still meanwhile where it would bring back what is to be missing.
"""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest

from tests.chaos.arena import MAKE_BUSY, OPTIONS
from tests.chaos.referee import Referee, lasting
from tests.databases import start_postgres
from tests.days.stack import RunningStack
from tests.postgres import PostgresServer
from trading.domain.timezone import IST

pytestmark = [pytest.mark.processes, pytest.mark.postgres, pytest.mark.timeout(1800)]

FIRST, LATER = ("AB1001",), ("AB1002", "AB1003")
"""Whom the first test squares off, and the second."""
FAR_TARGETS = """
for item in WatchItem.objects.all():
    item.config = {**item.config, "target_fractions": [str(Decimal("1.2") + Decimal(k) / 20) for k in range(10)]}
    item.save()
"""
"""So that what is entered stays open."""
END_EARLY = """
from datetime import time
from trading.models import BrokerAccount
from trading.services import wiring
from trading.services.control import request_reload
for account in BrokerAccount.objects.select_related("owner__client").filter(broker_user_id__in={users!r}):
    client = account.owner.client
    client.square_off_at, client.no_new_entry_after = time.fromisoformat("{end}"), time.fromisoformat("{now}")
    client.save()
request_reload(None, by=None, clock=wiring.clock())
"""
LOOKS_FOR_POSITIONS = 40
KNOWS_THE_DAY_AFTER_S = 8.0
"""The standby copies the day every five seconds."""
PATIENCE_S = 300.0
PIECES, PIECE_S = 90, 3.0


class Evening:
    """A stack whose clients have early evenings, on a PostgreSQL that may be stopped."""

    def __init__(self, stack: RunningStack, server: PostgresServer) -> None:
        self.stack = stack
        self.server = server
        self.referee = Referee(stack)

    def begin(self) -> None:
        """Start everything and let the ladders enter."""
        self.stack.start()
        self.stack.run_until("08:59:00")
        self.stack.manage("shell", "-c", MAKE_BUSY + FAR_TARGETS)
        self.stack.run_until("09:16:00")
        self.stack.control("/clock", {"speed": 60, "pace": "free"})

    def until(self, holds: Callable[[], bool], what: str) -> None:
        """Wait for what must come true."""
        self.stack.until(holds, PATIENCE_S, what)

    def open_of(self, *users: str) -> dict[str, int]:
        """Give what the exchange has open for some users."""
        found = self.referee.open_positions()
        return {name: units for name, units in found.items() if name.startswith(users)}

    def lease(self) -> dict[str, Any]:
        """Give the lease's row."""
        return self.stack.rows("select holder, epoch, counter from trading_lease")[0]

    def exits(self, *users: str) -> dict[str, dict[str, Any]]:
        """Give the exits that the database has of some users, by tag."""
        sql = "select a.broker_user_id as user_id, i.tag, i.epoch, i.gate from trading_orderintentrow i"
        sql += " join trading_brokeraccount a on a.id = i.account_id where i.is_exit"
        return {row["tag"]: row for row in self.stack.rows(sql) if row["user_id"] in users}

    def end_early(self, *users: str) -> None:
        """Let the market stand with something open of each user, whose square-off is two minutes away."""
        for _ in range(LOOKS_FOR_POSITIONS):
            if all(self.open_of(user) for user in users):
                break
            self.go_on(30)
        assert all(self.open_of(user) for user in users)
        now = self.now()
        end = (now + timedelta(minutes=2)).replace(second=0)
        self.stack.manage("shell", "-c", END_EARLY.format(users=users, now=f"{now:%H:%M:%S}", end=f"{end:%H:%M:%S}"))
        unread = "select id from trading_commandrow where kind = 'RELOAD' and finished_at is null"
        self.until(lambda: not self.stack.rows(unread), "the engine to read the new times")

    def now(self) -> datetime:
        """Give market time in India."""
        return datetime.fromisoformat(self.stack.control("/clock")["now"]).astimezone(IST)

    def go_on(self, seconds: int) -> None:
        """Let the market go on for so many market seconds and stand."""
        self.stack.run_until(f"{self.now() + timedelta(seconds=seconds):%H:%M:%S}")

    def until_flat(self, *users: str) -> None:
        """Let the market go on over the square-off, and piece by piece until nothing of these users is open.

        An exit that was denied is tried again after market seconds: a market that stands would keep it waiting.
        """
        self.go_on(240)
        for _ in range(PIECES):
            if not self.open_of(*users):
                return
            self.go_on(30)
            time.sleep(PIECE_S)
        raise AssertionError(f"the standby left open: {self.open_of(*users)}\n{self.stack.tail()}")

    def settle(self) -> None:
        """Return once nothing is on its way, and nothing is wrong."""
        settled = partial(self.until, lambda: not self.referee.unsettled(), "everything to settle")
        assert lasting(self.referee.complaints, settled) == []

    @contextmanager
    def stopped(self, *pids: int) -> Iterator[None]:
        """Stop processes in their tracks; those that still are there afterwards go on."""
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in pids:
                try:
                    os.kill(pid, signal.SIGCONT)
                except ProcessLookupError:
                    continue

    def supervisor(self) -> int:
        """Give the pid of who starts again what ended."""
        return int(self.stack.view()["pid"])


@pytest.fixture(scope="module")
def evening(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Evening]:
    """One stack for both."""
    server = start_postgres()
    servers = {"DATABASE_URL": server.make_database("evening")}
    stack = RunningStack(tmp_path_factory.mktemp("evening") / "state", *OPTIONS, servers=servers)
    try:
        made = Evening(stack, server)
        made.begin()
        yield made
    finally:
        stack.stop()
        server.close()


@pytest.mark.proves("F36", "F46", "F49", "I6", "I14", database="postgresql")
def test_without_redis_the_standby_ends_an_engine_that_stands_still_and_makes_flat(evening: Evening) -> None:
    stack = evening.stack
    evening.end_early(*FIRST)
    before = evening.exits(*FIRST)
    with evening.stopped(evening.supervisor()):
        os.kill(stack.pid_of("redis"), signal.SIGKILL)
        with evening.stopped(stack.pid_of("strategy")):
            evening.until(lambda: evening.lease()["holder"].startswith("standby"), "the standby to take over")
            evening.until_flat(*FIRST)
            epoch = evening.lease()["epoch"]

    done = [row for tag, row in evening.exits(*FIRST).items() if tag not in before]
    assert {row["epoch"] for row in done} == {epoch}
    evening.until(lambda: evening.lease()["holder"].startswith("engine"), "an engine to work again")
    evening.settle()


@pytest.mark.proves("F41", "F43", "F49", "I1", "I2", "I6", database="postgresql")
def test_without_the_database_the_standby_stands_in_for_a_killed_engine_and_makes_flat(evening: Evening) -> None:
    stack, server = evening.stack, evening.server
    evening.end_early(*LATER)
    time.sleep(KNOWS_THE_DAY_AFTER_S)
    epoch, before = evening.lease()["epoch"], evening.exits(*LATER)
    server.pause()
    try:
        os.kill(stack.pid_of("strategy"), signal.SIGKILL)
        evening.until(lambda: "stands in for" in stack.log.read_text(errors="replace"), "the standby to stand in")
        evening.until_flat(*LATER)
    finally:
        server.resume()

    evening.until(lambda: bool(evening.lease()["epoch"] > epoch), "somebody to take the lease")
    evening.settle()
    done = [row for tag, row in evening.exits(*LATER).items() if tag not in before]
    assert done
    assert [row for row in done if not any(check["facts"].get("journal") for check in row["gate"])] == []
    assert not evening.open_of(*FIRST, *LATER)
