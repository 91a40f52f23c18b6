"""From the day's book to clients, desks and ladders; and again when the watchlist changed, open positions untouched."""

import logging
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from trading.domain.orders import BrokerTrade
from trading.domain.square_off import SquareOffPlan, client_time_plan, square_off_plan
from trading.domain.timezone import to_ist
from trading.engine.client import ClientBook
from trading.engine.desk import AccountDesk
from trading.engine.gate import Gate
from trading.engine.gateway import AccountGateway
from trading.engine.house import AccountParts, House
from trading.engine.in_doubt import DoubtResolver
from trading.engine.leftovers import Leftovers
from trading.engine.listener import AccountListener
from trading.engine.orders import Working
from trading.engine.reconcile import Reconciler
from trading.engine.runner import DayTimes, LadderRunner
from trading.engine.square_off import PlannedSquareOff, SquareOffPlanner
from trading.engine.tools import Tools
from trading.ports import AccountRef, ClientPolicy, DayBook, LadderRecord, Plan, StoredIntent

logger = logging.getLogger(__name__)


class Planner:
    """Builds and rebuilds the house from a DayBook."""

    def __init__(
        self,
        tools: Tools,
        house: House,
        square_off: SquareOffPlanner,
        *,
        is_near_end: Callable[[], bool],
        on_fills: Callable[[ClientBook], None],
        on_order: Callable[[int, Working], None],
        on_line: Callable[[LadderRunner], None],
    ) -> None:
        self._tools = tools
        self._house = house
        self._square_off = square_off
        self._is_near_end = is_near_end
        self._on_fills = on_fills
        self._on_order = on_order
        self._on_line = on_line
        self.new_parts: list[AccountParts] = []

    def take_over(self, book: DayBook) -> None:
        """Build what is missing and bring the rest up to date. Orders and fills are taken in once an account."""
        for policy in book.clients:
            self._client(policy)
        for ref in book.accounts:
            if ref.key not in self._house.accounts and ref.client_id in self._house.clients:
                self._account(ref, book)
        self._plans(book)
        for client in self._house.clients.values():
            self._arm(client)

    # -- clients and accounts ----------------------------------------------------------------------------------

    def _client(self, policy: ClientPolicy) -> None:
        known = self._house.clients.get(policy.client_id)
        if known is None:
            self._house.clients[policy.client_id] = ClientBook(policy)
            self._house.control.clients.setdefault(policy.client_id, policy.state)
        else:
            known.policy = policy

    def _account(self, ref: AccountRef, book: DayBook) -> None:
        client, tools = self._house.clients[ref.client_id], self._tools
        desk = AccountDesk(tools, ref)
        doubts = DoubtResolver(tools, desk)
        listener = AccountListener(tools, desk)
        leftovers = Leftovers(tools, desk, doubts.resolve)
        gateway = AccountGateway(
            tools,
            desk,
            self._gate(client, desk),
            resolve_doubt=doubts.resolve,
            want_orders=listener.want_orders,
            take_over=leftovers.take_over,
        )
        desk.connect(gateway)
        desk.on_trades = lambda: self._on_fills(client)
        desk.on_order = lambda working: self._on_order(client.client_id, working)
        reconciler = Reconciler(
            tools,
            desk,
            leftovers=leftovers,
            restore_lines=lambda: self._restore_lines(desk),
            is_near_end=self._is_near_end,
            instruments=self._house.instruments,
        )
        _take_history(desk, book.intents, (t for key, t in book.trades if key == ref.key), tools.now())
        client.desks.append(desk)
        parts = AccountParts(desk, gateway, listener, reconciler)
        self._house.accounts[ref.key] = parts
        self.new_parts.append(parts)
        self._on_fills(client)

    def _gate(self, client: ClientBook, desk: AccountDesk) -> Gate:
        found = self._house.instruments
        return Gate(
            tools=self._tools,
            control=self._house.control,
            client=client,
            desk=desk,
            instrument_of=found.find,
            last_tick=found.last_tick,
            last_price=found.last_price,
        )

    def _restore_lines(self, desk: AccountDesk) -> None:
        """The broker has told what became of earlier orders: let the lines go on from there."""
        for instrument in sorted(desk.orders.instruments()):
            line = desk.line(instrument)
            for working in desk.orders.of(instrument):
                line.adopt(working)
        for instrument, line in list(desk.lines.items()):
            runner = self._house.runners.get((desk.ref.key, instrument))
            if runner is not None:
                runner.settle_entry(_entered(desk.orders.of(instrument), line.position))
        desk.release_lines()

    # -- plans -------------------------------------------------------------------------------------------------

    def _plans(self, book: DayBook) -> None:
        snapshots = {(record.account_key, record.instrument): record for record in book.ladders}
        wanted = {(plan.account_key, plan.instrument.key): plan for plan in book.plans}
        for key, runner in list(self._house.runners.items()):
            if key not in wanted:
                self._drop(runner)
        for key, plan in wanted.items():
            if plan.account_key in self._house.accounts:
                self._plan(plan, snapshots.get(key))

    def _plan(self, plan: Plan, kept: LadderRecord | None) -> None:
        self._house.instruments.add(plan.instrument)
        desk = self._house.accounts[plan.account_key].desk
        policy = self._house.clients[desk.ref.client_id].policy
        times = DayTimes(to_ist(self._planned(plan, policy).start).time(), policy.no_new_entry_after)
        known = self._house.runners.get((plan.account_key, plan.instrument.key))
        if known is not None:
            if (known.plan, known.times) == (plan, times) or not known.line.is_flat:
                return
            self._drop(known)
        line = desk.line(plan.instrument.key)
        runner = LadderRunner(self._tools, plan, times, line, self._house.book)
        runner.begin()
        self._restore(runner, kept.snapshot if kept else None)
        line.owner = runner
        self._house.runners[(plan.account_key, plan.instrument.key)] = runner
        self._house.book.put(runner)
        self._on_line(runner)

    def _restore(self, runner: LadderRunner, snapshot: Mapping[str, Any] | None) -> None:
        if snapshot is None:
            runner.announce()
            runner.save()
            return
        try:
            runner.restore(snapshot)
        except (ValueError, KeyError, TypeError) as error:
            text = f"the kept ladder of {runner.plan.instrument.key} cannot be read: {error}"
            self._tools.alarm(runner.line.ref.client_id, "LADDER_LOST", text)

    def _drop(self, runner: LadderRunner) -> None:
        """Take a ladder out that is no longer wanted, unless something of it is open."""
        if runner.line.is_flat:
            self._house.book.remove(runner)
            del self._house.runners[(runner.line.ref.key, runner.line.instrument)]

    # -- square-off --------------------------------------------------------------------------------------------

    def _planned(self, plan: Plan, policy: ClientPolicy) -> SquareOffPlan:
        calendar = self._tools.deps.calendar
        return square_off_plan(calendar, self._tools.day, plan.instrument.instrument_class, policy.square_off_at)

    def _arm(self, client: ClientBook) -> None:
        groups: dict[SquareOffPlan, set[str]] = {}
        keys = {desk.ref.key for desk in client.desks}
        for (account, instrument), runner in self._house.runners.items():
            if account in keys:
                groups.setdefault(self._planned(runner.plan, client.policy), set()).add(instrument)
        own = client_time_plan(self._tools.day, client.policy.square_off_at)
        early = [PlannedSquareOff(plan, frozenset(found)) for plan, found in groups.items() if plan.start < own.start]
        self._square_off.arm(client, [*early, PlannedSquareOff(own, None)])


def _take_history(
    desk: AccountDesk, intents: Iterable[StoredIntent], trades: Iterable[BrokerTrade], now: datetime
) -> None:
    """Put the day so far into an account's book."""
    for stored in intents:
        if stored.intent.key.account != desk.ref.key:
            continue
        order = stored.order
        order_id = order.order_id if order else ""
        desk.orders.add(Working(stored.intent, now, state=stored.state, order=order, order_id=order_id))
    desk.orders.add_trades(trades)


def _entered(orders: list[Working], position: int) -> int | None:
    """Give what the entry of a position filled in all; None while it may still fill, 0 when it was never made."""
    entries = [w for w in orders if not w.purpose.is_exit and w.intent.key.position == position]
    if not entries:
        return 0
    return None if entries[-1].may_fill else entries[-1].filled
