"""The tasks that listen to one account: its order socket, its fills, its order book every few seconds."""

import asyncio
import logging
from collections.abc import Callable

from trading.domain.backoff import Backoff
from trading.domain.errors import BrokerError
from trading.engine.cadence import orders_every_s
from trading.engine.desk import AccountDesk
from trading.engine.reads import Urgency
from trading.engine.tools import Tools
from trading.engine.work import Signal, first_of

logger = logging.getLogger(__name__)

LOOKS_AT_CADENCE_EVERY_S = 1.0
HOLDS_FOR_FAILURES = 5
"""Failed reads of the fills after which a market that waits no longer waits for them."""


class AccountListener:
    """Keeps one desk's picture of the broker fresh. A part that fails is begun again and stops nobody else."""

    def __init__(self, tools: Tools, desk: AccountDesk) -> None:
        self.heard = Signal()
        self.on_read: Callable[[], None] = lambda: None
        self._tools = tools
        self._desk = desk
        self._backoff = Backoff(first_s=0.3, most_s=5.0)
        self._reopens = Backoff(first_s=1.0, most_s=30.0)
        self._trades_wanted = asyncio.Event()
        self._orders_wanted = asyncio.Event()
        self._holds_market = False
        desk.want_trades = self.want_trades

    def start(self) -> None:
        """Begin listening."""
        for run in (self._listen, self._fetch_trades, self._read_orders, self._poll):
            self._tools.keep(run, f"{run.__name__} {self._desk.ref.key}")

    def want_trades(self) -> None:
        """Have the fills read soon; what is wanted meanwhile is one read."""
        self._trades_wanted.set()
        if not self._holds_market:
            self._holds_market = True
            self._tools.work.begin()

    def want_orders(self) -> None:
        """Have the order book read soon."""
        self._orders_wanted.set()

    async def until_serial(self, serial: int, timeout_s: float) -> None:
        """Return once so many messages of the present connection were applied; read the book when they stay away."""
        deadline = self._tools.clock.monotonic() + timeout_s
        while self._desk.update_serial < serial:
            left = deadline - self._tools.clock.monotonic()
            if left <= 0:
                await self.catch_up()
                return
            await first_of(self.heard.wait(), self._tools.clock.sleep(left))

    async def catch_up(self) -> None:
        """Read order book and fills now; a failure leaves things unknown, to be read again by the poll."""
        for read in (self._desk.read_orders, self._desk.read_trades):
            try:
                await read(Urgency.POLL)
            except BrokerError as error:  # what the one does not tell the other may
                logger.warning("account=%s could not be read: %s", self._desk.ref.key, error)
        self.on_read()

    async def _listen(self) -> None:
        """Follow the order socket for ever, opening it again when it ends."""
        failures = 0
        while True:
            try:
                async for update in self._desk.broker.order_updates():
                    failures = 0
                    if update.order is None:
                        self.want_orders()
                    else:
                        self._desk.hear(update.order)
                    self._desk.update_serial = update.serial
                    self.heard.fire()
            except BrokerError as error:
                logger.info("order updates of account=%s ended: %s", self._desk.ref.key, error.code)
            except Exception:
                logger.exception("order updates of account=%s failed", self._desk.ref.key)
            failures += 1
            self.want_orders()  # a read also tells whether the session is dead
            await self._tools.clock.sleep(self._reopens.wait_s(failures, 1.0))

    async def _fetch_trades(self) -> None:
        failures = 0
        while True:
            await self._trades_wanted.wait()
            self._trades_wanted.clear()
            try:
                await self._desk.read_trades()
                failures = failures + 1 if self._desk.orders.lacks_trades() else 0
            except BrokerError as error:
                failures += 1
                logger.warning("fills of account=%s could not be read: %s", self._desk.ref.key, error.code)
            except Exception:
                failures += 1
                logger.exception("fills of account=%s could not be taken in", self._desk.ref.key)
            if failures:
                await self._again(failures)
            elif not self._trades_wanted.is_set():
                self._let_go()

    async def _again(self, failures: int) -> None:
        if failures >= HOLDS_FOR_FAILURES:
            self._let_go()
        await self._tools.clock.sleep(self._backoff.wait_s(failures, 1.0))
        self._trades_wanted.set()

    def _let_go(self) -> None:
        if self._holds_market:
            self._holds_market = False
            self._tools.work.end()

    async def _read_orders(self) -> None:
        while True:
            await self._orders_wanted.wait()
            self._orders_wanted.clear()
            if self._desk.has_session:
                with self._tools.work.doing():
                    await self.catch_up()

    async def _poll(self) -> None:
        """Read for ever, whether or not something of ours is alive: a hand in the broker's app tells nobody."""
        waited_s = 0.0
        while True:
            await self._tools.clock.sleep(LOOKS_AT_CADENCE_EVERY_S)
            waited_s += LOOKS_AT_CADENCE_EVERY_S
            if waited_s >= orders_every_s(self._tools, self._desk):
                waited_s = 0.0
                self.want_orders()
