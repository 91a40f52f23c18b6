"""The rows that serialise money decisions, always taken in one order so that two writers cannot deadlock.

Leases first, then the house row, then chain heads. The house row is also the mutex of every client's
control row: whoever changes or relies on a client's state holds it. SQLite has one writer at a
time (BEGIN IMMEDIATE), so there the transaction itself is the lock.
"""

from collections.abc import Iterable
from typing import NamedTuple

from trading.models import EventChain, House, Lease
from trading.models.house import ONLY_ROW

LEASE, HOUSE, CHAIN = 1, 2, 3


class Lock(NamedTuple):
    """One row to hold; sorting gives the order."""

    rank: int
    name: str = ""


CONTROL = Lock(HOUSE)


def lease_lock(shard: str) -> Lock:
    """Name the lease row of a shard."""
    return Lock(LEASE, shard)


def chain_name(client_id: int | None) -> str:
    """Name the event chain of a client, or the house's."""
    return "house" if client_id is None else f"client:{client_id}"


def chain_lock(client_id: int | None) -> Lock:
    """Name the head row of an event chain."""
    return Lock(CHAIN, chain_name(client_id))


def take(locks: Iterable[Lock]) -> None:
    """Hold these rows until the transaction ends; missing house and chain rows are made. Needs a transaction.

    The locks do not hinder rows that merely point at the locked ones (PostgreSQL: FOR NO KEY UPDATE).
    """
    for lock in sorted(set(locks)):
        if lock.rank == LEASE:
            Lease.objects.select_for_update(no_key=True).filter(shard=lock.name).first()
        elif lock.rank == HOUSE:
            House.objects.select_for_update(no_key=True).get_or_create(id=ONLY_ROW)
        else:
            _, _, number = lock.name.partition(":")
            EventChain.objects.select_for_update(no_key=True).get_or_create(
                name=lock.name, defaults={"client_id": int(number) if number else None}
            )
