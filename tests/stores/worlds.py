"""One vocabulary for arranging the in-memory store and the Django stores."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, time
from decimal import Decimal
from typing import Any, Protocol, TypeVar

from tests.databases import in_thread_of_its_own
from tests.factories import (
    DAY,
    make_account,
    make_client,
    make_instrument,
    make_range,
    make_watch_item,
)
from tests.fakes.clock import FakeClock
from trading.domain.control import CommandKind, TradingState
from trading.domain.instruments import Instrument
from trading.domain.ladder_config import RangeSource
from trading.domain.reference_range import ReferenceRange
from trading.models import Alarm, BrokerAccount, Client, EventLog, House, OrderIntentRow, PnlPoint, ReconcileState
from trading.ports import AccountRef, ClientPolicy, Clock, EngineStore, LeaseStore, Plan
from trading.services import control
from trading.services.instrument_facts import update_rows
from trading.simulation.memory_store import MemoryStore
from trading.stores import commands
from trading.stores.engine import DjangoEngineStore
from trading.stores.leases import DjangoLeaseStore
from trading.stores.thread import DatabaseThread

T = TypeVar("T")

ALICE, CHARLIE = "kite:AB1001", "kite:AB1003"


class World(Protocol):
    """What the contract suite arranges and reads besides the ports themselves."""

    store: EngineStore
    leases: LeaseStore
    clock: FakeClock
    alice: int
    charlie: int

    async def trade(self, account_key: str, symbol: str, high: str, low: str, **config: Any) -> None: ...
    async def disable(self, account_key: str) -> None: ...
    async def list_lot(self, symbol: str, lot_size: int) -> None:
        """The broker's new list says another lot size of a stock."""

    async def kill(
        self, client_id: int | None, *, account_key: str = "", leave_positions: bool | None = None
    ) -> int: ...
    async def command(
        self, kind: CommandKind, client_id: int | None, arguments: Mapping[str, Any], day: date
    ) -> int: ...
    async def events(self) -> list[tuple[int | None, str, dict[str, Any]]]: ...
    async def alarms(self) -> list[tuple[int | None, str]]: ...
    async def pnl(self) -> list[tuple[int, Decimal, Decimal]]: ...
    async def gate(self, tag: str) -> list[Any]: ...
    async def pictures(self) -> dict[tuple[str, date], Mapping[str, Any]]: ...


