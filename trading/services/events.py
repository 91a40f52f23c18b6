"""The event log for everything that is not the engine: append to the chains."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from trading.models import User
from trading.ports import Clock, EngineEvent
from trading.stores.chain import append_events


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
