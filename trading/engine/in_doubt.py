"""What became of an order whose answer was lost: ask the order book for its tag, and never send it again blindly."""

import logging
from dataclasses import dataclass, field

from trading.domain.errors import BrokerError, IllegalTransition
from trading.domain.orders import IntentState
from trading.engine.desk import AccountDesk
from trading.engine.orders import Working
from trading.engine.tools import Tools

logger = logging.getLogger(__name__)

LOOKS_AT_S = (0.5, 1.0, 2.0, 4.0, 8.0, 10.6)
"""Wire seconds of an order's doubt at which the book is read for its tag; then every `THEN_EVERY_S`."""
THEN_EVERY_S = 8.0
CLEAN_READS = 3
ENTRY_PROOF_S, EXIT_PROOF_S = 120.0, 10.0
"""Wire seconds over which clean reads must not show an order before it counts as absent.

Order books were seen to lag by 83 s (the broker's forum, 21259). An entry can wait for that: while it is in doubt no
other may be made. An exit cannot; what turns up late after all, in one of the listener's reads of the book, is
cancelled, and what it filled is put right.

The time counts from this process's own reads, anew after each restart. When an order that another life claimed was sent
is known only to lie between its claim and the moment at which we had the account's lock: a process may stand still
between the two, for minutes. The claim's time is a wall clock's, besides. An entry loses nothing by waiting, and no
exit waits for one in doubt.
"""
HOLDS_MARKET_S = 16.0
"""A market that waits for us waits so long for one order in doubt, wire seconds."""


@dataclass
class CleanReads:
    """Reads of an order book that did not show an order: how many, and from when to when they began, wire seconds."""

    count: int = 0
    first: float = 0.0
    latest: float = 0.0

    def add(self, began: float) -> None:
        """Count one more."""
        self.first, self.latest = (self.first if self.count else began), began
        self.count += 1

    def prove_absence(self, proof_s: float) -> bool:
        """Say whether there were enough of them, over enough time."""
        return self.count >= CLEAN_READS and self.latest - self.first >= proof_s


@dataclass
class _Doubt:
    working: Working
    since: float
    clean: CleanReads = field(default_factory=CleanReads)
    looks: int = 0


class DoubtResolver:
    """Resolves one account's orders in doubt. An adopted one goes on as any other; an absent one came to nothing."""

    def __init__(self, tools: Tools, desk: AccountDesk) -> None:
        self._tools = tools
        self._desk = desk

    def resolve(self, working: Working) -> None:
        """Begin to look an order up."""
        doubt = _Doubt(working, self._tools.clock.monotonic())
        self._tools.spawn(self._look_up(doubt, HOLDS_MARKET_S), f"look up {working.tag}")

    async def _look_up(self, doubt: _Doubt, for_s: float = float("inf")) -> None:
        """Look until the order's fate is known; after `for_s` go on without having the market wait."""
        working = doubt.working
        while working.state is IntentState.IN_DOUBT:
            if self._age_s(doubt) >= for_s:
                self._tools.work.spawn(self._look_up(doubt), f"look up {working.tag}", counts=False)
                return
            await self._tools.clock.sleep(self._until_next_s(doubt))
            doubt.looks += 1
            began = self._tools.clock.monotonic()
            if working.state is not IntentState.IN_DOUBT or not await self._was_read():
                continue
            doubt.clean.add(began)
            if working.state is IntentState.IN_DOUBT and await self._is_absent(doubt):
                await self._absent(doubt)

    def _until_next_s(self, doubt: _Doubt) -> float:
        if doubt.looks >= len(LOOKS_AT_S):
            return THEN_EVERY_S
        return max(0.0, LOOKS_AT_S[doubt.looks] - self._age_s(doubt))

    def _age_s(self, doubt: _Doubt) -> float:
        return self._tools.clock.monotonic() - doubt.since

    async def _was_read(self) -> bool:
        """Read the order book; taking it in adopts the order when it is there."""
        try:
            await self._desk.read_orders()
        except BrokerError as error:
            logger.info("look-up on account=%s failed: %s", self._desk.ref.key, error.code)
            return False
        except Exception:
            logger.exception("look-up on account=%s failed", self._desk.ref.key)
            return False
        return True

    async def _is_absent(self, doubt: _Doubt) -> bool:
        """Say whether absence is proved: enough clean reads, begun over enough time, and positions without it."""
        proof_s = EXIT_PROOF_S if doubt.working.purpose.is_exit else ENTRY_PROOF_S
        if not doubt.clean.prove_absence(proof_s):
            return False
        try:
            positions = await self._desk.read_positions()
        except BrokerError:
            return False
        except Exception:
            logger.exception("positions of account=%s could not be taken in", self._desk.ref.key)
            return False
        instrument, product = doubt.working.intent.key.instrument, doubt.working.intent.product
        there = sum(p.net_quantity for p in positions if p.instrument == instrument and p.product == product)
        return there == self._desk.orders.counted_net(instrument) and not self._desk.orders.has_unseen(instrument)

    async def _absent(self, doubt: _Doubt) -> None:
        ref, working = self._desk.ref, doubt.working
        told = {"clean_reads": doubt.clean.count, "purpose": working.purpose.value}
        self._tools.journal.record(
            "ORDER_ABSENT",
            ref.client_id,
            told,
            account=ref.key,
            instrument=working.intent.key.instrument,
            tag=working.tag,
        )
        try:
            reason = f"not in {doubt.clean.count} clean order books"
            await self._desk.outcomes.settle(working, IntentState.ABSENT, reason=reason)
        except IllegalTransition as error:
            logger.warning("ABSENT of %s could not be stored: %s", working.tag, error)
        except Exception:  # its line waits for this word, whatever becomes of the row
            logger.exception("ABSENT of %s could not be stored", working.tag)
        if working.state is IntentState.IN_DOUBT:
            working.state = IntentState.ABSENT
            self._desk.on_order(working)
            self._desk.line(working.intent.key.instrument).advance()
