"""Takes the batches of the feed in, and shows them to the ladders: at once, or in the round that waits for them.

Whatever waits is looked at together. After a standstill (a process that was stopped, a busy machine) that is a backlog:
then only what is new enough decides, and what newer ticks have overtaken only counts as seen. A stop is decided on the
price of now, not on one of twenty seconds ago that came at the same moment.
"""

import asyncio
import logging
from datetime import datetime

from trading.domain.risk import FEED_STALE_AFTER_S
from trading.engine.feed_watch import FeedWatch
from trading.engine.house import House
from trading.engine.pnl_watch import PnlWatch
from trading.engine.tools import Tools
from trading.engine.work import first_of, happened
from trading.ports import MarketRound, TickBatch

logger = logging.getLogger(__name__)

TICKS_MAY_TAKE_S = 5.0
FIRST_TICKS_MAY_TAKE_S = 1.0
CLOCK_MAY_LAG_S = 1.0
CLOCKS_MAY_DIFFER_S = 120
"""Market seconds that a tick may lie ahead of our clock (at 60x it follows by up to a minute); more is no tick."""
OVERTAKEN_S = FEED_STALE_AFTER_S
"""Exchange seconds by which a tick is older than the newest one of its instrument that waits with it."""


class TickDesk:
    """One session's. `is_held`: the market waits for us, and batches are looked at in its rounds only."""

    def __init__(self, tools: Tools, house: House, feed: FeedWatch, pnl: PnlWatch) -> None:
        self.is_held = False
        self._tools = tools
        self._house = house
        self._feed = feed
        self._pnl = pnl
        self._batches: list[TickBatch] = []
        self._came = asyncio.Event()
        self._done_step: int | None = None
        self._has_seen_round = False

    def take(self, batch: TickBatch) -> None:
        """Take one batch of the feed."""
        self._batches.append(batch)
        self._came.set()

    async def run(self) -> None:
        """Look at what came, for ever, where no round asks for it."""
        while True:
            await self._came.wait()
            self._came.clear()
            if not self.is_held:
                await self._until_it_is_time()
            if not self.is_held:
                self.show()
                self._pnl.evaluate()

    async def _until_it_is_time(self) -> None:
        """Let the market's clock come to the newest tick, where it is the exchange's and follows the feed."""
        stamps = [tick.exchange_ts for batch in self._batches for tick in batch.ticks]
        if self._tools.deps.hold is not None and stamps:
            clock, now = self._tools.clock, self._tools.now()
            newest = datetime.fromtimestamp(min(max(stamps), self._not_after()), tz=now.tzinfo)
            await first_of(clock.sleep_until(newest), clock.sleep(CLOCK_MAY_LAG_S))

    def show(self) -> None:
        """Show all that waits to the ladders."""
        batches, self._batches = self._batches, []
        not_after = self._not_after()
        newest: dict[int, int] = {}
        for batch in batches:
            for tick in batch.ticks:
                if tick.exchange_ts <= not_after:
                    newest[tick.token] = max(tick.exchange_ts, newest.get(tick.token, 0))
        for batch in batches:
            self._done_step = batch.step
            for tick in batch.ticks:
                is_overtaken = tick.exchange_ts < newest.get(tick.token, 0) - OVERTAKEN_S
                self._house.book.take(tick, not_after=not_after, decides=not is_overtaken)
            self._feed.note(tick for tick in batch.ticks if tick.exchange_ts <= not_after)
            self._pnl.ticks_came(batch.ticks)

    def _not_after(self) -> int:
        return int(self._tools.now().timestamp()) + CLOCKS_MAY_DIFFER_S

    # -- a market that waits -----------------------------------------------------------------------------------

    async def of_round(self, round_: MarketRound) -> None:
        """Show what waits; in a step's first round that is at least its own batch, where there is a ticker."""
        if round_.round == 1 and round_.has_ticker:
            await self._ticks_of(round_)
        self.show()
        self._has_seen_round = True

    def _has_ticks_of(self, round_: MarketRound) -> bool:
        """Say whether the step's batch waits here, or was taken before the first round was heard of."""
        if not self._has_seen_round and self._done_step == round_.step:
            return True
        return any(batch.step is not None and batch.step >= round_.step for batch in self._batches)

    async def _ticks_of(self, round_: MarketRound) -> None:
        """Wait for the batch that completes the round's step; a lost one is waited for only so long."""
        may_take = TICKS_MAY_TAKE_S if self._has_seen_round else FIRST_TICKS_MAY_TAKE_S
        deadline = self._tools.clock.monotonic() + may_take
        while not self._has_ticks_of(round_):
            left = deadline - self._tools.clock.monotonic()
            if left <= 0:
                logger.warning("no ticks of step %s came within %s s", round_.step, may_take)
                return
            self._came.clear()
            await first_of(happened(self._came), self._tools.clock.sleep(left))
