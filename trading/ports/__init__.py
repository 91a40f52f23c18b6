"""What the engine, the adapters and the market data ask of the world. Types come from `domain` only.

Two kinds of time (docs/architecture.md): *market time* decides about sessions, entries and square-off
and may be simulated; *wire time* is monotonic, never scaled, and decides about sockets, leases and back-off.
"""

from trading.ports.database import EngineStore, LeaseStore, LeaseView, build_of
from trading.ports.machine import (
    AccountLocks,
    AlarmPost,
    Clock,
    ExitJournal,
    KillFiles,
    LivePublisher,
    Pulse,
    PulseView,
)
from trading.ports.market import (
    Broker,
    BrokerSession,
    MarketHold,
    MarketRound,
    OrderUpdate,
    PriceHistory,
    SessionGrant,
    TickBatch,
    TickFeed,
)
from trading.ports.records import (
    AccountRef,
    Claim,
    ClientPolicy,
    Command,
    ControlView,
    DayBook,
    EngineEvent,
    KillFile,
    KillPress,
    LadderRecord,
    Place,
    Plan,
    StoredIntent,
    StoredPress,
)

__all__ = [
    "AccountLocks",
    "AccountRef",
    "AlarmPost",
    "Broker",
    "BrokerSession",
    "Claim",
    "ClientPolicy",
    "Clock",
    "Command",
    "ControlView",
    "DayBook",
    "EngineEvent",
    "EngineStore",
    "ExitJournal",
    "KillFile",
    "KillFiles",
    "KillPress",
    "LadderRecord",
    "LeaseStore",
    "LeaseView",
    "LivePublisher",
    "MarketHold",
    "MarketRound",
    "OrderUpdate",
    "Place",
    "Plan",
    "PriceHistory",
    "Pulse",
    "PulseView",
    "SessionGrant",
    "StoredIntent",
    "StoredPress",
    "TickBatch",
    "TickFeed",
    "build_of",
]
