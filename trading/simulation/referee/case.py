"""What all judges know of a day, and what they found."""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from trading.domain.calendar import MarketCalendar
from trading.domain.exit_journal import JournaledExit, pending_exits, read_journal
from trading.domain.instruments import Instrument
from trading.domain.orders import IntentState, OrderIntent
from trading.exchange.venue.orders import Order
from trading.ports import EngineEvent
from trading.simulation.house import BrokerHouse
from trading.simulation.living import EngineProcess
from trading.simulation.memory_files import MemoryMachine
from trading.simulation.memory_store import MemoryStore
from trading.simulation.requests import Request

NEVER = float("-inf")
Place = tuple[str, str]
"""(account key, instrument key)."""
Who = int | str | None
"""Whom a kill stops: a client's id, an account's key, or None for the house."""


class Violation(NamedTuple):
    """One broken invariant."""

    rule: str
    at: str
    text: str


@dataclass(slots=True)
class Sent:
    """One order as an engine process gave it to its adapter. Moments are wire seconds; `ended` None while it waits.

    `alarms` is how many there had been.
    """

    process: str
    intent: OrderIntent
    market: datetime
    began: float
    alarms: int
    ended: float | None = None


class Told(NamedTuple):
    """One alarm that was stored, or told past the database. `at` in wire seconds."""

    at: float
    client_id: int | None
    code: str
    text: str


class Read(NamedTuple):
    """One read of a broker's screen that was answered."""

    account: str
    path: str
    began: float
    tags: frozenset[str]
    ended: float


