"""Make the engine's picture of one account the broker's: at start, after a crash, and all day. One code path.

A fresh day, a restart in the middle of one, a standby that took over and the first minute after midnight are the same
thing: a session that has read nothing yet. A failed, empty or shorter read is unknown, never flat. Entries are allowed
only while orders, fills and positions agree; stops and exits go on whatever the reads say.
"""

import logging
from collections.abc import Awaitable, Callable

from trading.domain.backoff import Backoff
from trading.domain.drift import Drift
from trading.domain.errors import BrokerError, ReadSuspect
from trading.engine.cadence import positions_every_s
from trading.engine.comparing import Comparison
from trading.engine.desk import AccountDesk
from trading.engine.instruments import Instruments
from trading.engine.leftovers import Leftovers
from trading.engine.tools import Tools
from trading.engine.work import first_of

logger = logging.getLogger(__name__)

LOOKS_TO_AGREE = 4
UNKNOWN_AFTER_S = 75.0
"""Wire seconds without a comparison after which nobody knows any more what the broker has: entries stop."""


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
        comparison: Comparison,
    ) -> None:
        self.is_first_done = False
        self.on_look: Callable[[], None] = lambda: None
        self.drifts: list[Drift] = []
        self.unread = "not read yet"
        """Why the latest look came to nothing; empty when it did not."""
        self.until_all_show: Callable[[], Awaitable[None]] = _they_are_known
        """Returns once the book shows every order that another life sent; raises BrokerError."""
        self._tools = tools
        self._desk = desk
        self._leftovers = leftovers
        self._restore_lines = restore_lines
        self._is_near_end = is_near_end
        self._instruments = instruments
        self._comparison = comparison
        self._failures = 0
        self._suspicion = ""
        self._told: list[str] = []
        """The differences that people know of; they are not read for again and again."""
        self._compared_at = tools.clock.monotonic()
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
        await self._desk.renew_broker()
        await self.look()

    async def look(self) -> None:
        """Read everything and judge. Failing leaves the account as unknown as it was."""
        desk = self._desk
        if not desk.has_session:
            await desk.renew_broker()
        had_session = desk.has_session
        try:
            await self._recover()
            await self._compare()
            await self._quote_open()
        except BrokerError as error:
            self._not_read(error)
        else:
            self._failures, self._compared_at, self.unread = 0, self._tools.clock.monotonic(), self._suspicion
            self._judge()
            if not had_session:
                for line in desk.lines.values():
                    line.try_again()
        self.on_look()

    # -- reading -----------------------------------------------------------------------------------------------

    async def _recover(self) -> None:
        """Read the book; once a life, give every intent of another life its state and let the lines go on.

        A book that lacks orders settles nothing wrongly: what it lacks stays in doubt and is looked up.
        """
        self._suspicion = ""
        await self._read(self._desk.read_orders)
        if not self._desk.is_restored:
            await self.until_all_show()
            await self._leftovers.settle_all()
            self._restore_lines()
        await self._read(self._desk.read_trades)

    async def _compare(self) -> None:
        """Compare, and again while they differ and everything is read anew: fills may come between two reads."""
        for look in range(LOOKS_TO_AGREE):
            if look:
                await self._tools.clock.sleep(0.3 * 2 ** (look - 1))
                self._suspicion = ""
                await self._read(self._desk.read_orders)
                await self._read(self._desk.read_trades)
            await self._read(self._desk.read_positions)
            self.drifts = await self._comparison.drifts()
            if not self._troubles() or self._troubles() == self._told:
                return

    async def _read(self, read: Callable[[], object]) -> None:
        """Do one read; what is suspicious about it is kept. Raises BrokerError when there was no answer."""
        try:
            await read()  # type: ignore[misc]
        except ReadSuspect as error:
            self._suspicion = self._suspicion or str(error)

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
            self._instruments.quote(await self._desk.read_prices(unpriced))
        except BrokerError as error:  # entries stay off while a price is missing; positions are known all the same
            logger.info("last prices of account=%s could not be read: %s", self._desk.ref.key, error.code)

    # -- judging -----------------------------------------------------------------------------------------------

    def _troubles(self) -> list[str]:
        """Say what keeps the account from being reconciled; empty when nothing does."""
        found = [f"{drift.instrument}: {drift.text}" for drift in self.drifts]
        return [self._suspicion, *found] if self._suspicion else found

    def _judge(self) -> None:
        desk, troubles = self._desk, self._troubles()
        is_news, self._told = troubles != self._told, troubles
        if troubles:
            what = "a read cannot be believed" if self._suspicion else "positions do not agree"
            desk.is_reconciled, desk.why_not = False, f"{desk.ref.key}: {what}: {'; '.join(troubles)}"
            if is_news and self._suspicion:
                self._tools.alarm(desk.ref.client_id, "POSITION_READ_SUSPECT", desk.why_not, account=desk.ref.key)
            elif is_news:
                self._tools.alarm(desk.ref.client_id, "POSITION_DRIFT", desk.why_not, account=desk.ref.key)
        elif not desk.is_reconciled:
            desk.is_reconciled, desk.why_not = True, ""
            told = {"orders": len(desk.orders.by_tag), "open": sum(1 for line in desk.lines.values() if line.net)}
            self._tools.journal.record("RECONCILED", desk.ref.client_id, told, account=desk.ref.key)
            for line in list(desk.lines.values()):
                line.advance()
        self._tools.changed.fire()

    def _not_read(self, error: BrokerError) -> None:
        """Say that nothing is known, at once where it was so before, else when it has lasted."""
        desk = self._desk
        self._failures += 1
        self.unread = str(error)
        unread_s = self._tools.clock.monotonic() - self._compared_at
        if desk.is_reconciled and unread_s >= UNKNOWN_AFTER_S:
            desk.is_reconciled = False
            desk.why_not = f"the broker could not be read for {unread_s:.0f} s: {error}"
            text = f"what {desk.ref.key} holds is not known: {desk.why_not}. Stops go on; no new entries."
            self._tools.alarm(desk.ref.client_id, "BROKER_UNREAD", text, account=desk.ref.key)
        elif not desk.is_reconciled and desk.has_session:
            desk.why_not = f"the broker could not be read: {error}"
        logger.warning("account=%s is not reconciled: %s", desk.ref.key, error.code)

    # -- when --------------------------------------------------------------------------------------------------

    def _pause_s(self) -> float:
        if self._failures:
            return self._backoff.wait_s(self._failures, 1.0)
        return positions_every_s(self._desk, is_near_end=self._is_near_end())

    async def _until_lost(self) -> None:
        """Return when the session, that is there now, is lost; never when it is lost already."""
        if not self._desk.has_session:
            await self._tools.changed.until(lambda: self._desk.has_session)
        await self._tools.changed.until(lambda: not self._desk.has_session)


async def _they_are_known() -> None:
    """Wait for nothing: the database has every order before it is sent."""