class MemoryWorld:
    """The in-memory store."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self._memory = MemoryStore(clock)
        self.store: EngineStore = self._memory
        self.leases: LeaseStore = self._memory
        self.alice, self.charlie = 1, 2
        for client_id, key in ((self.alice, ALICE), (self.charlie, CHARLIE)):
            self._memory.add_client(_policy(client_id))
            self._memory.add_account(AccountRef(client_id, key, client_id, "kite"))

    async def trade(self, account_key: str, symbol: str, high: str, low: str, **config: Any) -> None:
        instrument = Instrument("NSE", symbol, 408065, Decimal("0.05"), 1)
        last = ReferenceRange(
            Decimal(high), Decimal(low), RangeSource.PREVIOUS_DAY, "2026-11-20", "2026-11-20", told_by="test"
        )
        known = None if "range_source" in config else last
        self._memory.add_plan(Plan(account_key, instrument, config, 10, None, known))

    async def list_lot(self, symbol: str, lot_size: int) -> None:
        self._memory.unfit[f"NSE:{symbol}"] = f"lot size was 1, the list says {lot_size}"

    async def disable(self, account_key: str) -> None:
        self._memory.disabled_accounts.add(account_key)

    async def kill(self, client_id: int | None, *, account_key: str = "", leave_positions: bool | None = None) -> int:
        return self._memory.press_kill(client_id, account_key=account_key, leave_positions=leave_positions)

    async def command(self, kind: CommandKind, client_id: int | None, arguments: Mapping[str, Any], day: date) -> int:
        return self._memory.add_command(kind, client_id, arguments, day=day)

    async def events(self) -> list[tuple[int | None, str, dict[str, Any]]]:
        return [(event.client_id, event.kind, dict(event.data)) for event in self._memory.events]

    async def alarms(self) -> list[tuple[int | None, str]]:
        return list(dict.fromkeys((client_id, code) for client_id, code, _ in self._memory.alarms))

    async def pnl(self) -> list[tuple[int, Decimal, Decimal]]:
        return [(client_id, *values) for (client_id, _), values in self._memory.pnl.items()]

    async def gate(self, tag: str) -> list[Any]:
        return list(self._memory.verdicts[tag])

    async def pictures(self) -> dict[tuple[str, date], Mapping[str, Any]]:
        return dict(self._memory.reconciliations)


class DjangoWorld:
    """The Django stores on whatever `default` is."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.thread = DatabaseThread()
        self.store: EngineStore = DjangoEngineStore(self.thread, clock)
        self.leases: LeaseStore = DjangoLeaseStore(self.thread)
        self.alice = self.charlie = 0

    async def people_the_house(self) -> None:
        def work() -> tuple[int, int]:
            alice, charlie = make_client("alice"), make_client("charlie")
            make_account(alice)
            make_account(charlie)
            return alice.pk, charlie.pk

        self.alice, self.charlie = await self.ask(work)

    def close(self) -> None:
        self.thread.close()

    async def ask(self, work: Callable[[], T]) -> T:
        """Do database work on another thread and connection than the store's."""
        return await asyncio.to_thread(in_thread_of_its_own(work))

    async def trade(self, account_key: str, symbol: str, high: str, low: str, **config: Any) -> None:
        def work() -> None:
            make_watch_item(BrokerAccount.objects.get(key=account_key), symbol, config=config)
            make_instrument(symbol)
            make_range(symbol, high, low)

        await self.ask(work)

    async def list_lot(self, symbol: str, lot_size: int) -> None:
        def work() -> None:
            update_rows([replace(make_instrument(symbol).to_domain(), lot_size=lot_size)], DAY)

        await self.ask(work)

    async def disable(self, account_key: str) -> None:
        await self.ask(lambda: BrokerAccount.objects.filter(key=account_key).update(is_enabled=False))

    async def kill(self, client_id: int | None, *, account_key: str = "", leave_positions: bool | None = None) -> int:
        return await self.ask(
            lambda: press_kill_now(client_id, self.clock, account_key=account_key, leave_positions=leave_positions)
        )

    async def command(self, kind: CommandKind, client_id: int | None, arguments: Mapping[str, Any], day: date) -> int:
        def work() -> int:
            row, _ = commands.ask(kind, client_id, day=day, at=self.clock.now(), arguments=arguments, requested_by=None)
            return row.pk

        return await self.ask(work)

    async def events(self) -> list[tuple[int | None, str, dict[str, Any]]]:
        rows = EventLog.objects.select_related("chain").order_by("id")
        return await self.ask(lambda: [(row.chain.client_id, row.kind, row.data) for row in rows])

    async def alarms(self) -> list[tuple[int | None, str]]:
        return await self.ask(lambda: list(Alarm.objects.order_by("id").values_list("client_id", "code")))

    async def pnl(self) -> list[tuple[int, Decimal, Decimal]]:
        rows = PnlPoint.objects.order_by("id").values_list("client_id", "realised_pnl", "unrealised_pnl")
        return await self.ask(lambda: list(rows))

    async def gate(self, tag: str) -> list[Any]:
        return await self.ask(lambda: list(OrderIntentRow.objects.get(tag=tag).gate))

    async def pictures(self) -> dict[tuple[str, date], Mapping[str, Any]]:
        rows = ReconcileState.objects.select_related("account")
        return await self.ask(lambda: {(row.account.key, row.day): row.picture for row in rows})

    async def house_row(self) -> House:
        return await self.ask(lambda: House.objects.get(id=1))


def press_kill_now(
    client_id: int | None, clock: Clock, *, account_key: str = "", leave_positions: bool | None = None
) -> int:
    """Press the kill switch as the command line does, from any thread."""
    client = None if client_id is None else Client.objects.get(pk=client_id)
    account = BrokerAccount.objects.get(key=account_key) if account_key else None
    return control.press_kill(client, None, clock=clock, account=account, leave_positions=leave_positions).pk


def _policy(client_id: int) -> ClientPolicy:
    return ClientPolicy(
        client_id=client_id,
        label=f"client {client_id}",
        state=TradingState.ACTIVE,
        squares_off_on_kill=True,
        square_off_at=time(15, 15),
        no_new_entry_after=time(15, 0),
        daily_loss_limit=None,
        daily_profit_limit=None,
        max_trades_per_day=None,
        max_open_positions=None,
        max_order_value=None,
    )


__all__ = ["ALICE", "CHARLIE", "DAY", "DjangoWorld", "MemoryWorld", "World", "press_kill_now"]
