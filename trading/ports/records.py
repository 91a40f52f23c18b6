"""What the engine reads and writes: rows of the database as values, without it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from trading.domain.adoption import Adoption
from trading.domain.caps import HouseCaps
from trading.domain.control import CommandKind, KillPath, TradingState
from trading.domain.instruments import Instrument
from trading.domain.orders import BrokerOrder, BrokerTrade, IntentState, OrderIntent
from trading.domain.reference_range import ReferenceRange

Place = tuple[str, str]
"""(account key, instrument): where one ladder trades."""


@dataclass(frozen=True, slots=True)
class ClientPolicy:
    """What one client allows. Money in rupees; None means no limit. Times are IST."""

    client_id: int
    label: str
    state: TradingState
    squares_off_on_kill: bool
    square_off_at: time
    no_new_entry_after: time
    daily_loss_limit: Decimal | None
    daily_profit_limit: Decimal | None
    max_trades_per_day: int | None
    max_open_positions: int | None
    max_order_value: Decimal | None
    latched_reason: str = ""
    max_order_quantity: int | None = None
    disaster_stop_percent: Decimal | None = None
    """A stop rests at the exchange so far beyond the ladder's own, percent of that; None: none does."""
    price_collar_percent: Decimal | None = None
    max_entries_per_ladder: int | None = None


@dataclass(frozen=True, slots=True)
class AccountRef:
    """One broker account of one client. `key` is stable for ever: `kite:AB1001`."""

    account_id: int
    key: str
    client_id: int
    broker: str
    algo_id: str = ""
    egress_ip: str = ""
    """The local address that is registered with the broker; empty is whichever the machine takes."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One instrument that one account trades today by the ladder.

    `quantity` is units (fixed) or None when `capital` rupees decide at the entry price.
    `config` holds only what differs from the ladder's defaults (spec: configuration table).
    `day_range` is None while unknown; then nothing is entered. `why_no_range` says that it stays so today.
    `is_closing`: switched off; what was opened today is carried to its end, and nothing more is entered.
    """

    account_key: str
    instrument: Instrument
    config: Mapping[str, Any]
    quantity: int | None
    capital: Decimal | None
    day_range: ReferenceRange | None
    why_no_range: str = ""
    is_closing: bool = False


@dataclass(frozen=True, slots=True)
class StoredIntent:
    """An intent as the database has it, with what the broker last said of its order."""

    intent: OrderIntent
    state: IntentState
    order: BrokerOrder | None = None
    decided_at: datetime | None = None
    changes: int = 0
    """How often its order was changed: the broker takes only so many."""
    by_journal: bool = False
    """Its row comes by the exit journal: the database does not have this state of it yet."""


@dataclass(frozen=True, slots=True)
class LadderRecord:
    """The ladder's state of one account and instrument today, opaque to the store (JSON-able)."""

    account_key: str
    instrument: str
    snapshot: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class DayBook:
    """All that an engine needs to begin or to go on with a day."""

    day: date
    house_state: TradingState
    clients: tuple[ClientPolicy, ...]
    accounts: tuple[AccountRef, ...]
    plans: tuple[Plan, ...]
    intents: tuple[StoredIntent, ...]
    trades: tuple[tuple[str, BrokerTrade], ...]
    """(account key, trade): each trade id once an account."""
    ladders: tuple[LadderRecord, ...]
    squared_off: frozenset[int] = frozenset()
    """Clients whom somebody asked to square off today: they enter nothing more."""
    house_caps: HouseCaps | None = None
    """None denies every entry."""
    adoptions: tuple[tuple[str, Adoption], ...] = ()
    """(account key, adoption), in the order in which they were made."""
    is_copy: bool = False
    """Made some while ago: orders were sent since that are not in it."""
    unfit: Mapping[str, str] = field(default_factory=dict)
    """Instruments of the plans that expired, or that the broker's list gives other facts for, and why: nothing is
    entered in them. What is open is closed by the facts that the plan has."""


@dataclass(frozen=True, slots=True)
class Command:
    """One row of the command table. `client_id` None means the whole house; `asked_wall` is its wall time."""

    command_id: int
    kind: CommandKind
    client_id: int | None
    arguments: Mapping[str, Any] = field(default_factory=dict)
    asked_wall: datetime | None = None
    path: str = ""
    """By which way a kill switch was pressed."""

    @property
    def account_key(self) -> str:
        """The one account that it is about; empty for all of the client's."""
        return str(self.arguments.get("account_key", ""))


@dataclass(frozen=True, slots=True)
class KillPress:
    """One press of the kill switch of the house, a client, or one account of a client.

    `leave_positions` None is the client's own choice. `by` names who pressed. `once_key` makes the same press count
    once, however often and by how many ways it comes; empty for none.
    """

    client_id: int | None
    account_key: str
    leave_positions: bool | None
    path: KillPath
    by: str
    once_key: str = ""


@dataclass(frozen=True, slots=True)
class StoredPress:
    """The command of a press. `is_finished` says that somebody carried it out already."""

    command_id: int
    is_finished: bool


@dataclass(frozen=True, slots=True)
class KillFile:
    """One file of the kill directory. `touched` tells one press from the next by the same name; `touched_at` is wall
    time."""

    name: str
    touched: str
    touched_at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class ControlView:
    """The control rows and unfinished commands at one moment; `accounts` by their keys."""

    house_state: TradingState
    states: Mapping[int, TradingState]
    accounts: Mapping[str, TradingState]
    latched: Mapping[int, str]
    commands: tuple[Command, ...]
    stopped_ladders: Mapping[Place, str] = field(default_factory=dict)
    """Ladders that repeated themselves too often, and why: they enter nothing until a person lets them go on."""
    allowed_again: Mapping[Place, datetime] = field(default_factory=dict)
    """When (market time) a person last let a ladder go on today: its repetitions count from then."""


@dataclass(frozen=True, slots=True)
class Claim:
    """The answer of the transaction that sets SENDING. `denied` is empty when the order may leave.

    `state` is what the intent was when it was NOT_NEW.
    """

    denied: str = ""
    message: str = ""
    state: IntentState | None = None


@dataclass(frozen=True, slots=True)
class EngineEvent:
    """One line of the event log. `client_id` None is the house. `data` is JSON-able, money as strings.

    `kind` is past tense or the ladder's own word (ENTRY, TARGET, TRAIL, STOP, SQUARE_OFF, SKIPPED,
    NOT_TRADED, GATE, INTENT_SENT, ORDER_ACKED, ORDER_UPDATED, FILL, STATE_CHANGED, ALARM ...).
    `tag` links it to an order, `instrument` and `account_key` to a position.
    """

    client_id: int | None
    kind: str
    at: datetime
    data: Mapping[str, Any]
    account_key: str = ""
    instrument: str = ""
    tag: str = ""
