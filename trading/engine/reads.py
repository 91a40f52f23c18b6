"""Every read of one account at its broker: shared, within a budget, each judged before anybody believes it.

An answer says only what the broker showed at that moment. One that lacks what an earlier one had is suspicious: what it
has is taken in, and `ReadSuspect` is raised, so that nobody concludes anything from what it lacks.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from decimal import Decimal
from enum import IntEnum
from typing import TYPE_CHECKING, Generic, TypeVar

from trading.domain.drift import one_row_each
from trading.domain.errors import BrokerAuthError, BrokerError, BrokerUnavailable, ReadSuspect
from trading.domain.orders import BrokerOrder, BrokerPosition, BrokerTrade
from trading.domain.repricing import PriceQuote
from trading.domain.timezone import ist_day
from trading.engine.crash_points import crash_at
from trading.engine.tools import Tools
from trading.ports import Clock

if TYPE_CHECKING:
    from trading.engine.desk import AccountDesk

logger = logging.getLogger(__name__)

T = TypeVar("T")

QUOTES_PER_SECOND = 1


class Urgency(IntEnum):
    """How many reads a second there may be when this one leaves.

    Kite takes 10 a second and key besides orders and quotes (kite.trade/docs/connect/v3/exceptions). Polls leave some
    of them to look-ups of orders in doubt, and an exit that waits for a look finds room when nothing else does.
    """

    POLL = 5
    USUAL = 8
    EXIT = 10


class ReadBudget:
    """Counts the reads of one account over the last wire second."""

    def __init__(self) -> None:
        self._sent: deque[float] = deque(maxlen=max(Urgency))

    def wait_s(self, now: float, most: int) -> float:
        """Give the wire seconds until there are fewer than `most` within a second; 0 means now."""
        return max(0.0, self._sent[-most] + 1.0 - now) if len(self._sent) >= most else 0.0

    def spend(self, now: float) -> None:
        """Count one read."""
        self._sent.append(now)

    async def take(self, clock: Clock, most: int) -> None:
        """Wait until there are fewer than `most` within a second, and count one."""
        while (wait_s := self.wait_s(clock.monotonic(), most)) > 0:
            await clock.sleep(wait_s)
        self.spend(clock.monotonic())


class SharedRead(Generic[T]):
    """One kind of read. Whoever asks gets an answer that began after asking; those who wait together share one.

    `good_at` (market time), `good_wall` and `good_wire` are of the last answer that was believed, `trouble` says in
    words why the latest one was not.
    """

    def __init__(self, clock: Clock, budget: ReadBudget, read: Callable[[], Awaitable[T]]) -> None:
        self.good_at: datetime | None = None
        self.good_wall: datetime | None = None
        self.good_wire: float | None = None
        self.trouble = "not read yet"
        self._clock = clock
        self._budget = budget
        self._read = read
        self._turn = asyncio.Lock()
        self._begun = self._answered = 0
        self._answer: T | None = None

    async def ask(self, urgency: Urgency = Urgency.USUAL) -> T:
        """Read, or join a read that has not begun yet. Raises BrokerError; then nothing is known."""
        wanted = self._begun + 1
        if urgency is Urgency.POLL:
            await self._room(urgency)  # before its turn: whoever is more urgent does not wait behind it
        async with self._turn:
            if self._answered >= wanted and self._answer is not None:
                return self._answer
            await self._room(max(urgency, Urgency.USUAL))
            self._budget.spend(self._clock.monotonic())
            self._begun += 1
            number = self._begun
            try:
                answer = await self._read()
            except BrokerError as error:
                self.trouble = str(error)
                raise
            self._answer, self._answered = answer, number
            self.good_at, self.good_wall = self._clock.now(), self._clock.wall()
            self.good_wire, self.trouble = self._clock.monotonic(), ""
            return answer

    async def _room(self, urgency: Urgency) -> None:
        while (wait_s := self._budget.wait_s(self._clock.monotonic(), urgency)) > 0:
            await self._clock.sleep(wait_s)

    def age_s(self) -> float:
        """Give the wire seconds since an answer was believed; endless before the first."""
        return float("inf") if self.good_wire is None else self._clock.monotonic() - self.good_wire


class AccountReads:
    """Order book, trades, positions and prices of one account."""

    def __init__(self, tools: Tools, desk: "AccountDesk") -> None:
        self._tools = tools
        self._desk = desk
        self._budget, self._quotes = ReadBudget(), ReadBudget()
        self.orders = SharedRead(tools.clock, self._budget, self._orders)
        self.trades = SharedRead(tools.clock, self._budget, self._trades)
        self.positions = SharedRead(tools.clock, self._budget, self._positions)

    async def prices(self, instruments: Sequence[str]) -> dict[str, Decimal]:
        """Read last prices. Raises BrokerError."""
        # One request a second is what the broker allows for prices of every kind.
        await self._quotes.take(self._tools.clock, QUOTES_PER_SECOND)
        return await self._asked(lambda: self._desk.broker.last_prices(instruments))

    async def quotes(self, instruments: Sequence[str]) -> dict[str, PriceQuote]:
        """Read last prices and circuit bands. Raises BrokerError."""
        # One request a second is what the broker allows for prices of every kind.
        await self._quotes.take(self._tools.clock, QUOTES_PER_SECOND)
        return await self._asked(lambda: self._desk.broker.quotes(instruments))

    async def unjudged(self) -> tuple[list[BrokerOrder], list[BrokerPosition]]:
        """Read book and positions for an exit as the broker shows them: nothing is taken in, nothing of ours is asked.

        Within the budget and at an exit's urgency, but in no queue behind other reads. Raises BrokerError.
        """
        await self._budget.take(self._tools.clock, Urgency.EXIT)
        orders = await self._asked(lambda: self._desk.broker.orders())
        await self._budget.take(self._tools.clock, Urgency.EXIT)
        return orders, await self._asked(lambda: self._desk.broker.positions())

    async def _orders(self) -> list[BrokerOrder]:
        """Take the book in. An order that was there and is not any more makes the read suspicious."""
        known = self._desk.orders.order_ids()
        rows = [row for row in await self._asked(lambda: self._desk.broker.orders()) if self._is_todays(row.placed_at)]
        for row in rows:
            self._desk.hear(row)
        lost = known - {row.order_id for row in rows}
        if lost:
            raise ReadSuspect(f"the order book lacks {_count(lost, 'order')} that the broker has: {_some(lost)}")
        return rows

    async def _trades(self) -> list[BrokerTrade]:
        """Keep the fills and take them in. A fill that was listed and is not any more makes the read suspicious."""
        known = self._desk.orders.trade_ids()
        rows = [row for row in await self._asked(lambda: self._desk.broker.trades()) if self._is_todays(row.filled_at)]
        await self._desk.outcomes.save_trades(rows)
        crash_at("after_fill_commit")
        self._desk.take_trades(rows)
        lost = known - {(row.order_id, row.trade_id) for row in rows}
        if lost:
            listed = {trade_id for _, trade_id in lost}
            raise ReadSuspect(f"the list of trades lacks {_count(listed, 'trade')} that it had: {_some(listed)}")
        return rows

    async def _positions(self) -> list[BrokerPosition]:
        """Take the positions in. An empty or shorter answer than the fills ask for is never `flat`."""
        expected = self._desk.orders.expected_rows()
        answer = await self._asked(lambda: self._desk.broker.positions())
        rows = one_row_each(answer)
        self._desk.orders.take_positions(rows, is_evidence=self._market_has_begun())
        self._desk.positions_came()
        lost = {f"{key.instrument} {key.product}" for key in expected - set(rows)}
        if lost:
            raise ReadSuspect(f"the positions lack {_count(lost, 'row')} that the fills ask for: {_some(lost)}")
        return list(rows.values())

    async def _asked(self, read: Callable[[], Awaitable[T]]) -> T:
        """Ask the broker; a dead session is remembered until a new one works."""
        try:
            answer = await read()
        except BrokerAuthError as error:
            self._desk.session_lost(str(error))
            raise
        except BrokerError as error:
            self._desk.unreadable.heard(error)
            self._desk.heard_refusal(error)
            self._note_unread()
            raise
        except Exception as error:  # an adapter's defect is one more way not to know: nobody may fail of it
            logger.exception("a read of account=%s failed", self._desk.ref.key)
            if self._desk.unread_since is None:
                text = f"reads of {self._desk.ref.key} fail in a way that nobody expects: {error!r}"
                self._tools.alarm(self._desk.ref.client_id, "ENGINE_PART_FAILED", text, account=self._desk.ref.key)
            self._note_unread()
            raise BrokerUnavailable(f"the adapter failed: {error!r}") from error
        self._desk.has_session, self._desk.unread_since = True, None
        return answer

    def _note_unread(self) -> None:
        if self._desk.unread_since is None:
            self._desk.unread_since = self._tools.clock.monotonic()

    def _is_todays(self, moment: datetime | None) -> bool:
        """Say whether a row is of this session's day: after midnight the broker still shows the day before."""
        return moment is None or ist_day(moment) == self._tools.day

    def _market_has_begun(self) -> bool:
        """Say whether positions can be today's: before the first session they may still be those of the day before."""
        begins = self._tools.deps.calendar.day_begins_at(self._tools.day)
        return begins is not None and self._tools.now() >= begins


def _count(found: set[str], noun: str) -> str:
    return f"{len(found)} {noun}{'' if len(found) == 1 else 's'}"


def _some(found: set[str]) -> str:
    return ", ".join(sorted(found)[:3]) + (" ..." if len(found) > 3 else "")