@dataclass
class Case:
    """The facts of a day. Every judge reads them; the bench writes them."""

    house: BrokerHouse
    store: MemoryStore
    calendar: MarketCalendar
    instruments: Mapping[str, Instrument]
    machine: MemoryMachine
    processes: Sequence[EngineProcess]
    """Those that are there now, dead ones among them until they are taken away."""
    owner_of: Callable[[str], str]
    """Gives the name of the process that has an account's lock, empty for none."""
    violations: list[Violation] = field(default_factory=list)
    looked: Counter[str] = field(default_factory=Counter)
    sent: dict[str, Sent] = field(default_factory=dict)
    arrived: dict[str, float] = field(default_factory=dict)
    """When the broker received an order, by tag, wire seconds."""
    epochs: dict[str, int] = field(default_factory=dict)
    """The lease's epoch under which an order was claimed, by tag."""
    reads: list[Read] = field(default_factory=list)
    held: defaultdict[Place, int] = field(default_factory=lambda: defaultdict(int))
    """Signed units by the ledger's trades."""
    own: defaultdict[Place, tuple[int, int]] = field(default_factory=lambda: defaultdict(lambda: (0, 0)))
    """(ours, the client's own) of it: what is traded by hand closes first what was opened by hand."""
    moved_at: defaultdict[Place, float] = field(default_factory=lambda: defaultdict(lambda: NEVER))
    """When the position last changed, wire seconds."""
    by_hand_at: defaultdict[Place, float] = field(default_factory=lambda: defaultdict(lambda: NEVER))
    """When somebody else last traded there."""
    killed: dict[Who, float] = field(default_factory=dict)
    """When a kill was first committed, wire seconds, by whom it stops."""
    killed_by_file: dict[Who, float] = field(default_factory=dict)
    """When a kill file first lay there, wire seconds."""
    reconciled: set[tuple[str, str]] = field(default_factory=set)
    """(process, account) of those that told that they are reconciled."""
    told: list[Told] = field(default_factory=list)
    away_since: float | None = None
    """Since when no call to the database succeeds, wire seconds; None while one may."""
    store_troubled_at: float = NEVER
    """When a call to the database was last refused or slow, wire seconds."""
    pulse_troubled_at: float = NEVER
    """When the file of the sign of life was last none that could be stamped and read."""
    troubled_at: float = NEVER
    """When a fault last struck or a process last was not itself, wire seconds."""

    # -- finding -----------------------------------------------------------------------------------------------

    def look(self, rule: str) -> None:
        """Count that a rule was really looked at."""
        self.looked[rule] += 1

    def found(self, rule: str, text: str) -> None:
        """Note a violation."""
        at = f"{self.house.clock.now():%H:%M:%S} UTC, wire {self.now():.2f}"
        self.violations.append(Violation(rule, at, text))

    def check(self, rule: str, *, holds: bool, otherwise: str) -> None:
        """Look at a rule once, and note a violation where it does not hold."""
        self.look(rule)
        if not holds:
            self.found(rule, otherwise)

    # -- asking ------------------------------------------------------------------------------------------------

    def process_of(self, name: str) -> EngineProcess | None:
        """Find an engine process by its name."""
        return next((one for one in self.processes if one.life.name == name), None)

    def alive(self) -> list[EngineProcess]:
        """Give the processes that are not dead."""
        return [one for one in self.processes if not one.life.is_dead]

    def now(self) -> float:
        """Give wire seconds."""
        return self.house.clock.monotonic()

    def account_of(self, user_id: str) -> str:
        """Give our key of an account."""
        return f"kite:{user_id}"

    def client_of(self, account: str) -> int:
        """Give whose account it is."""
        return self.store.accounts[account].client_id

    def whom(self, account: str) -> tuple[Who, ...]:
        """Give by whose kills an account is stopped."""
        return account, self.client_of(account), None

    def journaled(self, account: str, tag: str) -> JournaledExit | None:
        """Give an exit that the account's exit journal has and the database not yet."""
        exits = pending_exits(read_journal(self.machine.disk.get(account, b"")).lines)
        return next((exit_ for exit_ in exits if exit_.tag == tag), None)

    def came_home(self, tag: str) -> bool:
        """Say whether an exit was written ahead to an exit journal, and brought to the database since."""
        return any(event.tag == tag and event.kind == "EXIT_IMPORTED" for event in self.store.events)

    def state_of(self, intent: OrderIntent) -> IntentState:
        """Give what is written down of an order: in the exit journal, else in the database."""
        exit_ = self.journaled(intent.key.account, intent.tag)
        return exit_.state if exit_ else self.store.intents[intent.tag].state

    def orders_of(self, account: str, instrument: str) -> list[Order]:
        """Give the ledger's orders of an account in an instrument."""
        books = self.house.venue.books.accounts[account.partition(":")[2]]
        return [order for order in books.orders.values() if order.instrument.key == instrument]

    def is_ours(self, order: Order) -> bool:
        """Say whether an engine sent it."""
        return order.tag in self.sent

    def hidden_s(self) -> float:
        """Give by how many wire seconds an order may be late on the broker's screens now, 0 for none."""
        rules = self.house.faults.rules.values()
        lag = max((rule.seconds for rule in rules if rule.action == "lag"), default=0.0)
        return lag + max((rule.accept_after_s or 0.0 for rule in rules), default=0.0)

    def shown_at(self, place: Place, since: float) -> float | None:
        """Give when an answer came that could show what happened at a moment, None while there was none."""
        shows, from_ = ("/portfolio/positions", "/trades"), since + self.hidden_s()
        answers = (read for read in self.reads if read.account == place[0] and read.path in shows)
        return next((read.ended for read in answers if read.began >= from_), None)

    def could_know(self, place: Place, within_s: float) -> bool:
        """Say whether the last trade by hand there must be known: it was a while ago, and a read showed it since."""
        at = self.by_hand_at[place]
        if self.now() - at < within_s:
            return False
        shows = ("/portfolio/positions", "/trades")
        return at == NEVER or any(
            read.account == place[0] and read.path in shows and read.began >= at + self.hidden_s()
            for read in self.reads
        )

    def is_calm(self, for_s: float) -> bool:
        """Say whether nothing was in the engine's way for so many seconds, nobody stopped with an account's lock."""
        owners = {self.owner_of(account) for account in self.store.accounts}
        stands_still = any(one.life.is_stopped and one.life.name in owners for one in self.alive())
        return not stands_still and self.now() - self.troubled_at >= for_s


class Judge:
    """Looks at what happens: one method a kind of event, each doing nothing until somebody cares."""

    def __init__(self, case: Case) -> None:
        self.case = case

    def asked(self, process: str, name: str, account: str, subject: object) -> None:
        """An engine process calls its adapter: `place` with an intent, `modify` or `cancel` with what it is given."""

    def claiming(self, process: str, tag: str) -> None:
        """An engine process asks for a claim; its gate said yes at this very moment."""

    def claimed(self, intent: OrderIntent, epoch: int) -> None:
        """A claim was committed."""

    def arrives(self, account: str, request: Request) -> None:
        """A request that changes something is received by the broker."""

    def answered(self, account: str, request: Request) -> None:
        """A read was answered well."""

    def refused(self, account: str, request: Request, status: int | None, error_type: str) -> None:
        """A call was refused, or not answered: `status` None."""

    def traded(self, place: Place, order: Order, before: int, after: int) -> None:
        """A fill."""

    def recorded(self, process: str, events: Sequence[EngineEvent]) -> None:
        """An engine process appended events to the log."""

    def told(self, process: str, client_id: int | None, code: str, text: str) -> None:
        """An alarm was stored, or told past the database."""

    def saved(self, account: str, instrument: str, snapshot: Mapping[str, object]) -> None:
        """A ladder's state was saved."""

    def stepped(self) -> None:
        """Market time moved on, and what followed at once has happened."""

    def ended(self) -> None:
        """The day is over and everything had time to come to rest."""
