"""AccountLocks in memory: the lock files of one simulated machine."""


class MemoryMachine:
    """Who has which lock. `may_kill` False is a holder of another user: it cannot be ousted."""

    def __init__(self) -> None:
        self.owners: dict[str, MemoryLocks] = {}
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
