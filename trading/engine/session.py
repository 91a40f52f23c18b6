"""One reign over a shard's day: everything between taking the lease and losing it, stopping, or midnight."""

import asyncio
import logging
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from functools import partial

from trading.domain.errors import BrokerError, StoreUnavailable
from trading.domain.ticks import Tick
from trading.domain.timezone import at_ist, midnight_epoch
from trading.engine.account_maker import AccountMaker, take_news
from trading.engine.client import ClientBook
from trading.engine.closing_check import ClosingCheck
from trading.engine.commands import CommandDesk
from trading.engine.confirming import PriceConfirmer
from trading.engine.day_copy import DayCopy
from trading.engine.day_source import DaySource
from trading.engine.deps import EngineDeps
from trading.engine.feed_health import FeedHealth
from trading.engine.feed_watch import FeedWatch
from trading.engine.flatten import Flattener
from trading.engine.homecoming import Homecoming
from trading.engine.house import AccountParts, House
from trading.engine.instruments import Instruments
from trading.engine.journal import Journal
from trading.engine.kill import KillSwitch
from trading.engine.ladder_book import LadderBook
from trading.engine.limits import LimitWatch
from trading.engine.live import LiveView
from trading.engine.locking import Locking
from trading.engine.opening import OpeningRanges
from trading.engine.orders import Working
from trading.engine.plans import Planner
from trading.engine.pnl_watch import PnlWatch
from trading.engine.price_check import PriceCheck
from trading.engine.progress import ProgressWatch
from trading.engine.quotes import QuoteWatch
from trading.engine.reach import ReachWatch
from trading.engine.rehearsal import Rehearsal
from trading.engine.round_trips import RoundTrips
from trading.engine.square_off import SquareOffPlanner
from trading.engine.square_off_plans import SquareOffPlans
from trading.engine.tick_desk import TickDesk
from trading.engine.tools import SendRight, Tools
from trading.ports import MarketRound

logger = logging.getLogger(__name__)

UPDATES_MAY_TAKE_S = 1.0
READS_COMMANDS_AFTER_S = 0.01
"""A round that comes this much later than the last one was held up by somebody, perhaps Beat's task: read first."""
LOOKS_EVERY_S = 1.0


class EndOfSession(StrEnum):
    """Why a session ended."""

    NEW_DAY = "new day"
    NOT_BEGUN = "not begun"
    LEASE_LOST = "lease lost"
    STOPPED = "stopped"


