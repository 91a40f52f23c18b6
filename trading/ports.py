"""What the engine, the adapters and the market data ask of the world. Types come from `domain` only.

Two kinds of time (docs/architecture.md): *market time* decides about sessions, entries and square-off
and may be simulated; *wire time* is monotonic, never scaled, and decides about sockets, leases and back-off.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Protocol

from trading.domain.adoption import Adoption
from trading.domain.candles import Candle
from trading.domain.caps import HouseCaps
from trading.domain.control import CommandKind as CommandKind
from trading.domain.control import KillPath as KillPath
from trading.domain.control import TradingState as TradingState
from trading.domain.exit_journal import JournaledExit
from trading.domain.instruments import Instrument
from trading.domain.opening_range import OpeningRange
from trading.domain.orders import (
    BrokerOrder,
    BrokerPosition,
    BrokerTrade,
    IntentState,
    OrderChange,
    OrderIntent,
)
from trading.domain.reference_range import ReferenceRange
from trading.domain.repricing import PriceQuote
from trading.domain.ticks import Tick

Place = tuple[str, str]
"""(account key, instrument): where one ladder trades."""


class Clock(Protocol):
    """The only reader of the time. `now` is market time, aware UTC; `monotonic` is wire time in seconds."""

    def now(self) -> datetime: ...
    def wall(self) -> datetime:
        """Real time, aware UTC, for audit columns and sign-ins; never for a trading decision."""

    def monotonic(self) -> float: ...
    async def sleep(self, seconds: float) -> None:
        """Sleep wire seconds."""

    async def sleep_until(self, moment: datetime) -> None:
        """Return once market time is at or past `moment`."""


class TickFeed(Protocol):
    """Batches of ticks as the ticker published them. `step` is the simulated market's step that
    the batch completes, None live and for a batch that completes none."""

    def batches(self) -> AsyncIterator["TickBatch"]: ...


@dataclass(frozen=True, slots=True)
class TickBatch:
    """Ticks in the order in which they came. An empty batch with a step says: nothing moved."""

    ticks: tuple[Tick, ...]
    step: int | None = None


class Broker(Protocol):
    """One broker account. Raises only the classes of `domain.errors`.

    `place` raises BrokerRejected (final), BrokerAuthError (final, log in), BrokerUnavailable (not a byte was
    sent) or OrderOutcomeUnknown; it never retries. `modify` raises the same but BrokerUnavailable. Reads and
    `cancel` raise BrokerUnavailable, BrokerAuthError or BrokerRejected.
    """

    async def place(self, intent: OrderIntent) -> str: ...
    async def modify(self, order_id: str, change: OrderChange) -> None:
        """Change an order that rests; its row in the book says what came of it."""

    async def cancel(self, order_id: str) -> None: ...
    async def orders(self) -> list[BrokerOrder]: ...
    async def trades(self) -> list[BrokerTrade]: ...
    async def positions(self) -> list[BrokerPosition]: ...
    async def last_prices(self, instruments: Sequence[str]) -> dict[str, Decimal]:
        """Unknown instruments are absent from the answer."""

    async def quotes(self, instruments: Sequence[str]) -> dict[str, PriceQuote]:
        """Last prices with circuit bands. Unknown instruments are absent from the answer."""

    def order_updates(self) -> AsyncIterator["OrderUpdate"]:
        """Yield every order message of this account, for ever; reconnects by itself.

        `serial` counts the messages of the present connection from 1; `order` is None when a
        connection was (re)made, which tells the reader to poll.
        """

    async def close(self) -> None: ...


class PriceHistory(Protocol):
    """Historical data by one account, apart from its `Broker`: a slow read here keeps no exit waiting.

    Raises BrokerUnavailable, BrokerAuthError or BrokerRejected.
    """

    async def candles(self, token: int, start: datetime, end: datetime, interval: str) -> list[Candle]:
        """Read the candles that begin from `start` to `end` (aware); `interval` is Kite's word, e.g. minute."""

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class OrderUpdate:
    """One message of the order socket. See `Broker.order_updates`."""

    order: BrokerOrder | None
    serial: int = 0


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


class KillFiles(Protocol):
    """The directory whose files are pressed kill switches. Every method answers at once; raises OSError."""

    def prepare(self) -> None:
        """Make the directory where it is missing."""

    def names(self) -> tuple[str, ...]: ...
    def read(self, name: str) -> KillFile | None:
        """Read one file; None when it is gone."""


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


