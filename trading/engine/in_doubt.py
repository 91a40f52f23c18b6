"""What became of an order whose answer was lost: ask the order book for its tag, and never send it again blindly."""

import logging

from trading.domain.errors import BrokerError, IllegalTransition, StoreUnavailable
from trading.domain.orders import IntentState
from trading.engine.desk import AccountDesk
from trading.engine.orders import Working
from trading.engine.tools import Tools

logger = logging.getLogger(__name__)

LOOKS_AFTER_S = (0.5, 1.0, 2.0, 4.0, 8.0)
CLEAN_READS = 3
PROOF_S = 10.0
"""Wire seconds over which clean reads must not show an exit before another one may be sent."""


class DoubtResolver:
    """Resolves one account's orders in doubt. An adopted one goes on as any other; an absent one came to nothing."""

    def __init__(self, tools: Tools, desk: AccountDesk) -> None:
        self._tools = tools
        self._desk = desk

    def resolve(self, working: Working) -> None:
        """Begin to look an order up."""
        self._tools.spawn(self._look_up(working), f"look up {working.tag}")

    async def _look_up(self, working: Working) -> None:
        since, clean, look = self._tools.clock.monotonic(), 0, 0
        while working.state is IntentState.IN_DOUBT:
            await self._tools.clock.sleep(LOOKS_AFTER_S[min(look, len(LOOKS_AFTER_S) - 1)])
            look += 1
            if working.state is not IntentState.IN_DOUBT or not await self._was_read():
                continue
            clean += 1
            if working.state is IntentState.IN_DOUBT and await self._is_absent(working, since, clean, look):
                await self._absent(working, clean)

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

    async def _is_absent(self, working: Working, since: float, clean: int, look: int) -> bool:
        """Say whether absence is proved: enough clean reads over enough time, and an exit's position still open."""
        if clean < CLEAN_READS or look < len(LOOKS_AFTER_S) or self._tools.clock.monotonic() - since < PROOF_S:
            return False
        if not working.purpose.is_exit:
            return True
        try:
            positions = await self._desk.read_positions()
        except BrokerError:
            return False
        instrument, product = working.intent.key.instrument, working.intent.product
        there = sum(p.net_quantity for p in positions if p.instrument == instrument and p.product == product)
        return there != 0 and there == self._desk.orders.net(instrument)

    async def _absent(self, working: Working, clean: int) -> None:
        ref = self._desk.ref
        told = {"clean_reads": clean, "purpose": working.purpose.value}
        self._tools.journal.record(
            "ORDER_ABSENT",
            ref.client_id,
            told,
            account=ref.key,
            instrument=working.intent.key.instrument,
            tag=working.tag,
        )
        try:
            reason = f"not in {clean} clean order books"
            await self._tools.store.resolve(working.tag, IntentState.ABSENT, reason=reason)
        except (StoreUnavailable, IllegalTransition) as error:
            logger.warning("ABSENT of %s could not be stored: %s", working.tag, error)
        if working.state is IntentState.IN_DOUBT:
            working.state = IntentState.ABSENT
            self._desk.on_order(working)
            self._desk.line(working.intent.key.instrument).advance()
