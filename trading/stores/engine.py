"""EngineStore on Django. Every method is one piece of work on the store's database thread (see `thread`)."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from trading.domain.adoption import Adoption
from trading.domain.control import TradingState
from trading.domain.exit_journal import JournaledExit
from trading.domain.opening_range import OpeningRange
from trading.domain.orders import BrokerOrder, BrokerTrade, IntentState, OrderIntent
from trading.domain.timezone import ist_day
from trading.models import LadderState, PnlPoint
from trading.ports import (
    Claim,
    Clock,
    ControlView,
    DayBook,
    EngineEvent,
    KillPress,
    LadderRecord,
    Place,
    StoredPress,
)
from trading.stores import alarms, commands, fills, imports, intents, kills, ladder_stops, ranges, reconciliation
from trading.stores.accounts import AccountIndex
from trading.stores.book import load_book
from trading.stores.chain import append_events
from trading.stores.control_reader import ControlReader
from trading.stores.controls import lower_state
from trading.stores.locks import CONTROL, chain_lock, lease_lock
from trading.stores.thread import DatabaseThread


class DjangoEngineStore:
    """The engine's database. Raises StoreUnavailable whenever it cannot be reached.

    `clock` says which market day it is and gives the wall times of the audit columns.
    """

    def __init__(self, thread: DatabaseThread, clock: Clock) -> None:
        self._thread = thread
        self._clock = clock
        self._accounts = AccountIndex()
        self._control = ControlReader()

    async def load_book(self, day: date) -> DayBook:
        """Read all that a day needs, at one moment."""
        return await self._thread.run(lambda: load_book(day))

    async def copy_book(self, day: date) -> DayBook:
        """Read all that a day needs, without a transaction; see the port."""
        return await self._thread.read(lambda: load_book(day))

    async def control(self) -> ControlView:
        """Read the control rows and the unfinished commands."""
        today = self._today()
        return await self._thread.read(lambda: self._control.read(today))

    async def create_intent(self, intent: OrderIntent, *, decided_at: datetime, reason: Mapping[str, Any]) -> bool:
        """Commit a NEW intent; see the port. Raises KeyError for an account that is not in the database."""
        wall = self._clock.wall()

        def work() -> bool:
            account = self._accounts.of(intent.key.account)
            return intents.create(intent, account, decided_at=decided_at, reason=reason, wall=wall)

        return await self._thread.run(work)

    async def claim(self, tag: str, *, shard: str, epoch: int, verdicts: Sequence[Mapping[str, Any]]) -> Claim:
        """Set SENDING with lease and control rows locked; see the port."""
        wall, at = self._clock.wall(), self._clock.now()
        return await self._thread.run(
            lambda: intents.claim(tag, shard=shard, epoch=epoch, verdicts=verdicts, at=at, wall=wall),
            locks=[lease_lock(shard), CONTROL],
        )

    async def claim_change(self, tag: str, *, shard: str, epoch: int) -> Claim:
        """Count one more change of an order with the lease locked; see the port."""
        return await self._thread.run(
            lambda: intents.claim_change(tag, shard=shard, epoch=epoch), locks=[lease_lock(shard)]
        )

    async def resolve(self, tag: str, state: IntentState, *, order_id: str = "", reason: str = "") -> None:
        """Move an intent on; see the port."""
        wall = self._clock.wall()
        await self._thread.run(lambda: intents.resolve(tag, state, order_id=order_id, reason=reason, wall=wall))

    async def never_sent(self, tag: str, *, shard: str, epoch: int, reason: str) -> None:
        """Settle an intent that never left; see the port."""
        wall = self._clock.wall()
        await self._thread.run(lambda: intents.never_sent(tag, shard=shard, epoch=epoch, reason=reason, wall=wall))

    async def import_exit(self, exit_: JournaledExit) -> bool:
        """Take in an exit that went by the journal; see the port. Raises KeyError for an unknown account."""
        wall, at = self._clock.wall(), self._clock.now()
        return await self._thread.run(
            lambda: imports.import_exit(exit_, self._accounts.of(exit_.account), at=at, wall=wall)
        )

    async def save_order(self, account_key: str, order: BrokerOrder) -> None:
        """Keep the broker's last word; see the port."""
        wall = self._clock.wall()
        await self._thread.run(lambda: intents.save_order(account_key, order, wall=wall))

    async def save_trades(self, account_key: str, trades: Sequence[BrokerTrade]) -> list[BrokerTrade]:
        """Insert the trades not seen before and give those back."""
        wall = self._clock.wall()
        return await self._thread.run(lambda: fills.save(self._accounts.of(account_key), trades, wall=wall))

    async def save_ladder(self, day: date, record: LadderRecord, *, shard: str, epoch: int) -> bool:
        """Keep the newest snapshot of one ladder with the lease locked; see the port."""
        wall = self._clock.wall()

        def work() -> bool:
            if intents.lease_lost(shard, epoch) is not None:
                return False
            LadderState.objects.update_or_create(
                account_id=self._accounts.of(record.account_key).account_id,
                instrument=record.instrument,
                day=day,
                defaults={"snapshot": dict(record.snapshot), "saved_at": wall},
            )
            return True

        return await self._thread.run(work, locks=[lease_lock(shard)])

    async def save_adoption(self, account_key: str, day: date, adoption: Adoption) -> bool:
        """Keep an adoption, once; see the port."""
        wall = self._clock.wall()
        return await self._thread.run(
            lambda: reconciliation.save_adoption(self._accounts.of(account_key), day, adoption, wall=wall)
        )

    async def save_reconciliation(self, account_key: str, day: date, picture: Mapping[str, Any]) -> None:
        """Keep the newest picture of an account; see the port."""
        wall = self._clock.wall()
        await self._thread.run(
            lambda: reconciliation.save_picture(self._accounts.of(account_key), day, picture, wall=wall)
        )

    async def save_opening_range(self, day: date, found: OpeningRange) -> OpeningRange:
        """Keep what was found of a window, the first of the day; see the port."""
        return await self._thread.run(lambda: ranges.save_opening_range(day, found))

    async def append_events(self, events: Sequence[EngineEvent]) -> None:
        """Append to the hash chains, in this order."""
        wall = self._clock.wall()
        locks = {chain_lock(event.client_id) for event in events}
        await self._thread.run(lambda: append_events(events, wall=wall), locks=locks)

    async def finish_command(self, command_id: int, result: Mapping[str, Any]) -> None:
        """Say what came of a command; the first one to say it counts."""
        at, wall = self._clock.now(), self._clock.wall()
        await self._thread.run(lambda: commands.finish(command_id, result, at=at, wall=wall))

    async def lower_state(
        self, client_id: int | None, state: TradingState, reason: str, *, account_key: str = "", latch: bool = False
    ) -> None:
        """Lower a control row, never raise it; see the port."""
        wall, latch_day = self._clock.wall(), self._today() if latch else None

        def work() -> None:
            lower_state(client_id, state, reason, account_key=account_key, latch_day=latch_day, wall=wall)

        await self._thread.run(work, locks=[CONTROL])

    async def stop_ladder(self, place: Place, reason: str) -> None:
        """Hold a ladder's entries until a person lets it go on; see the port."""
        wall, at = self._clock.wall(), self._clock.now()
        account, instrument = place
        await self._thread.run(
            lambda: ladder_stops.stop(self._accounts.of(account).account_id, instrument, reason, at=at, wall=wall),
            locks=[CONTROL],
        )

    async def store_press(self, press: KillPress) -> StoredPress:
        """Commit a kill switch that was pressed by a file; see the port."""
        at, wall = self._clock.now(), self._clock.wall()

        def work() -> StoredPress:
            command, _ = kills.press(press, at=at, wall=wall)
            return StoredPress(command.pk, command.finished_at is not None)

        return await self._thread.run(work, locks=[CONTROL, chain_lock(press.client_id)])

    async def save_pnl(self, at: datetime, points: Sequence[tuple[int, Decimal, Decimal]]) -> None:
        """Keep one point a client and market minute; the later one of a minute counts."""
        rows = [PnlPoint(client_id=who, at=at, realised_pnl=now, unrealised_pnl=later) for who, now, later in points]
        await self._thread.run(
            lambda: PnlPoint.objects.bulk_create(
                rows,
                update_conflicts=True,
                unique_fields=["client", "at"],
                update_fields=["realised_pnl", "unrealised_pnl"],
            )
        )

    async def raise_alarm(self, client_id: int | None, code: str, text: str) -> None:
        """Record what a person must know; the same cause again on one day is counted."""
        at, wall = self._clock.now(), self._clock.wall()
        await self._thread.run(lambda: alarms.record(client_id, code, text, at=at, wall=wall))

    def _today(self) -> date:
        return ist_day(self._clock.now())
