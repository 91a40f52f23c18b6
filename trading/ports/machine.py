"""What a process needs of its own machine, without any database: clock, locks, files, and ways to people."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from trading.domain.exit_journal import JournaledExit
from trading.domain.orders import IntentState
from trading.ports.records import KillFile


class Clock(Protocol):
    """The only reader of the time. `now` is market time, aware UTC; `monotonic` is wire time in seconds."""

    def now(self) -> datetime: ...
    def wall(self) -> datetime:
        """Real time, aware UTC, for audit columns and sign-ins; never for a trading decision."""

    def monotonic(self) -> float: ...
    async def sleep(self, seconds: float) -> None:
        """Sleep wire seconds."""

    async def sleep_until(self, moment: datetime) -> None:
        """Return once market time is at or past `moment`."""


@dataclass(frozen=True, slots=True)
class PulseView:
    """The newest sign of life of a shard's holder on this machine. `beat` only differs from beat to beat."""

    holder: str
    epoch: int
    beat: int


class Pulse(Protocol):
    """The lease's counter once more, where no database is needed: on this machine. Neither method raises."""

    async def beat(self, shard: str, holder: str, epoch: int) -> None: ...
    async def look(self, shard: str) -> PulseView | None:
        """Give the newest beat, None where there never was one that can be read."""


class AccountLocks(Protocol):
    """One lock an account on this machine, which ends with the process that has it. It needs no database."""

    def holds(self, account_key: str) -> bool: ...
    async def take(self, account_key: str, *, ousts: bool) -> str:
        """Take the lock, or keep it; gives "" when it is ours, else a sentence: who has it, and why it stays so.

        `ousts`: we hold the lease, so whoever has the lock lost it. Such a process gets a moment to notice, and is
        then killed, where it is surely the one that took the lock and runs on this machine.
        """

    async def release(self) -> None:
        """Let all locks go."""


class ExitJournal(Protocol):
    """What exits are written ahead to while the database is away: on this machine's disk, by the account's lock holder.

    Raises JournalUnavailable: nothing is on the disk then, so nothing may be sent.
    """

    async def write_ahead(self, exit_: JournaledExit) -> None:
        """Return once the exit is on the disk."""

    async def note(self, account_key: str, tag: str, state: IntentState, *, order_id: str, words: str) -> None:
        """Add what became of an exit written ahead."""

    async def pending(self, account_key: str) -> list[JournaledExit]:
        """Give the exits whose last state the database does not have, in the order in which they were sent."""

    async def imported(self, account_key: str, tag: str, state: IntentState) -> None:
        """Note that the database has an exit in this state."""


class KillFiles(Protocol):
    """The directory whose files are pressed kill switches. Every method answers at once; raises OSError."""

    def prepare(self) -> None:
        """Make the directory where it is missing."""

    def names(self) -> tuple[str, ...]: ...
    def read(self, name: str) -> KillFile | None:
        """Read one file; None when it is gone."""


class LivePublisher(Protocol):
    """Sends what happened to the pages. Losing a message is allowed; delaying the engine is not."""

    def publish(self, client_id: int | None, kind: str, data: Mapping[str, Any]) -> None: ...


class AlarmPost(Protocol):
    """Who carries alarms to people. Neither method waits or raises; losing a call of `stored` only costs a second."""

    def stored(self) -> None:
        """An alarm was committed: send it now."""

    def directly(self, client_id: int | None, code: str, text: str, at: datetime) -> None:
        """The database did not take an alarm: keep it on disk, and tell people without the database."""
