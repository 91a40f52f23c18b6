"""A stage for the whole engine: memory store, fake brokers, virtual clock. Alice is client 1, Bob is 2."""

import asyncio
from collections.abc import Mapping
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any

from tests.fakes.broker import FakeBroker
from tests.fakes.feed import FakeFeed, FakeLive
from tests.fakes.history import FakeHistory
from tests.fakes.virtual_clock import VirtualClock, let_run
from trading.domain.calendar import MarketCalendar
from trading.domain.control import TradingState
from trading.domain.instruments import Instrument
from trading.domain.ladder_config import RangeSource
from trading.domain.money import to_scaled
from trading.domain.reference_range import ReferenceRange
from trading.domain.ticks import Tick
from trading.domain.timezone import at_ist
from trading.engine import EngineDeps
from trading.engine.runtime import Engine
from trading.engine.session import Session
from trading.ports import AccountRef, Broker, ClientPolicy, EngineEvent, Plan
from trading.simulation.memory_files import MemoryExitJournal, MemoryLocks, MemoryMachine, MemoryPulse
from trading.simulation.memory_kill_files import MemoryKillFiles
from trading.simulation.memory_store import MemoryStore

DAY = date(2026, 11, 23)
LADDER_WORDS = {"NOT_TRADED", "SKIPPED", "ENTRY", "TARGET", "TRAIL", "STOP", "SQUARE_OFF"}

GILLETTE = Instrument("NSE", "GILLETTE", 378625, Decimal("0.05"), 1)
INFY = Instrument("NSE", "INFY", 408065, Decimal("0.05"), 1, has_derivatives=True)
RANGE = (Decimal(110), Decimal(100))
"""Entry levels 108.10 and 100.90, T1 108.60 and 100.40, Y1 103.10 and 105.90, a step of 0.50."""
FRACTIONS_OF_TEN = {"booking_fractions": ["0.1"] * 10}


def policy(client_id: int = 1, **changes: Any) -> ClientPolicy:
    """Make a client without limits, squared off at 15:15."""
    values: dict[str, Any] = {
        "client_id": client_id,
        "label": f"client {client_id}",
        "state": TradingState.ACTIVE,
        "squares_off_on_kill": True,
        "square_off_at": time(15, 15),
        "no_new_entry_after": time(15, 0),
        "daily_loss_limit": None,
        "daily_profit_limit": None,
        "max_trades_per_day": None,
        "max_open_positions": None,
        "max_order_value": None,
    }
    return ClientPolicy(**{**values, **changes})