class EngineStore(Protocol):
    """The engine's database. Every method is one short committed transaction, or joins a group commit.

    Raises `StoreUnavailable` (domain.errors) when the database cannot be reached.
    """

    async def load_book(self, day: date) -> DayBook: ...
    async def copy_book(self, day: date) -> DayBook:
        """Read a day without keeping any writer waiting: its parts may be of different moments."""

    async def control(self) -> ControlView: ...
    async def create_intent(self, intent: OrderIntent, *, decided_at: datetime, reason: Mapping[str, Any]) -> bool:
        """Commit a NEW intent. False when its purpose key exists already: somebody was first.

        Raises ExitAlreadyLive when another exit of this account and instrument may still fill.
        """

    async def claim(self, tag: str, *, shard: str, epoch: int, verdicts: Sequence[Mapping[str, Any]]) -> Claim:
        """Set SENDING if the lease epoch is ours and the control rows (locked) let this order pass.

        A refusal by the control rows (KILL_SWITCH, ACCOUNT_DISABLED, LADDER_STOPPED) also sets the intent DENIED;
        LEASE_LOST and NOT_NEW change nothing. In the same transaction one GATE event goes to the client's chain:
        `{"purpose", "verdicts"}`, the given ones and after them the claim's own (`"check": "claim"`).
        """

    async def claim_change(self, tag: str, *, shard: str, epoch: int) -> Claim:
        """Count one more change of an order, if the lease epoch is ours; denied is LEASE_LOST otherwise."""

    async def resolve(self, tag: str, state: IntentState, *, order_id: str = "", reason: str = "") -> None:
        """Move an intent on. The same state again changes nothing; raises IllegalTransition against NEXT_STATES."""

    async def never_sent(self, tag: str, *, shard: str, epoch: int, reason: str) -> None:
        """Settle an intent that this holder never sent, though a claim that nobody waited for may be committed.

        NEW becomes DENIED, SENDING under this epoch REFUSED, so that it holds up no other exit; anything else, or no
        row at all, stays as it is.
        """

    async def import_exit(self, exit_: JournaledExit) -> bool:
        """Take in an exit that went by the journal: its row, its state, its events. False when all that was known."""

    async def save_order(self, account_key: str, order: BrokerOrder) -> None:
        """Keep the broker's last word of an order of ours; stale words and strangers' orders are passed over."""

    async def save_trades(self, account_key: str, trades: Sequence[BrokerTrade]) -> list[BrokerTrade]:
        """Insert the trades not seen before and give those back. Safe with any duplicates."""

    async def save_ladder(self, day: date, record: LadderRecord, *, shard: str, epoch: int) -> bool:
        """Keep the newest snapshot of one ladder; False, and nothing is kept, when the lease is not that epoch's."""

    async def save_adoption(self, account_key: str, day: date, adoption: Adoption) -> bool:
        """Keep that the broker's word for a position was adopted; False when its key was kept before."""

    async def save_reconciliation(self, account_key: str, day: date, picture: Mapping[str, Any]) -> None:
        """Keep the newest picture of an account (JSON-able): ours beside the broker's. Pages read nothing else."""

    async def save_opening_range(self, day: date, found: OpeningRange) -> OpeningRange:
        """Keep what was found of a window, once a day: gives the one that counts, which is the first."""

    async def append_events(self, events: Sequence[EngineEvent]) -> None: ...
    async def finish_command(self, command_id: int, result: Mapping[str, Any]) -> None: ...
    async def lower_state(
        self, client_id: int | None, state: TradingState, reason: str, *, account_key: str = "", latch: bool = False
    ) -> None:
        """Lower the control row of the house (None), a client, or one account of a client; raising is a person's.

        `latch` holds it until the next session.
        """

    async def stop_ladder(self, place: Place, reason: str) -> None:
        """Hold a ladder's entries until a person lets it go on; one that is stopped already keeps its first reason."""

    async def store_press(self, press: KillPress) -> StoredPress:
        """Commit a kill switch that was pressed by a file: state, command and log, as a page does. Safe to repeat."""

    async def save_pnl(self, at: datetime, points: Sequence[tuple[int, Decimal, Decimal]]) -> None:
        """(client id, realised, unrealised), once a market minute."""

    async def raise_alarm(self, client_id: int | None, code: str, text: str) -> None: ...


@dataclass(frozen=True, slots=True)
class LeaseView:
    """A lease row as seen now. Judge a holder by how long you saw `counter` stand still."""

    epoch: int
    holder: str
    counter: int

    @property
    def build(self) -> str:
        """The build of the holder, behind the `#` of its name; empty where it names none."""
        return build_of(self.holder)


def build_of(holder: str) -> str:
    """Give the build that a holder's name tells."""
    return holder.partition("#")[2]


