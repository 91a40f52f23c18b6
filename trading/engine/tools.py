"""What every part of the engine shares during one reign over a shard's day."""

import logging
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Protocol, TypeVar

from trading.domain.backoff import Backoff
from trading.domain.errors import StoreUnavailable
from trading.domain.timezone import midnight_epoch
from trading.engine.deps import EngineDeps
from trading.engine.journal import Journal
from trading.engine.timers import Timers
from trading.engine.work import Signal, Work, first_of, within
from trading.ports import Clock, EngineStore

logger = logging.getLogger(__name__)

T = TypeVar("T")

BEGINS_AGAIN_AFTER_S = 1.0
ALARM_TASK = "alarm"
TELLS_WITHIN_S = 0.5
STORE_ANSWERS_WITHIN_S = 3.0
"""Wire seconds; an exit does not wait longer for the database, and goes by the exit journal then."""
STORE_AGAIN = Backoff(first_s=0.2, most_s=2.0)


class Way(StrEnum):
    """How an exit may leave.

    STORE: the lease is good. JOURNAL: the database has been silent for some seconds; only exits, written ahead to the
    exit journal. NOT_YET: neither is sure. NONE: the lease is somebody else's. Entries leave by STORE alone.
    """

    STORE = "STORE"
    JOURNAL = "JOURNAL"
    NOT_YET = "NOT_YET"
    NONE = "NONE"


class SendRight(Protocol):
    """Whether this process may speak to brokers now. `epoch` is the lease's; `may_send` is the way STORE."""

    @property
    def epoch(self) -> int: ...
    @property
    def may_enter(self) -> bool: ...
    def may_send(self) -> bool: ...
    def way(self) -> Way: ...
    def lost(self, reason: str) -> None: ...
    def stand_down(self, reason: str) -> None:
        """Let the counter stand, so that the standby takes over; for today it is not taken back from it."""


@dataclass(frozen=True)
class Tools:
    """Ports and helpers. `changed` fires whenever an order, a fill or a state changed."""

    deps: EngineDeps
    day: date
    right: SendRight
    journal: Journal
    timers: Timers = field(default_factory=Timers)
    work: Work = field(default_factory=Work)
    changed: Signal = field(default_factory=Signal)

    def __post_init__(self) -> None:
        self.work.on_failure = self.timers.on_failure = self._tell_failure

    @property
    def clock(self) -> Clock:
        """The only reader of the time."""
        return self.deps.clock

    @property
    def store(self) -> EngineStore:
        """The database."""
        return self.deps.store

    @property
    def midnight(self) -> int:
        """The epoch second at which the day began in India."""
        return midnight_epoch(self.day)

    def now(self) -> datetime:
        """Market time."""
        return self.deps.clock.now()

    def spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """Do a piece of work that the market waits for."""
        self.work.spawn(work, name)

    def keep(self, run: Callable[[], Coroutine[Any, Any, None]], name: str) -> None:
        """Keep a part running for ever: one that fails is told about and begun again."""
        self.work.spawn(self._kept(run, name), name, counts=False)

    async def _kept(self, run: Callable[[], Coroutine[Any, Any, None]], name: str) -> None:
        while True:
            try:
                await run()
                return
            except Exception:
                logger.exception("the part %s failed and is begun again", name)
            self.alarm(None, "ENGINE_PART_FAILED", f"the engine's part {name} failed and was begun again; see the log")
            await self.clock.sleep(BEGINS_AGAIN_AFTER_S)

    async def within(self, seconds: float, asked: Awaitable[T]) -> T:
        """Give an answer of the database, or raise StoreUnavailable. See `work.within`."""
        return await within(self.clock, seconds, asked)

    async def until_stored(self, store: Callable[[], Awaitable[None]], what: str) -> None:
        """Write what must not be lost, again and again until the database has it."""
        tries = 0
        while True:
            try:
                with self.work.doing():
                    await store()
                return
            except Exception as error:
                if not isinstance(error, StoreUnavailable):
                    logger.exception("%s could not be stored", what)
                logger.warning("%s waits for the database: %s", what, error)
            tries += 1
            await self.clock.sleep(STORE_AGAIN.wait_s(tries, 1.0))

    def _tell_failure(self, name: str) -> None:
        if not name.startswith(ALARM_TASK):  # an alarm that cannot be stored is in the log, and would tell itself again
            self.alarm(None, "ENGINE_TASK_FAILED", f"the engine's task {name} failed; see the log")

    async def stop(self) -> None:
        """End all work; what tells people of alarms gets a moment to end by itself.

        It is short: whoever lost the lease must let go of the accounts within two seconds (`LETS_GO_WITHIN_S`).
        """
        await self.work.stop(but=ALARM_TASK)
        await first_of(self.work.ended(ALARM_TASK), self.clock.sleep(TELLS_WITHIN_S))
        await self.work.stop()

    def alarm(self, client_id: int | None, code: str, text: str, *, account: str = "", tag: str = "") -> None:
        """Raise an alarm without waiting for people to be told."""
        self.spawn(self.journal.alarm(client_id, code, text, account=account, tag=tag), f"{ALARM_TASK} {code}")
