"""The stack of `make run` on a busy simulated day, and what can be done to it from outside."""

import os
import resource
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

import psycopg
from redis import Redis
from redis.exceptions import RedisError

from tests.chaos.referee import Referee
from tests.days.stack import RunningStack
from tests.postgres import PostgresServer
from trading.domain.timezone import IST

OPTIONS = ("--day", "2026-11-23", "--seed", "83", "--speed", "600", "--pace", "hold", "--longest-pause", "1")
BUSY_FROM = "09:16:00"
LOOKS_FOR_A_CRASH = 40
WHEN_TAKING_OVER = frozenset({"lease_taken", "before_lock", "lock_taken"})
"""Points that a process only comes to when another one has ended."""
A_WHILE_S = 90
"""Market seconds of a busy day in which a handful of orders go out; one and a half wire seconds at 60 times."""
SETTLES_WITHIN_S = 60.0
"""I17: so long after the last trouble nothing may be in doubt or stuck."""
MAKE_BUSY = """
from decimal import Decimal
from trading.models import BrokerAccount, Client, House, WatchItem
steps = [str(Decimal(k) / 100) for k in range(1, 11)]
stops = ["-0.02", *(str(Decimal(k) / 200) for k in range(1, 10))]
items = list(WatchItem.objects.select_related("instrument"))
instruments = {item.instrument_id: item.instrument for item in items}
where = {item.client_id: item.account for item in items}
for level, (client_id, account) in zip(("0.55", "0.70", "0.90"), sorted(where.items())):
    config = {"rearm": "any", "max_entries_per_side": 100, "target_fractions": steps, "stop_fractions": stops,
              "entry_buy_fraction": level, "entry_sell_fraction": level}
    for instrument in instruments.values():
        WatchItem.objects.update_or_create(
            client_id=client_id, account=account, instrument=instrument,
            defaults={"quantity_mode": "fixed", "quantity": 20, "capital": None, "config": config},
        )
Client.objects.update(daily_loss_limit=Decimal(10_000_000), daily_profit_limit=None, max_trades_per_day=None)
many = {"cap_trades_a_day": 100_000, "cap_entries_a_ladder": 100_000, "cap_same_side_entries": 100_000}
House.objects.update_or_create(id=1, defaults=many)
"""
"""Six levels in every instrument, many small steps, entries again and again: every fault meets orders on their way."""