class LeaseStore(Protocol):
    """One row a shard. `acquire` raises ConfigurationError while the database's schema is not this build's."""

    async def observe(self, shard: str) -> LeaseView | None: ...
    async def acquire(self, shard: str, holder: str, *, seen: LeaseView | None) -> int | None:
        """Take the lease if the row still is what was `seen`; gives the new epoch, or None when somebody was faster."""

    async def renew(self, shard: str, epoch: int) -> bool:
        """Move the counter; False when the epoch is no longer ours."""

    async def release(self, shard: str, epoch: int) -> None: ...
    async def announce(self, who: str, words: str) -> None:
        """Show people that a process waits, and why; empty words take it away."""


@dataclass(frozen=True, slots=True)
class PulseView:
    """The newest sign of life of a shard's holder on this machine. `beat` only differs from beat to beat."""

    holder: str
    epoch: int
    beat: int


class Pulse(Protocol):
    """The lease's counter once more, where no database is needed: on this machine. Neither method raises."""

    async def beat(self, shard: str, holder: str, epoch: int) -> None: ...
    async def look(self, shard: str) -> PulseView | None:
        """Give the newest beat, None where there never was one that can be read."""


class AccountLocks(Protocol):
    """One lock an account on this machine, which ends with the process that has it. It needs no database."""

    def holds(self, account_key: str) -> bool: ...
    async def take(self, account_key: str, *, ousts: bool) -> str:
        """Take the lock, or keep it; gives "" when it is ours, else a sentence: who has it, and why it stays so.

        `ousts`: we hold the lease, so whoever has the lock lost it. Such a process gets a moment to notice, and is
        then killed, where it is surely the one that took the lock and runs on this machine.
        """

    async def release(self) -> None:
        """Let all locks go."""


class ExitJournal(Protocol):
    """What exits are written ahead to while the database is away: on this machine's disk, by the account's lock holder.

    Raises JournalUnavailable: nothing is on the disk then, so nothing may be sent.
    """

    async def write_ahead(self, exit_: JournaledExit) -> None:
        """Return once the exit is on the disk."""

    async def note(self, account_key: str, tag: str, state: IntentState, *, order_id: str, words: str) -> None:
        """Add what became of an exit written ahead."""

    async def pending(self, account_key: str) -> list[JournaledExit]:
        """Give the exits whose last state the database does not have, in the order in which they were sent."""

    async def imported(self, account_key: str, tag: str, state: IntentState) -> None:
        """Note that the database has an exit in this state."""


class LivePublisher(Protocol):
    """Sends what happened to the pages. Losing a message is allowed; delaying the engine is not."""

    def publish(self, client_id: int | None, kind: str, data: Mapping[str, Any]) -> None: ...


class AlarmPost(Protocol):
    """Who carries alarms to people. Neither method waits or raises; losing a call of `stored` only costs a second."""

    def stored(self) -> None:
        """An alarm was committed: send it now."""

    def directly(self, client_id: int | None, code: str, text: str, at: datetime) -> None:
        """The database did not take an alarm: keep it on disk, and tell people without the database."""


class MarketHold(Protocol):
    """The engine's side of a market that may wait for it (simulated exchange only).

    `rounds` yields each round the exchange asks about; `answer` says that everything up to it was
    decided and every own order is final or resting; `busy` says that work is still going on.
    """

    def rounds(self) -> AsyncIterator["MarketRound"]: ...
    async def answer(self, round_: "MarketRound", *, next_due: datetime | None) -> None: ...
    async def busy(self, round_: "MarketRound") -> None: ...


@dataclass(frozen=True, slots=True)
class MarketRound:
    """One question of the exchange. `has_ticker` is false when no ticker takes part, so that no
    tick batch with this step will come. `updates` counts order messages sent so far a broker user
    on its present connection, `frames` tick frames on its present ticker connection. An answer is
    only waited for when `waits`."""

    step: int
    round: int
    at: datetime
    has_ticker: bool
    frames: Mapping[str, int]
    updates: Mapping[str, int]
    waits: bool


class SessionGrant(Protocol):
    """What a broker gives for a request token. `access_token` is a secret: never log this."""

    @property
    def user_id(self) -> str: ...
    @property
    def access_token(self) -> str: ...


class BrokerSession(Protocol):
    """The sign-in half of a broker's API, for one account. Calls block."""

    def login_url(self, state: str) -> str:
        """Give the broker's sign-in page; `state` comes back on the redirect."""

    def exchange(self, request_token: str) -> SessionGrant:
        """Trade the one-use token for a session. Raises BrokerError."""

    def revoke(self, access_token: str) -> None:
        """End a session at the broker. Raises BrokerError."""
