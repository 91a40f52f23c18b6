"""The world of one simulated day: market, broker, database, clients, and the engine processes that live in it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import date, time
from decimal import Decimal
from functools import lru_cache, partial
from random import Random
from typing import Any

from trading.brokers.kite.packets import decode_frame
from trading.domain.calendar import MarketCalendar
from trading.domain.control import TradingState
from trading.domain.errors import StoreUnavailable
from trading.domain.instruments import Instrument, InstrumentType
from trading.domain.ladder_config import RangeSource
from trading.domain.money import from_scaled
from trading.domain.orders import OrderIntent
from trading.domain.reference_range import ReferenceRange
from trading.domain.ticks import Tick
from trading.domain.timezone import at_ist
from trading.engine import EngineDeps
from trading.exchange.kite import packets
from trading.ports import AccountRef, Broker, ClientPolicy, Plan
from trading.simulation.adapter import Line, SimKiteBroker
from trading.simulation.house import BrokerHouse
from trading.simulation.living import EngineProcess, LivingFeed, LivingLocks, LivingPulse
from trading.simulation.market import DayMarket
from trading.simulation.memory_files import MemoryExitJournal, MemoryMachine
from trading.simulation.memory_kill_files import MemoryKillFiles
from trading.simulation.memory_store import MemoryStore
from trading.simulation.nobody import NoHistory, Silence
from trading.simulation.prices import Range, previous_range
from trading.simulation.process import Before, Life, LivingClock, LivingPort
from trading.simulation.referee.bench import Referee, ToldDirectly, WatchedStore
from trading.simulation.referee.case import Case
from trading.simulation.requests import Caller, Rest
from trading.simulation.unanswered import Answers
from trading.simulation.virtual_time import SimClock
from trading.simulation.weather import Shape

DAY = date(2026, 11, 23)
BEGINS = time(9, 5)
USERS = {"AB1001": 1, "AB1002": 2, "AB1003": 1}
"""The broker's users and whose accounts they are: client 1 has two where there are three."""
FEED_USER = "AB1001"
SHARES = (
    Instrument("NSE", "GILLETTE", 378625, Decimal("0.05"), 1),
    Instrument("NSE", "INFY", 408065, Decimal("0.05"), 1, has_derivatives=True),
)
FUTURE = Instrument(
    "NFO", "NIFTY26NOVFUT", 12_683_010, Decimal("0.05"), 75, InstrumentType.FUT, "NFO-FUT", "NIFTY", expiry=DAY
)
UNITS = (10, 25, 100, 350)


@lru_cache(maxsize=1)
def calendar() -> MarketCalendar:
    """Give the calendar, read once."""
    return MarketCalendar.load()


