"""The kill switch pressed while fifty entries are on their way, the engine on a real database (F66, I7)."""

import asyncio
from collections.abc import Callable
from datetime import time
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction

from tests.databases import in_thread_of_its_own
from tests.engine.awaits import ARRIVES_WITHIN_S, SENDS, UNCLAIMED, Awaits, noting
from tests.engine.stage import GILLETTE
from tests.evidence.plugin import Tally
from tests.factories import DAY, make_account, make_range, make_watch_item
from tests.fakes.broker import FILL, REST, FakeBroker
from tests.fakes.clock import FakeClock
from tests.fakes.feed import FakeFeed, FakeLive
from tests.fakes.history import FakeHistory
from trading.domain.calendar import MarketCalendar
from trading.domain.control import CommandKind, TradingState
from trading.domain.money import to_scaled
from trading.domain.ticks import Tick
from trading.domain.timezone import at_ist
from trading.engine import EngineDeps, gateway, sending
from trading.engine.runtime import Engine
from trading.models import Client, CommandRow, House, OrderIntentRow, User
from trading.ports import AccountRef
from trading.services import control
from trading.simulation.memory_files import MemoryExitJournal, MemoryLocks, MemoryMachine
from trading.stores.engine import DjangoEngineStore
from trading.stores.leases import DjangoLeaseStore
from trading.stores.thread import DatabaseThread


class SteadyLease(DjangoLeaseStore):
    """A lease that a slow machine does not lose: it is not what is tried here."""

    async def renew(self, shard: str, epoch: int) -> bool:
        return True


class DatabaseStage:
    """The engine on a real database and the machine's own wire time."""

    def __init__(self) -> None:
        self.clock = FakeClock(at_ist(DAY, time(9, 14)))
        self.thread = DatabaseThread()
        self.feed = FakeFeed()
        self.brokers: dict[str, FakeBroker] = {}
        self.claimed: set[str] = set()
        self.pressed_at = 0.0

    def people(self) -> None:
        """Fill the database: fifty clients with an account each, all trading the same stock."""
        with transaction.atomic():
            make_range(GILLETTE.tradingsymbol, "110", "100")
            for number in range(1, SENDS + 1):
                user = User.objects.create(email=f"c{number}@example.com")
                client = Client.objects.create(user=user, onboarded_at=self.clock.now())
                make_watch_item(make_account(client, f"XY{number:04}"), GILLETTE.tradingsymbol, quantity=10)

    def press_now(self) -> None:
        """Press as a page does; what is claimed is read before the locks are given back."""
        with transaction.atomic():
            control.press_kill(None, None, clock=self.clock)
            rows = OrderIntentRow.objects.exclude(state__in=UNCLAIMED)
            self.claimed.update(rows.values_list("tag", flat=True))
        self.pressed_at = self.clock.monotonic()

    async def press(self) -> None:
        """Press from another process's point of view, while the engine goes on."""
        await asyncio.to_thread(in_thread_of_its_own(self.press_now))

    def broker_for(self, ref: AccountRef) -> FakeBroker:
        """Give the fake broker of an account."""
        if ref.key not in self.brokers:
            broker = self.brokers[ref.key] = FakeBroker(self.clock.now, ref.key.partition(":")[2])
            broker.script.append((FILL, REST)[ref.account_id % 2])
            broker.prices[GILLETTE.key] = Decimal("108.10")
        return self.brokers[ref.key]

    def deps(self, awaits: Awaits) -> EngineDeps:
        """Give the engine's world."""
        locks = MemoryLocks(MemoryMachine())
        return EngineDeps(
            clock=self.clock,
            store=awaits.around(DjangoEngineStore(self.thread, self.clock)),
            leases=SteadyLease(self.thread),
            locks=locks,
            exit_journal=MemoryExitJournal(MemoryMachine(), locks),
            feed=self.feed,
            broker_for=lambda ref: awaits.around(self.broker_for(ref)),
            history_for=lambda ref: FakeHistory(),
            live=FakeLive(),
            calendar=MarketCalendar.load(),
        )

    def tick(self, at: str, price: str) -> None:
        """Let the stock trade."""
        self.clock.set_ist(at)
        scaled, stamp = to_scaled(Decimal(price)), int(self.clock.now().timestamp())
        self.feed.put(Tick(1, scaled, stamp, scaled, scaled, scaled, scaled, stamp))

    async def until(self, condition: Callable[[], bool], within_s: float = 60.0) -> None:
        """Wait until something holds; an assertion says what did not."""
        deadline = self.clock.monotonic() + within_s
        while not condition() and self.clock.monotonic() < deadline:
            await self.clock.sleep(0.02)

    async def until_stored(self, condition: Callable[[], bool], within_s: float = 60.0) -> None:
        """The same, asked of the database."""
        deadline = self.clock.monotonic() + within_s
        while self.clock.monotonic() < deadline:
            if await asyncio.to_thread(in_thread_of_its_own(condition)):
                return
            await self.clock.sleep(0.05)


@pytest.mark.proves("F66", "I7")
@pytest.mark.parametrize(("point", "number"), [("before claim", 10), ("after claim", SENDS // 2)])
async def test_on_a_real_database_nothing_leaves_that_was_not_claimed_before_the_kill(
    database: str, tally: Tally, monkeypatch: pytest.MonkeyPatch, point: str, number: int
) -> None:
    for module in (gateway, sending):  # on a slow machine fifty commits take longer, and entries were dropped
        monkeypatch.setattr(module, "STORE_ANSWERS_WITHIN_S", 60.0)
    stage = DatabaseStage()
    await asyncio.to_thread(in_thread_of_its_own(stage.people))
    awaits = Awaits((point, number), stage.press)
    engine = Engine(stage.deps(awaits))
    running = asyncio.create_task(engine.run())
    try:
        await stage.until(lambda: engine.session is not None)
        seen: dict[str, float] = {}
        for broker in stage.brokers.values():
            broker.before_place = noting(seen, stage.clock)
        stage.tick("09:15:00", "108.00")
        await asyncio.sleep(0.1)
        stage.tick("09:15:01", "108.10")
        await stage.until(lambda: awaits.is_pressed)  # before its commit there is no command to be unfinished
        await stage.until_stored(lambda: not CommandRow.objects.filter(finished_at=None).exists())
    finally:
        await engine.stop()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await asyncio.to_thread(stage.thread.close)

    late = [at - stage.pressed_at for at in seen.values() if at > stage.pressed_at]
    survived = set(seen) <= stage.claimed and all(late_s <= ARRIVES_WITHIN_S for late_s in late)
    tally.count(tried=SENDS, survived=SENDS if survived else 0)
    assert awaits.is_pressed
    assert set(seen) <= stage.claimed, "an entry reached its broker whose claim came after the kill's commit"
    assert survived
    assert [order for broker in stage.brokers.values() for order in broker.live()] == []
    assert {broker.net(GILLETTE.key) for broker in stage.brokers.values()} == {0}
    house, done = await asyncio.to_thread(in_thread_of_its_own(_outcome))
    assert house == TradingState.HALTED
    assert done["flat"] is True


def _outcome() -> tuple[str, Any]:
    return House.objects.get().state, CommandRow.objects.get(kind=CommandKind.KILL).result
