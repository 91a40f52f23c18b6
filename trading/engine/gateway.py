"""The way of one account's orders to the wire: intent committed, queued within the rate budget, then sent.

An exit that the database does not take within three seconds is queued all the same, for the way of the exit journal.

Each account has a gateway and a task of its own, so that a sick account delays nobody else.
"""

import asyncio
import heapq
import logging
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from trading.domain.backoff import Backoff
from trading.domain.errors import ExitAlreadyLive, StoreUnavailable, TradingError
from trading.domain.orders import IntentState, OrderChange
from trading.domain.risk import SIGNAL_HOLDS_S
from trading.engine.cancelling import Canceller
from trading.engine.changing import Changer
from trading.engine.crash_points import crash_at
from trading.engine.desk import AccountDesk
from trading.engine.gate import Gate
from trading.engine.orders import Working
from trading.engine.sending import OrderSender
from trading.engine.sight import Finding
from trading.engine.tools import STORE_ANSWERS_WITHIN_S, Tools, Way
from trading.engine.work import first_of, happened

logger = logging.getLogger(__name__)

CANCEL, EXIT, CHANGE, ENTRY = range(4)
LOOKS_FOR_A_WAY_EVERY_S = 0.2


@dataclass(order=True)
class _Job:
    rank: int
    number: int
    working: Working = field(compare=False)
    queued_at: float = field(compare=False)
    change: OrderChange | None = field(compare=False, default=None)


