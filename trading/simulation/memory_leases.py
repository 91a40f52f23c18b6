"""LeaseStore in memory, and whether this database of dictionaries can be reached at all."""

from dataclasses import replace

from trading.domain.errors import StoreUnavailable
from trading.ports import Claim, LeaseView


class MemoryLeases:
    """One row a shard. `is_available = False` makes every call raise StoreUnavailable."""

    def __init__(self) -> None:
        self.is_available = True
        self.leases: dict[str, LeaseView] = {}
        self.waiting: dict[str, str] = {}

    async def observe(self, shard: str) -> LeaseView | None:
        self._check()
        return self.leases.get(shard)

    async def acquire(self, shard: str, holder: str, *, seen: LeaseView | None) -> int | None:
        self._check()
        if self.leases.get(shard) != seen:
            return None
        epoch, counter = (1, 1) if seen is None else (seen.epoch + 1, seen.counter + 1)
        self.leases[shard] = LeaseView(epoch, holder, counter)
        return epoch

    async def announce(self, who: str, words: str) -> None:
        self._check()
        self.waiting.pop(who, None)
        if words:
            self.waiting[who] = words

    async def renew(self, shard: str, epoch: int) -> bool:
        self._check()
        lease = self.leases.get(shard)
        if lease is None or lease.epoch != epoch or not lease.holder:
            return False
        self.leases[shard] = replace(lease, counter=lease.counter + 1)
        return True

    async def release(self, shard: str, epoch: int) -> None:
        self._check()
        lease = self.leases.get(shard)
        if lease is not None and lease.epoch == epoch:
            self.leases[shard] = replace(lease, holder="", counter=lease.counter + 1)

    def _check(self) -> None:
        if not self.is_available:
            raise StoreUnavailable("the test made the store unavailable")

    def lease_lost(self, shard: str, epoch: int) -> Claim | None:
        lease = self.leases.get(shard)
        if lease is None or lease.epoch != epoch or not lease.holder:
            return Claim("LEASE_LOST", f"the lease of {shard} was not held with epoch {epoch}")
        return None
