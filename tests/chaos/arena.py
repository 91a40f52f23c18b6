"""The stack of `make run` on a busy simulated day: its time, and how it stands."""

import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from datetime import time as day_time
from itertools import count, cycle
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import quote

from tests.chaos.outside_redis import OutsideRedis
from tests.chaos.referee import Referee, lasting
from tests.days.days import state_of
from tests.days.stack import RunningStack
from tests.postgres import PostgresServer
from trading.domain.timezone import IST

OPTIONS = ("--day", "2026-11-23", "--seed", "83", "--speed", "600", "--pace", "hold", "--longest-pause", "1")
BUSY_FROM = "09:16:00"
USED_UP_AT = day_time(14, 20)
"""What comes afterwards would meet the day's own square-offs."""
SPEED = 10
"""An entry that was decided ten market seconds ago has expired: so it has a wire second even on a slow machine."""
WAVE_S = 6
"""Market seconds from one crossing of levels to the next."""
CARRIES_WITHIN = 100
"""Waves after which some positions must be open."""
SWING, FLIPS = 1.5, 3
"""Percent up or down, and how many instruments change from one to the other in a wave."""
QUIET_S = 1.0
"""The engine looks at everything about once in so many wire seconds."""
GIVES_TIME_AFTER_S = 5.0
PATIENCE_S = 400.0
"""For what takes some seconds on a quiet machine."""
CLIENTS = (("asha@demo.local", "AB1001"), ("bharat@demo.local", "AB1002"), ("chitra@demo.local", "AB1003"))
MAKE_BUSY = """
from decimal import Decimal
from trading.models import BrokerAccount, Client, House, WatchItem
stops = ["-0.02", *(str(Decimal(k) / 200) for k in range(1, 10))]
items = list(WatchItem.objects.select_related("instrument"))
instruments = {item.instrument_id: item.instrument for item in items}
where = {item.client_id: item.account for item in items}
for level, first, (client_id, account) in zip(("0.55", "0.70", "0.90"), ("1.2", "0.9", "1.2"), sorted(where.items())):
    config = {"rearm": "any", "max_entries_per_side": 1000, "stop_fractions": stops,
              "target_fractions": [str(Decimal(first) + Decimal(k) / 20) for k in range(10)],
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
"""Six levels in every instrument, entries again and again, far targets: a price that crosses them turns a ladder."""
RECONCILED_SINCE = """
select count(distinct e.account_key) as n from trading_eventlog e, trading_lease l
where e.kind = 'RECONCILED' and e.wall_at >= l.acquired_at
"""
ON_THEIR_WAY = "select id from trading_orderintentrow where state in ('NEW', 'SENDING')"
_numbers = count(1)
_starting = Lock()
"""Two stacks that start at once need more patience than `run_stack` has on a slow machine."""


class Arena:
    """One running stack. On SQLite it brings everything itself; on a PostgreSQL `server` its Redis is outside, too,
    at the other end of a wire that can be cut. Once busy, its market waits for nobody."""

    def __init__(self, folder: Path, server: PostgresServer | None = None) -> None:
        self.server = server
        self.crash_file, self.clock_file = folder / "crash", folder / "clock"
        self.outside_redis: OutsideRedis | None = None
        self.servers = {"ALGO_CRASH_FILE": str(self.crash_file), "ALGO_CLOCK_FILE": str(self.clock_file)}
        if server is not None:
            database = server.make_database(f"chaos_{next(_numbers)}")
            self.outside_redis = OutsideRedis(folder / "valkey")
            self.servers |= {"DATABASE_URL": database, "REDIS_URL": self.outside_redis.url}
        self.stack = RunningStack(folder / "state", *OPTIONS, servers=self.servers)
        self.referee = Referee(self.stack)
        self._percents: dict[str, float] = {}
        self._turns: Iterator[str] = iter(())
        self._waves, self._wave = count(1), ""
        self.clients = cycle(CLIENTS)
        """Whose turn it is, where a trouble is one client's."""
        self.days_to_end = list(CLIENTS)
        """Clients whose day no trouble has ended yet."""

    def begin(self) -> None:
        """Start everything and bring the market to a moment at which orders come all the time."""
        with _starting:
            self.stack.start()
        self.stack.run_until("08:59:00")
        self.stack.manage("shell", "-c", MAKE_BUSY)
        self.stack.run_until(BUSY_FROM)
        self.stack.control("/clock", {"speed": SPEED, "pace": "free"})
        sql = "select distinct i.exchange, i.tradingsymbol from trading_instrumentrow i"
        sql += " join trading_watchitem w on w.instrument_id = i.id order by 1, 2"
        self._percents = {f"{row['exchange']}:{row['tradingsymbol']}": SWING for row in self.stack.rows(sql)}
        self._turns = cycle(list(self._percents))

    def end(self) -> None:
        """Stop everything, whatever happened."""
        self.stack.stop()
        if self.outside_redis is not None:
            self.outside_redis.close()

    # -- time --------------------------------------------------------------------------------------------------

    @property
    def now(self) -> datetime:
        """Market time in India."""
        return datetime.fromisoformat(self.stack.control("/clock")["now"]).astimezone(IST)

    @property
    def is_used_up(self) -> bool:
        """True once little is left of the day, or of its clients."""
        return not self.days_to_end or self.now.time() >= USED_UP_AT

    @property
    def stands(self) -> bool:
        """True while the market does."""
        return bool(self.stack.control("/clock")["held"])

    def go_on(self, seconds: int, *, calmly: bool = False) -> None:
        """Let the market go on for so many market seconds, and come back at once. Prices jump first, unless calmly."""
        if not calmly:
            self._make_waves()
        self.stack.control("/clock", {"run_until": f"{self.now + timedelta(seconds=seconds):%H:%M:%S}"})

    def advance(self, waves: int = 2) -> None:
        """Let the market go on for so many waves of its prices and stand."""
        for _ in range(waves):
            self.go_on(WAVE_S)
            self.until_it_stands()

    def _make_waves(self) -> None:
        """Move some prices from one side of their ladders' levels to the other: stops and entries follow."""
        for _ in range(FLIPS):
            self._percents[next(self._turns)] *= -1
        jumps = [
            {"action": "jump", "match": {"instrument": one}, "percent": percent}
            for one, percent in self._percents.items()
        ]
        before, self._wave = self._wave, f"wave {next(self._waves)}"
        self.stack.control("/faults", {"script": self._wave, "rules": jumps})
        if before:
            self.stack.control(f"/faults?script={quote(before)}", method="DELETE")

    def until_it_stands(self) -> None:
        """Return once the market stands."""
        self.until(lambda: self.stands, "the market to stand")

    def until(self, holds: Callable[[], bool], what: str) -> None:
        """Wait for what must become true."""
        self.stack.until(holds, PATIENCE_S, what)

    def advance_until(self, holds: Callable[[], bool], what: str, *, at_most_s: int = 1800) -> None:
        """Let the market go on, piece by piece, until something is true; fail when the day brings it not."""
        last = self.now + timedelta(seconds=at_most_s)
        while not holds():
            assert self.now < last, f"waited {at_most_s} market seconds for {what}\n{self.stack.tail()}"
            self.go_on(WAVE_S)
            self.until(lambda: holds() or self.stands, what)

    def carry(self, least: int = 3, user_id: str = "") -> None:
        """Let the market go on until positions are open, of this user or of all, while it stands and nothing leaves."""
        for _ in range(CARRIES_WITHIN):
            self.advance(1)
            self.until_settled()
            if len(self.open_of(user_id)) >= least:
                return
        raise AssertionError(f"no {least} positions of {user_id or 'all'} after {CARRIES_WITHIN} waves")

    # -- how it stands -----------------------------------------------------------------------------------------

    def fault(self, *rules: dict[str, Any]) -> None:
        """Put faults of the exchange in force: presets or rules."""
        for rule in rules:
            self.stack.control("/faults", rule)

    def heal(self) -> None:
        """Take every fault out of force, the waves with them."""
        self.stack.control("/faults", method="DELETE")
        self._wave = ""
        self.clock_file.unlink(missing_ok=True)
        self.crash_file.unlink(missing_ok=True)

    def open_of(self, user_id: str) -> dict[str, int]:
        """Give what the exchange has open of one user; empty means all."""
        return {place: units for place, units in self.referee.open_positions().items() if place.startswith(user_id)}

    def is_halted(self, email: str) -> bool:
        """Say whether a client is stopped, and no kill is being carried out any more."""
        running = "select id from trading_commandrow where kind = 'KILL' and finished_at is null"
        return not self.stack.rows(running) and state_of(self.stack, email) == "HALTED"

    def imported(self, purpose: str, user_id: str) -> int:
        """Count the exits of one purpose that came home by the exit journal."""
        sql = (
            "select count(distinct i.tag) as n from trading_orderintentrow i"
            " join trading_brokeraccount a on a.id = i.account_id"
            " join trading_eventlog e on e.tag = i.tag and e.kind = 'EXIT_IMPORTED'"
            " where i.purpose = ? and a.broker_user_id = ?"
        )
        return int(self.stack.rows(sql, purpose, user_id)[0]["n"])

    def came_home(self) -> int:
        """Count the exits that came home by the exit journal."""
        sql = "select count(distinct tag) as n from trading_eventlog where kind = 'EXIT_IMPORTED'"
        return int(self.stack.rows(sql)[0]["n"])

    def until_the_engine_has_heard(self) -> None:
        """Return once everything that was asked of the engine is done: it cannot hear of it from a database away."""
        waiting = "select id from trading_commandrow where finished_at is null"
        self.until(lambda: not self.stack.rows(waiting), "the engine to hear of what was asked")

    def until_in_time(self, holds: Callable[[], bool], what: str) -> None:
        """Wait for what may need market time: some passes, calmly, whenever the market stood for a while.

        An exit that was denied is tried again after market seconds; while the market stands that is never.
        """
        gave_at = time.monotonic()

        def holds_now() -> bool:
            nonlocal gave_at
            if holds():
                return True
            if time.monotonic() - gave_at > GIVES_TIME_AFTER_S and self.stands:
                self.go_on(WAVE_S, calmly=True)
                gave_at = time.monotonic()
            return False

        self.until(holds_now, what)

    def until_settled(self) -> None:
        """Return once the market stands with nothing on its way."""
        self.until_in_time(lambda: self.stands and not self.referee.unsettled(), "what is on its way to end")

    def until_quiet(self) -> None:
        """Return once no order came for a while, and none waits: what was decided on the last prices has left."""
        seen, since = self.orders(), time.monotonic()

        def is_quiet() -> bool:
            nonlocal seen, since
            now, before = time.monotonic(), seen
            seen = self.orders()
            if seen != before or self.stack.rows(ON_THEIR_WAY):
                since = now
            return now - since >= QUIET_S

        self.until(is_quiet, "no more orders to come")

    def orders(self) -> int:
        """Count the orders at the exchange."""
        return sum(len(account["orders"]) for account in self.stack.control("/ledger").values())

    def holder(self) -> str:
        """Give who holds the lease."""
        return str(self._lease()["holder"])

    def _lease(self) -> dict[str, Any]:
        return self.stack.rows("select holder, epoch, counter from trading_lease")[0]

    def until_the_engine_works(self) -> None:
        """Return once an engine, not the standby, is seen to renew the lease, and has every account reconciled."""
        first: dict[tuple[str, int], int] = {}

        def works() -> bool:
            lease = self._lease()
            before = first.setdefault((lease["holder"], lease["epoch"]), lease["counter"])
            return str(lease["holder"]).startswith("engine") and int(lease["counter"]) != before

        self.until(works, "an engine to work")
        self.until(lambda: self.stack.rows(RECONCILED_SINCE)[0]["n"] == len(CLIENTS), "accounts to be reconciled")

    def settle(self) -> None:
        """Let what is on its way come to its end (I17), and check that nothing is wrong."""
        complaints = lasting(lambda: self.referee.complaints() + self.referee.stopped(), self.until_settled)
        assert not complaints, "\n".join(complaints)