class AccountGateway:
    """Takes orders, changes and cancels from the lines; cancels go first, then exits."""

    def __init__(
        self,
        tools: Tools,
        desk: AccountDesk,
        gate: Gate,
        *,
        resolve_doubt: Callable[[Working], None],
        want_orders: Callable[[], None],
        take_over: Callable[[str], Awaitable[None]],
    ) -> None:
        self._tools = tools
        self._desk = desk
        self._sender = OrderSender(tools, desk, gate, resolve_doubt)
        self._canceller = Canceller(tools, desk, want_orders=want_orders, queue_again=self.cancel)
        self._changer = Changer(tools, desk, instrument_of=gate.sight.instrument_of, queue=self.change)
        self._want_orders = want_orders
        self._take_over = take_over
        self._jobs: list[_Job] = []
        self._count = 0
        self._unsure: set[str] = set()
        self._stirred = asyncio.Event()
        self._backoff = Backoff(first_s=0.5, most_s=4.0)

    # -- OrderWire ---------------------------------------------------------------------------------------------

    def submit(self, working: Working) -> None:
        """Commit the intent, then queue it."""
        self._tools.spawn(self._sender.guarded(working, self._commit(working)), f"commit {working.tag}")

    def cancel(self, working: Working) -> None:
        """Queue a cancel."""
        self._queue(CANCEL, working)

    def reprice(self, working: Working, step: int) -> None:
        """Find out where an exit that rests is to stand next, and queue that."""
        self._tools.spawn(self._changer.reprice(working, step), f"reprice {working.tag}")

    def change(self, working: Working, change: OrderChange) -> None:
        """Queue a change."""
        working.is_changing = True
        self._queue(CHANGE, working, change)

    # -- before the queue --------------------------------------------------------------------------------------

    async def _commit(self, working: Working) -> None:
        """Write the events and the intent; only a committed intent is queued."""
        tries, is_ours, began = 0, None, self._tools.clock.monotonic()
        while is_ours is None and not working.is_withdrawn:
            if working.purpose.is_exit and self._tools.right.way() is Way.JOURNAL:
                working.is_unstored = True  # nobody waits for a database that is known to be away
                break
            is_ours = await self._try_to_commit(working, tries, began)
            tries += 1
            if working.is_unstored:
                break
        crash_at("after_intent_commit")
        if is_ours or working.is_unstored:
            if _needs_fresh_look(working):
                # The client's hand and the broker's own square-off go on beside ours: what they closed meanwhile is
                # not closed again.
                await self._desk.freshen()
            self._queue(EXIT if working.purpose.is_exit else ENTRY, working)
        elif working.state is IntentState.NEW:
            working.is_withdrawn = True
            if working.tag in self._unsure:  # nobody waits for it: the database does not answer just now
                telling = self._desk.outcomes.never_sent(working, working.words or "withdrawn before it was sent")
                self._tools.spawn(telling, f"never sent {working.tag}")
            self._sender.settle(working, IntentState.DENIED)

    async def _try_to_commit(self, working: Working, tries: int, began: float) -> bool | None:
        """Say whether the intent is ours to send; None means try again. An entry is tried once.

        Neither waits long: an exit goes another way then, and an entry must not keep an exit of its line waiting.
        """
        try:
            is_new = await self._tools.within(STORE_ANSWERS_WITHIN_S, self._store(working))
        except Exception as error:
            return await self._not_committed(working, error, tries, began)
        # After an unanswered commit an existing row is the one that we wrote.
        if is_new or working.tag in self._unsure:
            return True
        logger.warning("%s existed already; it is not sent again", working.intent.key.text())
        await self._free_what_another_life_left(working)
        return False

    async def _store(self, working: Working) -> bool:
        await self._tools.journal.flushed()
        crash_at("before_intent_commit")
        return await self._tools.store.create_intent(
            working.intent, decided_at=working.decided_at, reason=working.reason
        )

    async def _not_committed(self, working: Working, error: Exception, tries: int, began: float) -> bool | None:
        """Drop an entry; have an exit tried again, whatever hinders it, and call a person once."""
        if not isinstance(error, TradingError):
            logger.error("the intent %s could not be committed", working.intent.key.text(), exc_info=error)
        code = error.code if isinstance(error, TradingError) else "INTENT_NOT_STORED"
        if not isinstance(error, ExitAlreadyLive):
            self._unsure.add(working.tag)
        if not working.purpose.is_exit:
            working.words = str(error)
            self._desk.alarm(working, code, f"an entry was dropped: {error}")
            return False
        if isinstance(error, ExitAlreadyLive):
            await self._free_what_another_life_left(working)
        if not tries:
            self._desk.alarm(working, code, f"an exit could not be stored yet: {error}")
        self._want_orders()
        if isinstance(error, StoreUnavailable):
            working.is_unstored = await self._is_still_away(tries, began)
        else:
            await self._tools.clock.sleep(self._backoff.wait_s(tries + 1, 1.0))
        return None

    async def _is_still_away(self, tries: int, began: float) -> bool:
        """Wait a little for the database; say whether it was away so long that an exit goes by the journal."""
        left_s = began + STORE_ANSWERS_WITHIN_S - self._tools.clock.monotonic()
        if left_s <= 0 or self._tools.right.way() is Way.JOURNAL:
            return True
        await self._tools.clock.sleep(min(left_s, self._backoff.wait_s(tries + 1, 1.0)))
        return False

    async def _free_what_another_life_left(self, working: Working) -> None:
        """Learn what the database has of this line, and tell it what it lacks; where that fails the exit goes on."""
        try:
            await self._take_over(working.intent.key.instrument)
        except StoreUnavailable as error:
            logger.warning("the day's intents could not be read: %s", error)
        except Exception:
            logger.exception("the day's intents of %s could not be taken over", working.intent.key.instrument)

    def _queue(self, rank: int, working: Working, change: OrderChange | None = None) -> None:
        self._count += 1
        self._tools.work.begin()
        heapq.heappush(self._jobs, _Job(rank, self._count, working, self._tools.clock.monotonic(), change))
        self._stirred.set()

    # -- the account's task ------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Serve the queue for ever, within the rate budget."""
        while True:
            self._stirred.clear()  # before looking: what is queued from here on ends the wait
            if not self._jobs:
                await self._stirred.wait()
                continue
            now = self._tools.clock.monotonic()
            is_entry = self._jobs[0].rank == ENTRY
            wait_s = self._desk.budget.wait_s(now, is_entry=is_entry)
            if is_entry and wait_s > SIGNAL_HOLDS_S:
                wait_s = 0.0  # the gate denies it
            if self._jobs[0].rank == EXIT and self._tools.right.way() is Way.NOT_YET:
                wait_s = max(wait_s, LOOKS_FOR_A_WAY_EVERY_S)  # denied it would only be tried again later
            if wait_s > 0:
                await first_of(happened(self._stirred), self._tools.clock.sleep(wait_s))
                continue
            job = heapq.heappop(self._jobs)
            self._tools.spawn(self._work_of(job, now), f"send {job.working.tag}")
            self._tools.work.end()

    def _work_of(self, job: _Job, now: float) -> Coroutine[Any, Any, None]:
        """Judge the job at this moment, with room in the budget, and take its call; a denied order takes none."""
        if job.rank == CANCEL:
            self._desk.budget.spend(now)
            return self._canceller.cancel(job.working)
        if job.change is not None:
            self._desk.budget.spend(now)
            return self._changer.send(job.working, job.change)
        result = self._sender.judge(job.working)
        if result.denial is None or job.rank == EXIT:
            self._desk.budget.spend(now)
        if result.denial is None:
            waited = {"waited_s": round(now - job.queued_at, 3)}
            result = result.and_then("rate_budget", Finding(None, waited))
        return self._sender.guarded(job.working, self._sender.place(job.working, result))


def _needs_fresh_look(working: Working) -> bool:
    """Say whether an exit is of those that others may do, too, or comes a while after it was decided."""
    return working.purpose.outranks_ladder or (working.purpose.is_exit and working.intent.key.slice > 0)
