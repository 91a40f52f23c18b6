"""One order's last steps: gate, claim, send, and what its answer means."""

import logging
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from trading.domain.errors import BrokerAuthError, BrokerRejected, BrokerUnavailable, StoreUnavailable
from trading.domain.orders import IntentState
from trading.domain.risk import Denial
from trading.engine.by_journal import JournalWay
from trading.engine.crash_points import crash_at
from trading.engine.desk import AccountDesk
from trading.engine.gate import Gate, GateResult, Verdict
from trading.engine.orders import Working
from trading.engine.second_path import SecondPath
from trading.engine.tools import STORE_ANSWERS_WITHIN_S, Tools, Way
from trading.ports import Claim

logger = logging.getLogger(__name__)

VERDICT_HOLDS_S = 1.0
"""Wire seconds from the gate's verdict to the wire; where the claim took longer the gate is asked again."""


class OrderSender:
    """Sends one account's committed intents, each once."""

    def __init__(self, tools: Tools, desk: AccountDesk, gate: Gate, resolve_doubt: Callable[[Working], None]) -> None:
        self._tools = tools
        self._desk = desk
        self._gate = gate
        self._second_path = SecondPath(gate.sight)
        self._journal_way = JournalWay(tools, desk, gate)
        self._resolve_doubt = resolve_doubt

    def judge(self, working: Working) -> GateResult:
        """Ask the gate, now; `place` has to follow at once. What it lets pass counts from here on."""
        result = self._gate.check(working)
        working.is_cleared = result.denial is None
        return result

    async def guarded(self, working: Working, work: Coroutine[Any, Any, None]) -> None:
        """Do an order's work. Where that fails unheard of, its line does not wait for ever for a word about it.

        What had not left came to nothing, and is decided anew; what may have left is in doubt.
        """
        try:
            await work
        except Exception as error:
            if working.state not in (IntentState.NEW, IntentState.SENDING):
                raise
            logger.exception("the order %s was cut short", working.intent.key.text())
            self._desk.alarm(working, "ENGINE_TASK_FAILED", f"an order was cut short: {error!r}")
            if working.state is IntentState.SENDING:
                await self._doubt(working, repr(error))
            else:
                await self._settle_denied(working, Denial("ENGINE_ERROR", repr(error)))

    async def place(self, working: Working, result: GateResult) -> None:
        """Bring one committed intent, with the gate's verdicts of just now, to the wire, or settle it as denied."""
        was_broken = result.is_broken
        if was_broken and working.purpose.is_exit:
            result = await self._second_path.judge(working, result)
        if result.denial is not None:
            # Less is open by our own count than when it was decided: what is left is wanted again at once.
            is_too_much = result.denial.code == "NOT_REDUCING" and not was_broken
            working.is_withdrawn = working.is_withdrawn or is_too_much
            self._tell_gate(working, result)
            await self._denied(working, result.denial)
            return
        working.is_cleared = True
        if working.is_unstored or self._tools.right.way() is Way.JOURNAL:
            await self._place_by_journal(working, result)
            return
        asked_at = self._tools.clock.monotonic()
        claim = await self._claim(working, result.verdicts)
        if claim is None:
            await self._place_by_journal(working, result)
            return
        if claim.denied:
            await self._not_claimed(working, claim)
            return
        working.state = IntentState.SENDING
        crash_at("after_claim")
        if not self._tools.right.may_send():
            await self._not_taken(working, "not sent: the lease ran out between claim and send")
        elif (denial := self._second_thoughts(working, asked_at)) is not None:
            self._desk.note(working, "ORDER_DENIED", _words_of(working, denial))
            await self._not_taken(working, f"not sent: {denial.message}")
        else:
            await self._send(working)

    async def _place_by_journal(self, working: Working, result: GateResult) -> None:
        """Send an exit that the database does not take now. What is cleared leaves at once."""
        denial = await self._journal_way.clear(working, result)
        if denial is None:
            working.state = IntentState.SENDING
            await self._send(working)
            crash_at("journal_answered")
        elif working.state is IntentState.NEW:
            await self._settle_denied(working, denial)

    def _tell_gate(self, working: Working, result: GateResult) -> None:
        """Keep the verdicts of an order that is not claimed; the claim keeps those of the others."""
        self._desk.note(working, "GATE", {"purpose": working.purpose.value, "verdicts": list(result.verdicts)})

    def _second_thoughts(self, working: Working, asked_at: float) -> Denial | None:
        """Judge again what was withdrawn meanwhile, or what the claim kept waiting: the world went on."""
        is_fresh = not working.is_withdrawn and self._tools.clock.monotonic() - asked_at <= VERDICT_HOLDS_S
        if is_fresh and (working.purpose.is_exit or self._gate.kill_file().denial is None):
            return None
        result = self._gate.check(working)
        self._tell_gate(working, result)
        # A check that breaks only now holds no exit: the first time it was judged.
        return None if result.is_broken and working.purpose.is_exit else result.denial

    async def _claim(self, working: Working, verdicts: Sequence[Verdict]) -> Claim | None:
        """Set SENDING. While the database is away an entry is dropped; None sends an exit by the journal."""
        right = self._tools.right
        crash_at("before_claim")
        asked = self._tools.store.claim(working.tag, shard=self._tools.deps.shard, epoch=right.epoch, verdicts=verdicts)
        try:
            return await self._tools.within(STORE_ANSWERS_WITHIN_S, asked)
        except Exception as error:
            if not isinstance(error, StoreUnavailable):
                logger.exception("the claim of %s failed", working.tag)
            if not working.purpose.is_exit:
                return Claim("STORE_UNAVAILABLE", str(error))
            # What was asked may be committed yet: as the journal has this exit too, it is the same order all the same.
            text = f"an exit could not be claimed and goes by the exit journal: {error}"
            self._desk.alarm(working, "STORE_UNAVAILABLE", text)
            return None

    async def _not_claimed(self, working: Working, claim: Claim) -> None:
        self._desk.note(working, "ORDER_DENIED", _words_of(working, Denial(claim.denied, claim.message)))
        if claim.denied == "LEASE_LOST":
            self._tools.right.lost(claim.message)
            return  # this reign is over; the next one decides again
        if claim.denied in ("NOT_NEW", "STORE_UNAVAILABLE"):
            self._desk.alarm(working, claim.denied, f"an order was not sent: {claim.message}")
        working.words = claim.message
        self.settle(working, IntentState.DENIED)
        if claim.denied == "STORE_UNAVAILABLE":
            await self._desk.outcomes.never_sent(working, claim.message)

    async def _denied(self, working: Working, denial: Denial) -> None:
        if denial.code == "REPEATED_EXECUTION":
            self._stop_ladder(working, denial.message)
        await self._settle_denied(working, denial)

    async def _settle_denied(self, working: Working, denial: Denial) -> None:
        self._desk.note(working, "ORDER_DENIED", _words_of(working, denial))
        working.words = denial.message
        await self._resolve(working, IntentState.DENIED, reason=f"{denial.code}: {denial.message}")
        self.settle(working, IntentState.DENIED)

    def _stop_ladder(self, working: Working, why: str) -> None:
        """Hold its ladder until a person lets it go on; in the database, so that a restart holds it too."""
        tools, key = self._tools, working.intent.key
        place = (key.account, key.instrument)
        if not self._gate.sight.control.stop_ladder(place, why):
            return
        self._desk.note(working, "LADDER_STOPPED", {"text": f"enters nothing until a person lets it go on: {why}"})
        self._desk.alarm(working, "REPEATED_EXECUTION", f"{key.instrument} on {key.account} was stopped: {why}")

        async def store() -> None:
            await tools.until_stored(lambda: tools.store.stop_ladder(place, why), "a stopped ladder")
            self._gate.sight.control.stop_stored(place)

        tools.work.spawn(store(), f"stop {key.instrument}", counts=False)

    async def _send(self, working: Working) -> None:
        """Write the socket, and sort the answer: taken, refused for certain, or unknown."""
        if not working.purpose.is_exit:
            self._desk.last_entry_at = self._tools.clock.monotonic()
        try:
            order_id = await self._desk.broker.place(working.intent)
        except (BrokerRejected, BrokerAuthError, BrokerUnavailable) as error:
            self._desk.heard_error(error)
            if isinstance(error, BrokerUnavailable) and working.purpose.is_exit:
                # It never left. The look-ups of a doubt show when the broker can be reached: then it is sent anew.
                await self._doubt(working, str(error))
                return
            told = {"purpose": working.purpose.value, "code": error.code, "reason": str(error)}
            self._desk.note(working, "ORDER_REFUSED", told)
            await self._not_taken(working, str(error))
            return
        except Exception as error:
            logger.info("order tag=%s has an unknown outcome: %r", working.tag, error)
            self._desk.heard_error(error)
            await self._doubt(working, str(error))
            return
        crash_at("after_send")
        working.order_id = working.order_id or order_id
        crash_at("before_ack_commit")
        if working.state is not IntentState.SENDING:
            return  # its order was heard of meanwhile, and adopted
        working.state = IntentState.ACKED
        self._desk.note(working, "ORDER_ACKED", {"order_id": order_id})
        line = self._desk.line(working.intent.key.instrument)
        line.acknowledged(working)  # before the database is told, which may take its time: it may be cancelled at once
        self._desk.on_order(working)
        line.advance()
        await self._resolve(working, IntentState.ACKED, order_id=order_id)

    async def _not_taken(self, working: Working, reason: str) -> None:
        """The broker does not have it, for certain; an order that was heard of all the same is believed."""
        if working.order is not None:
            self._believe_the_book(working)
            return
        working.words = reason
        await self._resolve(working, IntentState.REFUSED, reason=reason)
        self.settle(working, IntentState.REFUSED)

    async def _doubt(self, working: Working, reason: str) -> None:
        if working.order is not None:
            self._believe_the_book(working)
            return
        working.state = IntentState.IN_DOUBT
        self._desk.note(working, "ORDER_IN_DOUBT", {"reason": reason or "the answer was lost"})
        self._resolve_doubt(working)  # it does not wait for a database that is slow
        await self._resolve(working, IntentState.IN_DOUBT, reason=reason)

    def _believe_the_book(self, working: Working) -> None:
        self._desk.adopt(working)
        self._desk.line(working.intent.key.instrument).advance()

    def settle(self, working: Working, state: IntentState) -> None:
        """It came to nothing: tell the page and let the line look again."""
        working.state = state
        self._desk.on_order(working)
        self._desk.line(working.intent.key.instrument).advance()

    async def _resolve(self, working: Working, state: IntentState, *, order_id: str = "", reason: str = "") -> None:
        """Tell the database, now or when it is back."""
        try:
            await self._desk.outcomes.settle(working, state, order_id=order_id, reason=reason)
        except Exception as error:
            logger.exception("%s of %s was not stored", state, working.tag)
            self._desk.alarm(working, "STORE_UNAVAILABLE", f"{state} of an order could not be stored: {error}")


def _words_of(working: Working, denial: Denial) -> dict[str, object]:
    return {"purpose": working.purpose.value, "code": denial.code, "message": denial.message}