class Session:
    """Wires the parts of one reign together and moves ticks and rounds through them."""

    def __init__(self, deps: EngineDeps, right: SendRight, day: date, copy: DayCopy | None = None) -> None:
        journal = Journal(deps.clock, deps.store, deps.live, deps.alarm_post)
        self.tools = Tools(deps, day, right, journal)
        self._locking = Locking(self.tools)
        self._source = DaySource(self.tools, self._locking, copy)
        book = LadderBook(midnight_epoch(day), lambda tick, known: self._confirmer.doubt(tick, known))
        self.house = House(book, Instruments(book))
        self.live = LiveView(self.tools, self.house)
        self.house.on_state = self.live.state
        flattener = Flattener(self.tools, self.house.runner_of, self.house.instruments.last_price)
        self.round_trips = RoundTrips()
        self.square_off_plans = SquareOffPlans(self.tools, self.house, self.round_trips)
        self.rehearsal = Rehearsal(self.tools, self.house, flattener, self.square_off_plans)
        self.square_off = SquareOffPlanner(self.tools, flattener, self.square_off_plans, self.rehearsal.arm)
        self._limits = LimitWatch(self.tools, self.house, flattener)
        self._pnl = PnlWatch(self.tools, self.house, self._limits, self.live)
        book.is_held = self._pnl.is_held
        self._feed = FeedWatch(self.tools, self.house.control, self.live.all_states)
        self.ticks = TickDesk(self.tools, self.house, self._feed, self._pnl)
        self._confirmer = PriceConfirmer(self.tools, self.house, self._prices_confirmed)
        self._reach = ReachWatch(self.tools, self.house)
        self._opening = OpeningRanges(self.tools, self.house)
        self._planner = Planner(
            self.tools,
            self.house,
            self.square_off,
            self.square_off_plans,
            self._opening,
            accounts=AccountMaker(
                self.tools,
                self.house,
                is_near_end=self.square_off.is_near,
                on_fills=self._fills_changed,
                on_order=self._order_changed,
            ),
            on_fills=self._fills_changed,
            on_line=lambda runner: self.live.position(runner.line),
            plan_again=lambda: self.tools.spawn(self.reload(), "plan again"),
        )
        self.commands = CommandDesk(
            self.tools,
            self.house,
            kill=KillSwitch(self.tools, flattener),
            planner=self.square_off,
            flattener=flattener,
            reload_plans=self.reload,
            control=self._source.control,
        )
        self.over = asyncio.Event()
        self._ended: EndOfSession | None = None
        self._read_commands_at = float("-inf")

    # -- life --------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Load the day, begin to listen, and return once every account was asked once."""
        self.tools.keep(self.ticks.run, "ticks")
        await self._load()
        self._start_new_accounts()
        keep = self.tools.keep
        keep(self.tools.journal.keep_flushing, "journal")
        keep(self.live.run, "live")
        keep(self.commands.kill_files.run, "kill files")
        if self.tools.deps.hold is None:
            keep(lambda: self.tools.timers.drive(self.tools.clock), "timers")
        await self.tools.changed.until(self._is_every_account_looked_at)
        self._limits.resume()
        self.live.all_states()
        keep(self.commands.run, "commands")
        keep(self._keep_looking, "look")
        keep(ProgressWatch(self.tools, self.square_off).run, "progress")
        keep(Homecoming(self.tools, self.house).run, "homecoming")
        keep(QuoteWatch(self.tools, self.house).run, "quotes")
        keep(PriceCheck(self.tools, self.house).run, "price check")
        keep(FeedHealth(self.tools, self.house).run, "feed health")
        ClosingCheck(self.tools, self.house).arm()
        self.tools.timers.set("midnight", at_ist(self.tools.day + timedelta(days=1), time()), self._midnight)

    def end(self, why: EndOfSession) -> None:
        """End this session; the first reason counts."""
        if self._ended is None:
            self._ended = why
            self.over.set()

    async def stop(self) -> EndOfSession:
        """Stop every task, commit what is left to say, and close the brokers."""
        self.tools.journal.is_ending = True
        await self.tools.stop()
        try:
            await self.tools.journal.flush()
        except StoreUnavailable as error:
            logger.warning("the last events were not stored: %s", error)
        await self._opening.close()
        for parts in self.house.accounts.values():
            try:
                await parts.desk.broker.close()
            except BrokerError as error:
                logger.info("closing account=%s: %s", parts.desk.ref.key, error.code)
        return self._ended or EndOfSession.STOPPED

    def _midnight(self) -> None:
        self.end(EndOfSession.NEW_DAY)

    async def _load(self) -> None:
        book, control = await self._source.day()
        self._planner.take_over(book)
        self.house.note_control(control)

    async def reload(self) -> None:
        """Read policies, accounts and plans again, and try accounts again that wait for a sign-in."""
        await self._load()
        self._start_new_accounts()
        for client in self.house.clients.values():
            self._pnl.fills_changed(client)  # limits may be others now
        waiting = [parts.reconciler.renew() for parts in self.house.accounts.values() if not parts.desk.is_reconciled]
        await asyncio.gather(*waiting)
        self.live.all_states()

    def _start_new_accounts(self) -> None:
        new, self._planner.new_parts = self._planner.new_parts, []
        for parts in new:
            if self._locking.is_ours(parts.desk.ref):
                self._start_account(parts)
            else:
                self.tools.keep(partial(self._start_when_locked, parts), f"lock {parts.desk.ref.key}")

    async def _start_when_locked(self, parts: AccountParts) -> None:
        await self._locking.until_ours(parts.desk.ref)
        take_news(parts.desk, await self._source.book(), self.tools.now())
        self._start_account(parts)

    def _is_every_account_looked_at(self) -> bool:
        """Say whether every account was asked once, but for those that another process speaks for."""
        mine = (parts for parts in self.house.accounts.values() if self._locking.is_ours(parts.desk.ref))
        return all(parts.reconciler.is_first_done for parts in mine)

    def _start_account(self, parts: AccountParts) -> None:
        key = parts.desk.ref.key
        parts.listener.start()
        self.tools.keep(parts.gateway.run, f"gateway {key}")
        self.tools.keep(parts.reconciler.run, f"reconcile {key}")

    # -- what changed ------------------------------------------------------------------------------------------

    def _fills_changed(self, client: ClientBook) -> None:
        self._pnl.fills_changed(client)
        self.square_off.replan_soon(client)
        for line in client.lines():
            self.live.position(line)
        if not self.ticks.is_held:
            self._pnl.evaluate()

    def _order_changed(self, client_id: int, working: Working) -> None:
        self.round_trips.note(working, self.tools.now())
        self.live.order(client_id, working)

    async def _keep_looking(self) -> None:
        """Notice silence: of the feed, and of a clock that made nothing happen."""
        while True:
            await self.tools.clock.sleep(LOOKS_EVERY_S)
            self._feed.look()
            self._reach.look()
            if self.house.control.prices_stopped:
                self._pnl.quotes_came()
            if not self.ticks.is_held:
                self._pnl.evaluate()

    def _prices_confirmed(self, ticks: list[Tick]) -> None:
        self._pnl.ticks_came(ticks)
        if not self.ticks.is_held:
            self._pnl.evaluate()

    # -- a market that waits -----------------------------------------------------------------------------------

    def pass_round(self) -> None:
        """A round that nobody waits for: only timers."""
        self.ticks.is_held = False
        self.ticks.show()
        self.tools.timers.run_due(self.tools.now())
        self._pnl.evaluate()

    async def decide(self, round_: MarketRound) -> datetime | None:
        """Do everything that a round asks for and give the next market moment at which we must be asked again."""
        self.ticks.is_held = True
        if round_.round == 1:
            await self._read_commands()
        await self._updates_of(round_)
        await self.tools.work.settled()
        await self.ticks.of_round(round_)
        await self.settle()
        return self.tools.timers.next_due()

    async def settle(self) -> None:
        """Run timers and judge until nothing is left to do at this moment."""
        while True:
            ran = self.tools.timers.run_due(self.tools.now())
            await self.tools.work.settled()
            self._pnl.evaluate()
            if not ran and self.tools.work.is_idle:
                break
        try:
            await self.tools.journal.flush()
        except StoreUnavailable as error:
            logger.warning("events wait for the database: %s", error)

    async def _read_commands(self) -> None:
        now = self.tools.clock.monotonic()
        if now - self._read_commands_at >= READS_COMMANDS_AFTER_S:
            await self.commands.read()
            self._read_commands_at = self.tools.clock.monotonic()

    async def _updates_of(self, round_: MarketRound) -> None:
        """Wait for the order messages that the exchange sent before it asked."""
        waits = []
        for key, parts in self.house.accounts.items():
            serial = round_.updates.get(key.partition(":")[2], 0)
            if parts.desk.has_session and parts.desk.update_serial < serial:
                waits.append(parts.listener.until_serial(serial, UPDATES_MAY_TAKE_S))
        if waits:
            await asyncio.gather(*waits)
