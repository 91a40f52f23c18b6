"""LeaseStore on Django: one row a shard, changed only by conditional updates."""

import os

from django.db.models import F
from django.utils import timezone

from trading.domain.errors import ConfigurationError
from trading.models import Heartbeat, Lease
from trading.ports import LeaseView
from trading.stores import heartbeats
from trading.stores.locks import lease_lock
from trading.stores.schema import schema_problem
from trading.stores.thread import DatabaseThread


class DjangoLeaseStore:
    """Who may speak for a shard. Give it a thread of its own, so that renewals never queue behind orders."""

    def __init__(self, thread: DatabaseThread) -> None:
        self._thread = thread

    async def observe(self, shard: str) -> LeaseView | None:
        """Give the row as it is now, None when nobody ever held it."""
        return await self._thread.read(lambda: _view(shard))

    async def acquire(self, shard: str, holder: str, *, seen: LeaseView | None) -> int | None:
        """Take the lease if the row still is what was `seen`; None when somebody was faster."""

        def work() -> int | None:
            if problem := schema_problem():
                raise ConfigurationError(problem)
            if seen is None:
                _, created = Lease.objects.get_or_create(shard=shard, defaults={"holder": holder})
                return 1 if created else None
            unchanged = Lease.objects.filter(shard=shard, epoch=seen.epoch, holder=seen.holder, counter=seen.counter)
            taken = unchanged.update(
                epoch=seen.epoch + 1, holder=holder, counter=seen.counter + 1, acquired_at=timezone.now()
            )
            return seen.epoch + 1 if taken else None

        return await self._thread.run(work, locks=[lease_lock(shard)])

    async def announce(self, who: str, words: str) -> None:
        """Keep what a waiting process says among the heartbeats, under its pid; see the port."""
        part, wall = f"waits {os.getpid()}", timezone.now()

        def work() -> None:
            if words:
                heartbeats.beat(part, wall=wall, detail=f"{who} {words}")
            else:
                Heartbeat.objects.filter(part=part).delete()

        await self._thread.run(work)

    async def renew(self, shard: str, epoch: int) -> bool:
        """Move the counter; False when the epoch is no longer ours or was given back."""

        def work() -> bool:
            ours = Lease.objects.filter(shard=shard, epoch=epoch).exclude(holder="")
            return ours.update(counter=F("counter") + 1) == 1

        return await self._thread.run(work)

    async def release(self, shard: str, epoch: int) -> None:
        """Give the lease back; nothing happens when it is no longer ours."""

        def work() -> None:
            Lease.objects.filter(shard=shard, epoch=epoch).update(holder="", counter=F("counter") + 1)

        await self._thread.run(work, locks=[lease_lock(shard)])


def _view(shard: str) -> LeaseView | None:
    row = Lease.objects.filter(shard=shard).first()
    return None if row is None else LeaseView(epoch=row.epoch, holder=row.holder, counter=row.counter)
