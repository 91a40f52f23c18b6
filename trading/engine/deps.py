"""What the engine is given: ports only. `services/wiring.py` fills it in."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trading.domain.calendar import MarketCalendar
from trading.ports import (
    AccountLocks,
    AccountRef,
    AlarmPost,
    Broker,
    Clock,
    EngineStore,
    ExitJournal,
    KillFiles,
    LeaseStore,
    LivePublisher,
    MarketHold,
    PriceHistory,
    Pulse,
    TickFeed,
)


async def _nothing_to_learn(refs: Sequence[AccountRef]) -> None:
    pass


@dataclass(frozen=True)
class EngineDeps:
    """The world of one engine process.

    `broker_for` and `history_for` may be called again for an account whose session was dead. `learn_brokers` reads the
    accounts' sessions anew, raising StoreUnavailable; `broker_for` never waits and takes what was learned last. `hold`
    is given only with the simulated exchange, `kill_files` and `pulse` to every real process. `wake` is set by whoever
    hears that a command was written; missing it costs a poll.
    """

    clock: Clock
    store: EngineStore
    leases: LeaseStore
    locks: AccountLocks
    exit_journal: ExitJournal
    feed: TickFeed
    broker_for: Callable[[AccountRef], Broker]
    history_for: Callable[[AccountRef], PriceHistory]
    live: LivePublisher
    calendar: MarketCalendar
    hold: MarketHold | None = None
    alarm_post: AlarmPost | None = None
    kill_files: KillFiles | None = None
    pulse: Pulse | None = None
    learn_brokers: Callable[[Sequence[AccountRef]], Awaitable[None]] = _nothing_to_learn
    shard: str = "main"
    holder: str = "engine"
    wake: asyncio.Event | None = None
    egress_problem: Callable[[AccountRef], str] = lambda ref: ""
    """Says why an account's registered address cannot be sent from here; empty when it can."""
    keep_feed_health: Callable[[Mapping[str, Any]], None] = lambda report: None
    """Keeps the newest word of `FeedHealth.report` where the status page finds it; losing it is allowed."""
