"""The way of an exit while the database is away: ask the broker, write the journal, then the wire.

What the database would have vouched for is vouched for by others: that nobody else speaks for the account by its lock
file, that the order is not there yet and shrinks what is open by the broker's own book and positions, and that it will
be known afterwards by the line that reaches the disk before the order leaves. Entries never come here.
"""

import logging

from trading.domain.backoff import Backoff
from trading.domain.errors import BrokerError, JournalUnavailable
from trading.domain.exit_journal import JournaledExit
from trading.domain.orders import IntentState
from trading.domain.risk import Denial
from trading.engine.crash_points import crash_at
from trading.engine.desk import AccountDesk
from trading.engine.gate import Gate, GateResult
from trading.engine.orders import Working
from trading.engine.outcomes import journal_of
from trading.engine.second_path import SecondPath
from trading.engine.tools import Tools, Way

logger = logging.getLogger(__name__)

WAITS_FOR = frozenset({"BROKER_UNREADABLE", "JOURNAL_UNAVAILABLE", "ACCOUNT_LOCKED"})
"""What may pass by itself: the exit is kept and tried again."""


class JournalWay:
    """One account's. `clear` says whether the exit may leave now; sending is the sender's."""

    def __init__(self, tools: Tools, desk: AccountDesk, gate: Gate) -> None:
        self._tools = tools
        self._desk = desk
        self._gate = gate
        self._broker_says = SecondPath(gate.sight)
        self._again = Backoff(first_s=0.5, most_s=4.0)

    async def clear(self, working: Working, result: GateResult) -> Denial | None:
        """Return None once the exit is on the disk and may leave; else why it came to nothing."""
        working.is_unstored, tries = True, 0
        while True:
            denial = await self._try(working, result)
            if denial is None or denial.code not in WAITS_FOR or self._tools.right.way() is Way.NONE:
                return denial
            if not tries:
                text = f"an exit of {working.intent.key.instrument} cannot leave without the database yet"
                self._desk.alarm(working, denial.code, f"{text}: {denial.message}")
            tries += 1
            await self._tools.clock.sleep(self._again.wait_s(tries, 1.0))

    async def _try(self, working: Working, result: GateResult) -> Denial | None:
        if hinders := await self._locked_by_another():
            return Denial("ACCOUNT_LOCKED", hinders)
        found = await self._broker_says.look(working)
        if found.denial is not None:
            return await self._already_there(working) if found.denial.code == "ALREADY_THERE" else found.denial
        return await self._write_ahead(working, result.and_then("second_path", found))

    async def _locked_by_another(self) -> str:
        locks, key = self._tools.deps.locks, self._desk.ref.key
        return "" if locks.holds(key) else await locks.take(key, ousts=False)

    async def _already_there(self, working: Working) -> Denial:
        """Its order stands in the broker's book under its tag: it is taken for what it is, never sent again."""
        try:
            await self._desk.read_orders()
        except BrokerError as error:
            return Denial("BROKER_UNREADABLE", str(error))
        if working.order is not None and working.state is IntentState.NEW:
            self._desk.adopt(working)
        return Denial("ALREADY_THERE", f"the broker's book has {working.tag} already")

    async def _write_ahead(self, working: Working, result: GateResult) -> Denial | None:
        tools, right = self._tools, self._tools.right
        exit_ = JournaledExit(
            intent=working.intent,
            decided_at=working.decided_at,
            sent_at=tools.now(),
            shard=tools.deps.shard,
            epoch=right.epoch,
            reason=working.reason,
            verdicts=result.verdicts,
        )
        crash_at("before_journal")
        try:
            await journal_of(tools).write_ahead(exit_)
        except JournalUnavailable as error:
            self._desk.outcomes.went_by_journal(working)  # the line may be on the disk all the same
            return Denial(error.code, str(error))
        crash_at("journal_synced")
        self._desk.outcomes.went_by_journal(working)
        again = self._gate.check(working)
        denial = None if again.is_broken else again.denial  # broken is what the broker has judged already
        if denial is None and right.way() is Way.NONE:
            return Denial("LEASE_LOST", "another process took over while the exit was written ahead")
        return denial
