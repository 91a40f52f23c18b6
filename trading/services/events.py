"""The event log for everything that is not the engine: append to the chains, and check them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from trading.models import EventChain, User
from trading.ports import Clock, EngineEvent
from trading.stores.chain import append_events, first_broken


@dataclass(frozen=True, slots=True)
class ChainReport:
    """What checking one chain found. `broken_at` is the first sequence number that does not verify."""

    name: str
    length: int
    broken_at: int | None

    @property
    def is_whole(self) -> bool:
        """True when nothing was edited, removed, added or cut off."""
        return self.broken_at is None


def market_now(clock: Clock) -> datetime:
    """Give market time, or real time while the simulated exchange cannot be asked: a stop must not wait for it."""
    try:
        return clock.now()
    except OSError:
        return clock.wall()


def record(client_id: int | None, kind: str, data: Mapping[str, Any], *, clock: Clock) -> None:
    """Append one line to a client's chain, or the house's, in one transaction (or the caller's)."""
    event = EngineEvent(client_id=client_id, kind=kind, at=market_now(clock), data=data)
    with transaction.atomic():
        append_events([event], wall=clock.wall())


def actor(by: User | None) -> str:
    """Name who did something: the address, or the machine's own command line."""
    return by.email if by else "command line"


def verify(client_id: int | None) -> int | None:
    """Give the first sequence number of a chain that does not verify; None when all do."""
    return first_broken(client_id)


def verify_all() -> list[ChainReport]:
    """Check every chain there is. Reads the whole log."""
    return [
        ChainReport(chain.name, chain.last_seq, first_broken(chain.client_id))
        for chain in EventChain.objects.order_by("id")
    ]
