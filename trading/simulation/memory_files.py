"""AccountLocks, Pulse and ExitJournal in memory: the lock files and the disk of one simulated machine."""

from trading.domain.errors import JournalUnavailable
from trading.domain.exit_journal import (
    JournaledExit,
    ahead_line,
    imported_line,
    outcome_line,
    pending_exits,
    read_journal,
)
from trading.domain.orders import IntentState
from trading.ports import PulseView


class MemoryMachine:
    """What survives a process: who has which lock, and what is on the disk. `is_full` makes the disk take nothing.

    `may_kill` False is a holder of another user: it cannot be ousted.
    """

    def __init__(self) -> None:
        self.owners: dict[str, MemoryLocks] = {}
        self.disk: dict[str, bytes] = {}
        self.pulses: dict[str, PulseView] = {}
        self.takes_beats = self.shows_beats = True
        """False where the pulse's file cannot be stamped, or cannot be read: torn, gone, another user's."""
        self.is_full = False
        self.may_kill = True


class MemoryLocks:
    """One process's locks. `is_dead`: it was killed, by a test or by whoever ousted it."""

    def __init__(self, machine: MemoryMachine) -> None:
        self._machine = machine
        self.is_dead = False

    def holds(self, account_key: str) -> bool:
        return self._machine.owners.get(account_key) is self

    async def take(self, account_key: str, *, ousts: bool) -> str:
        owner = self._machine.owners.get(account_key)
        if owner is not None and owner is not self and not owner.is_dead:
            if not (ousts and self._machine.may_kill):
                return f"{account_key} is held by another process"
            owner.die()
        self._machine.owners[account_key] = self
        return ""

    async def release(self) -> None:
        for account_key, owner in list(self._machine.owners.items()):
            if owner is self:
                del self._machine.owners[account_key]

    def die(self) -> None:
        """End as a killed process does: the kernel frees the locks."""
        self.is_dead = True
        self._machine.owners = {key: owner for key, owner in self._machine.owners.items() if owner is not self}


class MemoryPulse:
    """The newest beat of each shard."""

    def __init__(self, machine: MemoryMachine) -> None:
        self._machine = machine

    async def beat(self, shard: str, holder: str, epoch: int) -> None:
        known = self._machine.pulses.get(shard)
        if self._machine.takes_beats:
            self._machine.pulses[shard] = PulseView(holder, epoch, known.beat + 1 if known else 1)

    async def look(self, shard: str) -> PulseView | None:
        return self._machine.pulses.get(shard) if self._machine.shows_beats else None


class MemoryExitJournal:
    """The journal files, as bytes."""

    def __init__(self, machine: MemoryMachine, locks: MemoryLocks) -> None:
        self._machine = machine
        self._locks = locks

    async def write_ahead(self, exit_: JournaledExit) -> None:
        self._append(exit_.account, ahead_line(exit_))

    async def note(self, account_key: str, tag: str, state: IntentState, *, order_id: str, words: str) -> None:
        self._append(account_key, outcome_line(tag, state, order_id=order_id, words=words))

    async def pending(self, account_key: str) -> list[JournaledExit]:
        return pending_exits(read_journal(self._machine.disk.get(account_key, b"")).lines)

    async def imported(self, account_key: str, tag: str, state: IntentState) -> None:
        self._append(account_key, imported_line(tag, state))

    def _append(self, account_key: str, line: bytes) -> None:
        if self._machine.is_full:
            raise JournalUnavailable("no space left on the disk")
        if not self._locks.holds(account_key):
            raise JournalUnavailable(f"this process does not hold the lock file of {account_key}")
        self._machine.disk[account_key] = self._machine.disk.get(account_key, b"") + line
