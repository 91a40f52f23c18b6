"""The way of one account's orders to the wire: intent committed, gate, budget, claim, send, outcome.

Each account has a gateway and a task of its own, so that a sick account delays nobody else.
"""

import heapq
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from trading.domain.backoff import Backoff
from trading.domain.errors import (
    BrokerAuthError,
    BrokerError,
    BrokerRejected,
    ExitAlreadyLive,
    StoreUnavailable,
    TradingError,
)
from trading.domain.orders import IntentState
from trading.domain.risk import Denial
from trading.engine.crash_points import crash_at
from trading.engine.desk import AccountDesk
from trading.engine.gate import Gate
from trading.engine.orders import Working
from trading.engine.rate import RateBudget
from trading.engine.tools import Tools
from trading.engine.work import Signal, first_of
from trading.ports import Claim

logger = logging.getLogger(__name__)

CANCEL, EXIT, ENTRY = range(3)
LOOKS_AFTER_CANCEL_S = 1.0
MOST_CANCELS = 6
STORE_RETRY_S = 0.5


@dataclass(order=True)
class _Job:
    rank: int
    number: int
    working: Working = field(compare=False)


class AccountGateway:
    """Takes orders and cancels from the lines; exits go first."""

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
        self._gate = gate
        self._resolve_doubt = resolve_doubt
        self._want_orders = want_orders
        self._take_over = take_over
        self._budget = RateBudget()
        self._jobs: list[_Job] = []
        self._count = 0
        self._unsure: set[str] = set()
        self._waiting: set[str] = set()
        self._stirred = Signal()
        self._backoff = Backoff(first_s=0.5, most_s=4.0)

    # -- OrderWire ---------------------------------------------------------------------------------------------

    def submit(self, working: Working) -> None:
        """Commit the intent, then queue it."""
        self._tools.spawn(self._commit(working), f"commit {working.tag}")

    def cancel(self, working: Working) -> None:
        """Queue a cancel."""
        self._queue(CANCEL, working)

    # -- before the queue --------------------------------------------------------------------------------------

    async def _commit(self, working: Working) -> None:
        """Write the events and the intent; only a committed intent is queued."""
        is_ours = None
        while is_ours is None and not working.is_withdrawn:
            is_ours = await self._try_to_commit(working)
        crash_at("after_intent_commit")
        if is_ours:
            self._queue(EXIT if working.purpose.is_exit else ENTRY, working)
        elif working.state is IntentState.NEW:
            working.state, working.is_withdrawn = IntentState.DENIED, True
            await self._free_what_another_life_left(working)
            self._settle(working, IntentState.DENIED)

    async def _try_to_commit(self, working: Working) -> bool | None:
        """Say whether the intent is ours to send; None means try again. An entry is tried once."""
        try:
            await self._tools.journal.flush()
            is_new = await self._tools.store.create_intent(
                working.intent, decided_at=working.decided_at, reason=working.reason
            )
        except (StoreUnavailable, ExitAlreadyLive) as error:
            return await self._not_committed(working, error)
        # After an unanswered commit an existing row is the one that we wrote.
        if is_new or working.tag in self._unsure:
            return True
        logger.warning("%s existed already; it is not sent again", working.intent.key.text())
        await self._free_what_another_life_left(working)
        return False

    async def _not_committed(self, working: Working, error: TradingError) -> bool | None:
        if not working.purpose.is_exit:
            self._alarm(error.code, f"an entry was dropped: {error}", working)
            return False
        if isinstance(error, ExitAlreadyLive):
            await self._free_what_another_life_left(working)
        else:
            self._unsure.add(working.tag)
        if working.tag not in self._waiting:
            self._waiting.add(working.tag)
            self._alarm(error.code, f"an exit waits for the database: {error}", working)
        self._want_orders()
        await self._tools.clock.sleep(STORE_RETRY_S)
        return None

    async def _free_what_another_life_left(self, working: Working) -> None:
        try:
            await self._take_over(working.intent.key.instrument)
        except StoreUnavailable as error:
            logger.warning("the day's intents could not be read: %s", error)

    def _queue(self, rank: int, working: Working) -> None:
        self._count += 1
        self._tools.work.begin()
        heapq.heappush(self._jobs, _Job(rank, self._count, working))
        self._stirred.fire()

    # -- the account's task ------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Serve the queue for ever, within the rate budget."""
        while True:
            if not self._jobs:
                await self._stirred.wait()
                continue
            now = self._tools.clock.monotonic()
            wait_s = self._budget.wait_s(now, is_entry=self._jobs[0].rank == ENTRY)
            if wait_s > 0:
                await first_of(self._stirred.wait(), self._tools.clock.sleep(wait_s))
                continue
            job = heapq.heappop(self._jobs)
            self._budget.spend(now)
            work = self._cancel(job.working) if job.rank == CANCEL else self._place(job.working)
            self._tools.spawn(work, f"send {job.working.tag}")
            self._tools.work.end()

    # -- placing -----------------------------------------------------------------------------------------------

    async def _place(self, working: Working) -> None:
        result = self._gate.check(working)
        told = {"purpose": working.purpose.value, "verdicts": list(result.verdicts)}
        self._note("GATE", working, told)
        if result.denial is not None:
            await self._denied(working, result.denial)
            return
        claim = await self._claim(working, result.verdicts)
        if claim.denied:
            await self._not_claimed(working, claim)
            return
        working.state, working.sent_at = IntentState.SENDING, self._tools.clock.monotonic()
        crash_at("after_claim")
        if not self._tools.right.may_send():
            await self._doubt(working, "the lease ran out between claim and send")
            return
        await self._send(working)

    async def _claim(self, working: Working, verdicts: tuple[dict[str, object], ...]) -> Claim:
        """Set SENDING. While the database is away an entry is dropped and an exit waits for it."""
        right, was_unsure = self._tools.right, False
        while True:
            try:
                claim = await self._tools.store.claim(
                    working.tag, shard=self._tools.deps.shard, epoch=right.epoch, verdicts=verdicts
                )
            except StoreUnavailable as error:
                was_unsure = True
                if not working.purpose.is_exit:
                    return Claim("STORE_UNAVAILABLE", str(error))
                await self._tools.clock.sleep(STORE_RETRY_S)
                continue
            # Only this task claims this tag: after an unanswered claim, NOT_NEW means that it was committed.
            return Claim() if was_unsure and claim.denied == "NOT_NEW" else claim

    async def _not_claimed(self, working: Working, claim: Claim) -> None:
        self._note("ORDER_DENIED", working, self._denial_words(working, Denial(claim.denied, claim.message)))
        if claim.denied == "LEASE_LOST":
            self._tools.right.lost(claim.message)
            return  # this reign is over; the next one decides again
        if claim.denied in ("NOT_NEW", "STORE_UNAVAILABLE"):
            self._alarm(claim.denied, f"an order was not sent: {claim.message}", working)
        self._settle(working, IntentState.DENIED)

    async def _denied(self, working: Working, denial: Denial) -> None:
        self._note("ORDER_DENIED", working, self._denial_words(working, denial))
        await self._resolve(working, IntentState.DENIED, reason=f"{denial.code}: {denial.message}")
        self._settle(working, IntentState.DENIED)

    async def _send(self, working: Working) -> None:
        """Write the socket, and sort the answer: taken, refused for certain, or unknown."""
        try:
            order_id = await self._desk.broker.place(working.intent)
        except (BrokerRejected, BrokerAuthError) as error:
            if isinstance(error, BrokerAuthError):
                self._desk.session_lost(str(error))
            await self._refused(working, error)
            return
        except Exception as error:
            logger.info("order tag=%s has an unknown outcome: %r", working.tag, error)
            await self._doubt(working, str(error))
            return
        crash_at("after_send")
        working.order_id = working.order_id or order_id
        crash_at("before_ack_commit")
        if working.state is not IntentState.SENDING:
            return  # its order was heard of meanwhile, and adopted
        working.state = IntentState.ACKED
        await self._resolve(working, IntentState.ACKED, order_id=order_id)
        self._note("ORDER_ACKED", working, {"order_id": order_id})
        line = self._desk.line(working.intent.key.instrument)
        line.acknowledged(working)
        self._desk.on_order(working)
        line.advance()

    async def _refused(self, working: Working, error: BrokerError) -> None:
        told = {"purpose": working.purpose.value, "code": error.code, "reason": str(error)}
        self._note("ORDER_REFUSED", working, told)
        await self._resolve(working, IntentState.REFUSED, reason=str(error))
        self._settle(working, IntentState.REFUSED)

    async def _doubt(self, working: Working, reason: str) -> None:
        if working.order is not None:
            self._desk.adopt(working)
            self._desk.line(working.intent.key.instrument).advance()
            return
        working.state = IntentState.IN_DOUBT
        self._note("ORDER_IN_DOUBT", working, {"reason": reason or "the answer was lost"})
        await self._resolve(working, IntentState.IN_DOUBT, reason=reason)
        self._resolve_doubt(working)

    # -- cancelling --------------------------------------------------------------------------------------------

    async def _cancel(self, working: Working) -> None:
        """Ask for a cancel until the order is final. The answer is only a hint: fills may still come."""
        for attempt in range(1, MOST_CANCELS + 1):
            if not working.may_fill or not self._tools.right.may_send():
                return
            try:
                await self._desk.broker.cancel(working.order_id)
                self._note("CANCEL_SENT", working, {"order_id": working.order_id})
                self._tools.work.spawn(self._look_after(working), f"look after {working.tag}", counts=False)
                return
            except BrokerError as error:
                logger.info("cancel of order_id=%s had no success: %s", working.order_id, error)
                self._want_orders()
                await self._tools.clock.sleep(self._backoff.wait_s(attempt, 1.0))
        working.is_cancel_asked = False
        self._alarm("CANCEL_FAILED", f"an order for {working.intent.key.instrument} could not be cancelled", working)

    async def _look_after(self, working: Working) -> None:
        """Read the order book when no message told that a cancelled order is final."""
        await self._tools.clock.sleep(LOOKS_AFTER_CANCEL_S)
        if working.may_fill:
            self._want_orders()

    # -- small things ------------------------------------------------------------------------------------------

    async def _resolve(self, working: Working, state: IntentState, *, order_id: str = "", reason: str = "") -> None:
        """Tell the database; while it is away the broker's book says the same after a restart."""
        try:
            await self._tools.store.resolve(working.tag, state, order_id=order_id, reason=reason)
        except StoreUnavailable as error:
            self._alarm("STORE_UNAVAILABLE", f"{state} of an order could not be stored: {error}", working)

    def _settle(self, working: Working, state: IntentState) -> None:
        working.state = state
        self._desk.on_order(working)
        self._desk.line(working.intent.key.instrument).advance()

    def _note(self, kind: str, working: Working, data: Mapping[str, object]) -> None:
        ref, instrument = self._desk.ref, working.intent.key.instrument
        self._tools.journal.record(kind, ref.client_id, data, account=ref.key, instrument=instrument, tag=working.tag)

    @staticmethod
    def _denial_words(working: Working, denial: Denial) -> dict[str, object]:
        return {"purpose": working.purpose.value, "code": denial.code, "message": denial.message}

    def _alarm(self, code: str, text: str, working: Working) -> None:
        ref = self._desk.ref
        self._tools.alarm(ref.client_id, code, text, account=ref.key, tag=working.tag)