class World:
    """Everything of the day but its course. `before_store` and `before_broker` are awaited before each such call."""

    def __init__(self, seed: int, shape: Shape) -> None:
        self.shape = shape
        self.rng = Random(f"{seed}:day")  # noqa: S311 - the same seed gives the same day
        self.calendar = calendar()
        self._known = replace(self.calendar, years=frozenset(), _hours={}) if shape.is_unknown else self.calendar
        """What the engines know of the calendar."""
        self.clock = SimClock(at_ist(DAY, BEGINS))
        self.instruments = (*SHARES, FUTURE) if shape.is_expiry else SHARES
        self.ranges: dict[int, Range] = {one.token: previous_range(self.rng) for one in self.instruments}
        self.market = DayMarket(DAY, self.instruments, self.ranges)
        self.house = BrokerHouse(self.market, self.clock, self.calendar, seed)
        self.store = MemoryStore(self.clock)
        self.answers = Answers(seed, self.clock, self.store)
        self.machine = MemoryMachine()
        self.kill_files = MemoryKillFiles(self.clock)
        self.tokens: dict[str, str] = {}
        self.processes: list[EngineProcess] = []
        self.before_store: Before = _at_once
        self.at_claim: Callable[[str], None] = lambda tag: None
        """Told the tag of every order at the moment at which its claim is asked for."""
        self.before_broker: dict[str, Before] = {}
        self._lives = 0
        for user_id in list(USERS)[: shape.accounts]:
            self._add_account(user_id, shape)
        known = {one.key: one for one in self.instruments}
        self.case = Case(self.house, self.store, self.calendar, known, self.machine, self.processes, self._owner_of)
        self.referee = Referee(self.case)
        self._rest = Rest(self.house, Random(f"{seed}:wire"), self.referee)  # noqa: S311

    def _add_account(self, user_id: str, shape: Shape) -> None:
        account, client, rng = f"kite:{user_id}", USERS[user_id], self.rng
        self.tokens[user_id] = self.house.venue.issue_token(user_id)
        if client not in self.store.policies:
            policy = _policy(client, rng)
            if shape.stop_percent and client == 1:
                policy = replace(policy, disaster_stop_percent=Decimal(shape.stop_percent))
            self.store.add_client(policy)
        self.store.add_account(AccountRef(len(self.tokens), account, client, "kite"))
        for one in self.instruments:
            known = self.ranges[one.token]
            high, low = from_scaled(known.high), from_scaled(known.low)
            day_range = ReferenceRange(high, low, RangeSource.PREVIOUS_DAY, "2026-11-20", "2026-11-20", "simulated")
            units = one.lot_size * rng.choice((1, 3)) if one.lot_size > 1 else rng.choice(UNITS)
            if one.lot_size > 1 and shape.future_lots:
                units = one.lot_size * shape.future_lots
            self.store.add_plan(Plan(account, one, {}, units, None, day_range))

    # -- processes -----------------------------------------------------------------------------------------------

    def _owner_of(self, account: str) -> str:
        owner = self.machine.owners.get(account)
        return owner.name if isinstance(owner, LivingLocks) and not owner.is_dead else ""

    def start_engine(self, *, standby: bool = False) -> EngineProcess:
        """Start one more engine process."""
        self._lives += 1
        life = Life(f"life-{self._lives}")
        clock = LivingClock(life, self.clock)
        locks = LivingLocks(self.machine, life, clock)
        life.on_death = partial(self._died, locks)
        feed = LivingFeed(life, self._ticks)
        watched = WatchedStore(life.name, self.store, self.referee)
        asked = self._store_asked(life.name)
        answered = [self.answers.of(life.name, port, watched) for port in ("store", "lease")]
        store: Any = LivingPort(life, answered[0], before=self._before_store, asked=asked, turns=asyncio.Lock())
        leases: Any = LivingPort(life, answered[1], before=self._before_store, turns=asyncio.Lock())
        journal: Any = self.answers.of(life.name, "journal", MemoryExitJournal(self.machine, locks))
        deps = EngineDeps(
            clock=clock,
            store=store,
            leases=leases,
            locks=locks,
            exit_journal=journal,
            feed=feed,
            broker_for=lambda ref: self._broker_for(life, ref),
            history_for=lambda _: NoHistory(),
            live=Silence(),
            calendar=self._known,
            alarm_post=ToldDirectly(life.name, self.referee),
            kill_files=self.kill_files,
            pulse=LivingPulse(self.machine, life),
            holder=life.name,
        )
        process = EngineProcess(deps, life, feed, standby=standby)
        self.processes.append(process)
        return process

    def bury(self, process: EngineProcess) -> None:
        """Take a dead process away."""
        process.bury()
        self.processes.remove(process)

    def _died(self, locks: LivingLocks) -> None:
        self.note_trouble()
        if not locks.is_dead:
            locks.die()

    def note_trouble(self) -> None:
        """Tell the referee that something is in the engine's way now."""
        self.case.troubled_at = self.clock.monotonic()

    def _store_asked(self, process: str) -> Any:
        def asked(name: str, *args: Any, **_: Any) -> None:
            if name == "claim":
                self.referee.claiming(process, args[0])
                self.at_claim(args[0])

        return asked

    def _before_store(self, name: str) -> Awaitable[None]:
        return self.before_store(name)

    def _broker_for(self, life: Life, ref: AccountRef) -> Broker:
        user_id = ref.key.partition(":")[2]
        user = self.house.venue.users[user_id]
        caller = Caller(user_id, user.api_key, self.tokens[user_id], life.name)
        broker = SimKiteBroker(self.house, self._rest, caller, ref.key, self.clock)

        def asked(name: str, *args: Any, **_: Any) -> None:
            self.referee.asked(life.name, ref.key, name, args[0] if args else None)

        async def before(name: str) -> None:
            if user_id in self.before_broker:
                await self.before_broker[user_id](name)

        port: Any = LivingPort(life, _Timed(broker, self.referee), before=before, asked=asked)
        made: Broker = port
        return made

    async def _ticks(self) -> AsyncIterator[list[Tick]]:
        """Yield the feed account's packets as ticks, connecting again after each cut."""
        while True:
            line = Line(self.house, FEED_USER, self.house.venue.users[FEED_USER].api_key)
            line.is_ticker = True
            line.modes = {one.token: packets.FULL for one in self.instruments}
            try:
                self.house.feed.snapshot(line, list(line.modes))
                while (frame := await line.receive()) is not None:
                    if isinstance(frame, bytes):
                        yield decode_frame(frame)
            finally:
                line.close()
            await asyncio.sleep(1.0)


class _Timed:
    """An adapter whose placing calls tell the referee when they are over."""

    def __init__(self, broker: SimKiteBroker, referee: Referee) -> None:
        self._broker = broker
        self._referee = referee

    def __getattr__(self, name: str) -> Any:
        """Give everything else as it is."""
        return getattr(self._broker, name)

    async def place(self, intent: OrderIntent) -> str:
        """Send an order."""
        try:
            return await self._broker.place(intent)
        finally:
            self._referee.returned(intent)


async def _at_once(name: str) -> None:
    """Let a call pass."""


def store_down(name: str) -> None:
    """Refuse a call as a database that is away. Raises StoreUnavailable."""
    raise StoreUnavailable(f"the database is down ({name})")


def _policy(client_id: int, rng: Random) -> ClientPolicy:
    return ClientPolicy(
        client_id=client_id,
        label=f"client {client_id}",
        state=TradingState.ACTIVE,
        squares_off_on_kill=True,
        square_off_at=rng.choice((time(15, 15), time(15, 15), time(15, 12))),
        no_new_entry_after=rng.choice((time(15, 0), time(14, 30))),
        daily_loss_limit=rng.choice((None, Decimal(2000))),
        daily_profit_limit=rng.choice((None, None, Decimal(3000))),
        max_trades_per_day=rng.choice((None, 6)),
        max_open_positions=rng.choice((None, None, 1)),
        max_order_value=rng.choice((None, None, Decimal(20_000))),
    )