class Stage:
    """Everything a test of the engine needs. Build it inside a running loop."""

    def __init__(self, start_at: str = "09:14:00", day: date = DAY) -> None:
        self.clock = VirtualClock(at_ist(day, time.fromisoformat(start_at)))
        self.store = MemoryStore(self.clock)
        self.machine = MemoryMachine()
        self.feed = FakeFeed()
        self.live = FakeLive()
        self.kill_files = MemoryKillFiles(self.clock)
        self.brokers: dict[str, FakeBroker] = {}
        self.history = FakeHistory()
        self.plans: dict[str, Instrument] = {}
        self.packets: dict[int, Tick] = {}
        """The market's last packet of each instrument."""
        self.engine: Engine | None = None
        self.task: asyncio.Task[None] | None = None
        self.standbys: list[asyncio.Task[None]] = []
        """What runs beside it; `stop` ends it."""

    # -- arranging ---------------------------------------------------------------------------------------------

    def client(self, client_id: int = 1, user_id: str = "AB1001", **changes: Any) -> FakeBroker:
        """Add a client with one account."""
        self.store.add_client(policy(client_id, **changes))
        return self.account(client_id, user_id)

    def account(self, client_id: int, user_id: str) -> FakeBroker:
        """Add an account to a client."""
        self.store.add_account(AccountRef(client_id, f"kite:{user_id}", client_id, "kite"))
        broker = self.brokers[f"kite:{user_id}"] = FakeBroker(self.clock.now, user_id)
        return broker

    def plan(
        self,
        instrument: Instrument = GILLETTE,
        *,
        user_id: str = "AB1001",
        quantity: int = 100,
        config: Mapping[str, Any] | None = None,
        day_range: tuple[Decimal, Decimal] | None = RANGE,
    ) -> None:
        """Add an instrument to an account's plans, with the (high, low) of the session before."""
        known = day_range and ReferenceRange(*day_range, RangeSource.PREVIOUS_DAY, "2026-11-20", "2026-11-20", "test")
        self.store.add_plan(Plan(f"kite:{user_id}", instrument, config or {}, quantity, None, known))
        self.plans[instrument.key] = instrument

    def deps(self, **changes: Any) -> EngineDeps:
        """Give the engine's world."""
        locks = changes.get("locks") or MemoryLocks(self.machine)
        values: dict[str, Any] = {
            "clock": self.clock,
            "store": self.store,
            "leases": self.store,
            "locks": locks,
            "exit_journal": MemoryExitJournal(self.machine, locks),
            "kill_files": self.kill_files,
            "pulse": MemoryPulse(self.machine),
            "feed": self.feed,
            "broker_for": self.broker_for,
            "history_for": lambda ref: self.history,
            "live": self.live,
            "calendar": MarketCalendar.load(),
        }
        return EngineDeps(**{**values, **changes})

    def broker_for(self, ref: AccountRef) -> Broker:
        """Give the fake broker of an account."""
        return self.brokers[ref.key]

    # -- acting ------------------------------------------------------------------------------------------------

    async def start(self, *, standby: bool = False, **changes: Any) -> "Stage":
        """Start an engine and let it come up."""
        self.engine = Engine(self.deps(**changes), standby=standby)
        self.task = asyncio.create_task(self.engine.run())
        await self.clock.pass_wire(0.01)
        return self

    async def stop(self) -> None:
        """Stop it cleanly."""
        for task in self.standbys:
            task.cancel()
        if self.engine is not None and self.task is not None:
            stopping = asyncio.create_task(self.engine.stop())
            await self.clock.pass_wire(3.0)
            await stopping
            self.task.cancel()
            await asyncio.gather(self.task, return_exceptions=True)
            self.engine = self.task = None

    async def tick(self, at: str, price: str | Decimal, instrument: Instrument | None = None) -> None:
        """Let market time come to `at` with one tick, and everything that follows happen."""
        instrument = instrument or next(iter(self.plans.values()), GILLETTE)
        self.clock.set_ist(at)
        self.feed.put(self.trade(price, instrument))
        await self.settle(0.2)  # slow enough for the rate budget

    def trade(self, price: str | Decimal, instrument: Instrument) -> Tick:
        """Let the market trade one unit at a price now, and give the packet that tells of it, without sending it."""
        price = Decimal(price)
        for broker in self.brokers.values():
            broker.prices[instrument.key] = price
        scaled, stamp = to_scaled(price), int(self.clock.now().timestamp())
        last = self.packets.get(instrument.token, Tick(0, scaled, 0, scaled, scaled, scaled, scaled, 0))
        high, low = max(last.high, scaled), min(last.low, scaled)
        packet = Tick(instrument.token, scaled, stamp, last.open, high, low, last.close, last.volume + 1)
        self.packets[instrument.token] = packet
        return packet

    async def ticks(self, *pairs: tuple[str, str]) -> None:
        """Send several ticks."""
        for at, price in pairs:
            await self.tick(at, price)

    async def settle(self, wire_s: float = 0.02) -> None:
        """Let a little wire time pass."""
        await self.clock.pass_wire(wire_s)

    async def at(self, hhmmss: str, wire_s: float = 0.02) -> None:
        """Let market time come to a moment without a tick."""
        self.clock.set_ist(hhmmss)
        await let_run()
        await self.settle(wire_s)

    async def live_until(self, hhmmss: str, step_s: int = 1) -> None:
        """Let market and wire time pass together, as they do live, up to a moment of the day."""
        until = at_ist(DAY, time.fromisoformat(hhmmss))
        while self.clock.now() < until:
            self.clock.set(self.clock.now() + timedelta(seconds=step_s))
            await self.clock.pass_wire(step_s)

    # -- asking ------------------------------------------------------------------------------------------------

    @property
    def broker(self) -> FakeBroker:
        """Alice's broker."""
        return self.brokers["kite:AB1001"]

    @property
    def session(self) -> Session:
        """The running session."""
        assert self.engine is not None
        assert self.engine.session is not None
        return self.engine.session

    def events(self, *kinds: str) -> list[EngineEvent]:
        """Give the committed events of these kinds."""
        return [event for event in self.store.events if event.kind in kinds]

    def ladder_events(self) -> list[dict[str, Any]]:
        """Give the ladder's decisions in the paper's words."""
        return [
            {key: value for key, value in event.data.items() if key not in ("tick", "levels", "range")}
            for event in self.store.events
            if event.kind in LADDER_WORDS
        ]

    def sent(self) -> list[tuple[str, str, int]]:
        """Give what reached Alice's broker: purpose, side, units."""
        return [(i.key.purpose.value, i.side.value, i.quantity) for i in self.broker.placed]

    def alarm_codes(self) -> list[str]:
        """Give the codes of all alarms."""
        return [code for _, code, _ in self.store.alarms]
