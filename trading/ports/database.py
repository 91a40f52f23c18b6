"""The database: the engine's store, and the lease by which one process at a time speaks for a shard."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Protocol

from trading.domain.adoption import Adoption
from trading.domain.control import TradingState
from trading.domain.exit_journal import JournaledExit
from trading.domain.opening_range import OpeningRange
from trading.domain.orders import BrokerOrder, BrokerTrade, IntentState, OrderIntent
from trading.ports.records import Claim, ControlView, DayBook, EngineEvent, KillPress, LadderRecord, Place, StoredPress


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