class Arena:
    """One running stack on SQLite, or on a `server`. Once busy, its market waits for nobody."""

    def __init__(self, folder: Path, server: PostgresServer | None) -> None:
        self.server = server
        self.crash_file = folder / "crash"
        servers = {} if server is None else {"DATABASE_URL": server.make_database("chaos")}
        self._servers = servers
        self.stack = RunningStack(
            folder / "state", *OPTIONS, servers={"ALGO_CRASH_FILE": str(self.crash_file), **servers}
        )
        self.referee = Referee(self.stack)

    def begin(self) -> None:
        """Start everything and bring the market to a moment at which orders come all the time."""
        self.stack.start()
        self.stack.run_until("08:59:00")
        self.stack.manage("shell", "-c", MAKE_BUSY)
        self.stack.run_until(BUSY_FROM)
        self.stack.control("/clock", {"speed": 60, "pace": "free"})

    # -- time --------------------------------------------------------------------------------------------------

    def now(self) -> datetime:
        """Give market time in India."""
        return datetime.fromisoformat(self.stack.control("/clock")["now"]).astimezone(IST)

    def advance(self, seconds: int) -> None:
        """Let the market go on for so many market seconds and stand."""
        self.begin_to_advance(seconds)
        self.wait_for_the_market()

    def begin_to_advance(self, seconds: int) -> None:
        """Let the market go on, and come back at once."""
        self.stack.control("/clock", {"run_until": f"{self.now() + timedelta(seconds=seconds):%H:%M:%S}"})

    def wait_for_the_market(self) -> None:
        """Return once the market stands."""
        self.stack.until(lambda: bool(self.stack.control("/clock")["held"]), 120, "the market to stand")

    def is_before(self, moment: time) -> bool:
        """Say whether market time is before a moment of the day in India."""
        return self.now().time() < moment

    # -- troubles ----------------------------------------------------------------------------------------------

    def kill(self, name: str) -> None:
        """End a process as a power cut does."""
        os.kill(self._pid(name), signal.SIGKILL)

    def freeze(self, name: str) -> int:
        """Stop a process in its tracks and give its pid."""
        pid = self._pid(name)
        os.kill(pid, signal.SIGSTOP)
        return pid

    def thaw(self, pid: int) -> None:
        """Let a stopped process go on."""
        os.kill(pid, signal.SIGCONT)

    def crash_at(self, point: str) -> None:
        """Have the engine die when it comes to this point, and wait until another one works."""
        dying = self.holder()
        self.crash_file.write_text(point)
        if point in WHEN_TAKING_OVER:
            self.kill("strategy")
        for _ in range(LOOKS_FOR_A_CRASH):
            self.advance(30)
            if not self.crash_file.exists():
                self.until_the_engine_works(besides=dying)
                return
        self.crash_file.unlink()
        raise AssertionError(f"nobody came to {point} in {LOOKS_FOR_A_CRASH * 30} market seconds")

    def fault(self, preset: str, **more: Any) -> None:
        """Put a named fault of the exchange in force."""
        self.stack.control("/faults", {"preset": preset, **more})

    def heal(self) -> None:
        """Take every fault of the exchange out of force."""
        self.stack.control("/faults", method="DELETE")

    def redis(self) -> "Redis[bytes]":
        """Give a client of the stack's Redis."""
        return Redis.from_url(self.stack.view()["environment"]["REDIS_URL"])

    def until_redis_answers(self) -> None:
        """Return once Redis was started again."""
        self.stack.until(self._redis_answers, 30, "Redis to be back")

    def _redis_answers(self) -> bool:
        try:
            with self.redis() as client:
                return bool(client.ping())
        except RedisError:
            return False

    @contextmanager
    def locked_database(self) -> Iterator[None]:
        """Keep every other writer out of the tables of the money path."""
        if self.server is None:
            lock = sqlite3.connect(self.stack.state_dir / "db.sqlite3", timeout=30, isolation_level=None)
            lock.execute("BEGIN EXCLUSIVE")
            try:
                yield
            finally:
                lock.close()
        else:
            with psycopg.connect(self._servers["DATABASE_URL"]) as postgres:
                postgres.execute("LOCK TABLE trading_orderintentrow, trading_lease IN ACCESS EXCLUSIVE MODE")
                yield

    @contextmanager
    def stopped_database(self) -> Iterator[None]:
        """Crash the database server, and start it again at the end."""
        assert self.server is not None
        self.server.pause()
        try:
            yield
        finally:
            self.server.resume()

    @contextmanager
    def no_room_for(self, name: str) -> Iterator[None]:
        """Let a process's files grow no more, as on a full disk."""
        pid = self._pid(name)
        usual = resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
        try:
            yield
        finally:
            with suppress(ProcessLookupError):
                resource.prlimit(pid, resource.RLIMIT_FSIZE, usual)

    def _pid(self, name: str) -> int:
        self.stack.until(lambda: self._state(name) == "running", 60, f"{name} to run")
        return self.stack.pid_of(name)

    def _state(self, name: str) -> str:
        return next(str(one["state"]) for one in self.stack.view()["processes"] if one["name"] == name)

    # -- judging -----------------------------------------------------------------------------------------------

    def orders(self) -> int:
        """Count the orders at the exchange."""
        return sum(len(account["orders"]) for account in self.stack.control("/ledger").values())

    def holder(self) -> str:
        """Give who holds the lease."""
        return str(self.stack.rows("select holder from trading_lease")[0]["holder"])

    def until_the_engine_works(self, *, besides: str = "") -> None:
        """Return once an engine, not the standby nor the one `besides`, holds the lease."""
        self.stack.until(
            lambda: self.holder().startswith("engine") and self.holder() != besides,
            SETTLES_WITHIN_S,
            "the engine to take over",
        )

    def settle(self) -> None:
        """Let what is on its way come to its end, and check that nothing is wrong."""
        self.wait_for_the_market()
        self.stack.until(
            lambda: not self.referee.unsettled(), SETTLES_WITHIN_S, f"{self.referee.unsettled()} to settle"
        )
        assert self.referee.complaints() == []
