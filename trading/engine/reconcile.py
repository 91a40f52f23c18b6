"""Make the engine's picture of one account the broker's: at start, after a crash, and all day. One code path.

A failed or empty read is unknown, never flat. Entries are allowed only once orders, fills and positions agree.
"""

import logging
from collections.abc import Callable, Sequence

from trading.domain.backoff import Backoff
from trading.domain.errors import BrokerError
from trading.domain.orders import BrokerPosition, Product
from trading.engine.desk import AccountDesk
from trading.engine.instruments import Instruments
from trading.engine.leftovers import Leftovers
from trading.engine.tools import Tools
from trading.engine.work import first_of

logger = logging.getLogger(__name__)

POSITIONS_EVERY_S = 30.0
POSITIONS_EVERY_S_NEAR_END = 5.0
LOOKS_TO_AGREE = 4


class Reconciler:
    """One account's reconciliation. `is_first_done` turns true when the first attempt is over, well or not."""

    def __init__(
        self,
        tools: Tools,
        desk: AccountDesk,
        *,
        leftovers: Leftovers,
        restore_lines: Callable[[], None],
        is_near_end: Callable[[], bool],
        instruments: Instruments,
    ) -> None:
        self.is_first_done = False
        self._tools = tools
        self._desk = desk
        self._leftovers = leftovers
        self._restore_lines = restore_lines
        self._is_near_end = is_near_end
        self._instruments = instruments
        self._failures = 0
        self._told: list[str] = []
        """The differences that people know of; they are not read for again and again."""
        self._backoff = Backoff(first_s=1.0, most_s=30.0)

    async def run(self) -> None:
        """Reconcile now, again while it fails, and compare positions from time to time; for ever."""
        while True:
            try:
                with self._tools.work.doing():
                    await self.look()
            finally:
                self.is_first_done = True
                self._tools.changed.fire()
            await first_of(self._tools.clock.sleep(self._pause_s()), self._until_lost())

    async def renew(self) -> None:
        """A new sign-in may be there: make the broker anew and look at once."""
        if self._desk.is_reconciled:
            return
        self._failures = 0
        await self._desk.renew_broker().close()
        await self.look()

    async def look(self) -> None:
        """Read everything and judge. Failing leaves the account as unknown as it was."""
        desk = self._desk
        if not desk.has_session:
            await desk.renew_broker().close()
        had_session = desk.has_session
        try:
            await self._settle_intents()
            await desk.read_trades()
            differences = await self._compare()
            await self._quote_open()
        except BrokerError as error:
            self._failures += 1
            if desk.has_session:
                desk.why_not = f"the broker could not be read: {error}"
            logger.warning("account=%s is not reconciled: %s", desk.ref.key, error.code)
            return
        self._failures = 0
        self._judge(differences)
        if not had_session:
            for line in desk.lines.values():
                line.try_again()

    # -- intents -----------------------------------------------------------------------------------------------

    async def _settle_intents(self) -> None:
        """Give every intent of another life its state: expired, adopted, or in doubt."""
        await self._desk.read_orders()
        if self._desk.is_restored:
            return
        await self._leftovers.settle_all()
        self._restore_lines()

    # -- positions ---------------------------------------------------------------------------------------------

    async def _compare(self) -> list[str]:
        """Give the differences that stay while everything is read again: fills may come between two reads."""
        differences: list[str] = []
        for look in range(LOOKS_TO_AGREE):
            differences = self._differences(await self._desk.read_positions())
            if not differences or differences == self._told:
                break
            if look + 1 < LOOKS_TO_AGREE:
                await self._tools.clock.sleep(0.3 * 2**look)
                await self._desk.read_orders()
                await self._desk.read_trades()
        return differences

    async def _quote_open(self) -> None:
        """Price by REST what is open and has had no tick."""
        unpriced = [
            position.key.instrument
            for position in self._desk.orders.positions.open_positions()
            if self._instruments.last_tick(position.key.instrument) is None
        ]
        if not unpriced:
            return
        try:
            self._instruments.quote(await self._desk.broker.last_prices(unpriced))
        except BrokerError as error:  # entries stay off while a price is missing; positions are known all the same
            logger.info("last prices of account=%s could not be read: %s", self._desk.ref.key, error.code)

    def _differences(self, positions: Sequence[BrokerPosition]) -> list[str]:
        theirs: dict[str, int] = {}
        for position in positions:
            if position.product == Product.MIS:
                theirs[position.instrument] = theirs.get(position.instrument, 0) + position.net_quantity
        return [
            f"{instrument}: the broker has {theirs.get(instrument, 0):+d}, we count {ours:+d}"
            for instrument in sorted({*theirs, *self._desk.orders.instruments()})
            if (ours := self._desk.orders.net(instrument)) != theirs.get(instrument, 0)
        ]

    def _judge(self, differences: list[str]) -> None:
        desk = self._desk
        is_news, self._told = differences != self._told, differences
        if differences:
            text = f"positions of {desk.ref.key} do not agree: {'; '.join(differences)}"
            desk.is_reconciled, desk.why_not = False, text
            if is_news:
                self._tools.alarm(desk.ref.client_id, "POSITION_DRIFT", text, account=desk.ref.key)
        elif not desk.is_reconciled:
            desk.is_reconciled, desk.why_not = True, ""
            told = {"orders": len(desk.orders.by_tag), "open": sum(1 for line in desk.lines.values() if line.net)}
            self._tools.journal.record("RECONCILED", desk.ref.client_id, told, account=desk.ref.key)
            for line in list(desk.lines.values()):
                line.advance()
        self._tools.changed.fire()

    # -- when --------------------------------------------------------------------------------------------------

    def _pause_s(self) -> float:
        if self._failures:
            return self._backoff.wait_s(self._failures, 1.0)
        near = self._is_near_end() or not self._desk.is_reconciled
        return POSITIONS_EVERY_S_NEAR_END if near else POSITIONS_EVERY_S

    async def _until_lost(self) -> None:
        """Return when the session, that is there now, is lost; never when it is lost already."""
        if not self._desk.has_session:
            await self._tools.changed.until(lambda: self._desk.has_session)
        await self._tools.changed.until(lambda: not self._desk.has_session)
