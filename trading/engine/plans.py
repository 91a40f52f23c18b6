"""From the day's book to clients, desks and ladders; and again when the watchlist changed, open positions untouched."""

import logging
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from typing import Any

from trading.engine.account_maker import AccountMaker
from trading.engine.client import ClientBook
from trading.engine.day_plan import DayTimes, as_entered
from trading.engine.desk import AccountDesk
from trading.engine.house import AccountParts, House
from trading.engine.opening import OpeningRanges
from trading.engine.runner import LadderRunner
from trading.engine.square_off import SquareOffPlanner
from trading.engine.square_off_plans import SquareOffPlans
from trading.engine.tools import Tools
from trading.ports import AccountRef, ClientPolicy, DayBook, LadderRecord, Plan

logger = logging.getLogger(__name__)

TRIES_AGAIN_AFTER = timedelta(seconds=60)
"""Market time after which an account or plan that could not be made is tried again."""


class Planner:
    """Builds and rebuilds the house from a DayBook."""

    def __init__(
        self,
        tools: Tools,
        house: House,
        square_off: SquareOffPlanner,
        ends: SquareOffPlans,
        opening: OpeningRanges,
        *,
        accounts: AccountMaker,
        on_fills: Callable[[ClientBook], None],
        on_line: Callable[[LadderRunner], None],
        plan_again: Callable[[], None],
    ) -> None:
        self._tools = tools
        self._house = house
        self._square_off = square_off
        self._ends = ends
        self._opening = opening
        self._accounts = accounts
        self._on_fills = on_fills
        self._on_line = on_line
        self._plan_again = plan_again
        self.new_parts: list[AccountParts] = []

    def take_over(self, book: DayBook) -> None:
        """Build what is missing and bring the rest up to date. Orders and fills are taken in once an account."""
        self._house.caps = book.house_caps
        self._unfit(book.unfit)
        for policy in book.clients:
            self._client(policy, is_squared_off=policy.client_id in book.squared_off)
        for parts in self._house.accounts.values():
            parts.desk.forbidden = ""  # somebody had all read again: it may be put right
        for ref in book.accounts:
            if ref.key not in self._house.accounts and ref.client_id in self._house.clients:
                self._try(partial(self._account, ref, book), ref, "ACCOUNT_FAILED", ref.key)
        self._plans(book)
        for client in self._house.clients.values():
            self._square_off.arm(client)

    def _try(self, make: Callable[[], None], ref: AccountRef, code: str, what: str) -> None:
        """Make something of one client; what cannot be made harms nobody else, is told, and tried again."""
        try:
            make()
        except Exception as error:
            logger.exception("%s could not be made", what)
            text = f"{what} cannot be served and is not watched: {error!r}. It is tried again."
            self._tools.alarm(ref.client_id, code, text, account=ref.key)
            self._tools.timers.set(("plan again",), self._tools.now() + TRIES_AGAIN_AFTER, self._plan_again)

    def _unfit(self, unfit: Mapping[str, str]) -> None:
        """Note in which instruments nothing may be entered; each is told when it is new."""
        control = self._house.control
        for key, why in unfit.items():
            if control.unfit.get(key) != why:
                text = f"{key}: {why}. Nothing is entered there; what is open is closed as before."
                self._tools.alarm(None, "INSTRUMENT_UNFIT", text)
        for key in sorted(control.unfit.keys() - unfit.keys()):
            self._tools.journal.record("INSTRUMENT_FIT", None, {"text": f"{key} may be entered again"}, instrument=key)
        control.unfit = dict(unfit)

    # -- clients and accounts ----------------------------------------------------------------------------------

    def _client(self, policy: ClientPolicy, *, is_squared_off: bool) -> None:
        known = self._house.clients.get(policy.client_id)
        if known is None:
            known = self._house.clients[policy.client_id] = ClientBook(policy)
            self._house.control.clients.setdefault(policy.client_id, policy.state)
        known.policy = policy
        known.is_squared_off = known.is_squared_off or is_squared_off

    def _account(self, ref: AccountRef, book: DayBook) -> None:
        parts, client = self._accounts.make(ref, book), self._house.clients[ref.client_id]
        client.desks.append(parts.desk)
        self._house.accounts[ref.key] = parts
        self.new_parts.append(parts)
        self._on_fills(client)
        if problem := self._tools.deps.egress_problem(ref):
            self._tools.alarm(ref.client_id, "EGRESS_ADDRESS", f"no entries: {problem}", account=ref.key)

    # -- plans -------------------------------------------------------------------------------------------------

    def _plans(self, book: DayBook) -> None:
        snapshots = {(record.account_key, record.instrument): record for record in book.ladders}
        wanted = {(plan.account_key, plan.instrument.key): plan for plan in book.plans}
        for key, runner in list(self._house.runners.items()):
            if key not in wanted or wanted[key].is_closing:
                self._drop(runner)
        for key, plan in wanted.items():
            parts = self._house.accounts.get(plan.account_key)
            if parts is not None and not (plan.is_closing and self._is_over(plan)):
                make = partial(self._plan, plan, snapshots.get(key))
                self._try(make, parts.desk.ref, "PLAN_FAILED", f"{plan.account_key} {plan.instrument.key}")

    def _is_over(self, plan: Plan) -> bool:
        desk = self._house.accounts[plan.account_key].desk
        return desk.is_restored and desk.line(plan.instrument.key).is_flat

    def _plan(self, plan: Plan, kept: LadderRecord | None) -> None:
        self._house.instruments.add(plan.instrument)
        desk = self._house.accounts[plan.account_key].desk
        policy = self._house.clients[desk.ref.client_id].policy
        ends = self._ends.ladder_ends(plan, self._house.clients[desk.ref.client_id], desk.ref.broker)
        times = DayTimes(ends, policy.no_new_entry_after)
        known = self._house.runners.get((plan.account_key, plan.instrument.key))
        snapshot = kept.snapshot if kept else None
        plan = self._opening.completed(plan, desk.ref.broker)
        if known is not None:
            if (known.plan, known.times) == (plan, times) and not known.is_retired:
                return
            if not known.line.is_flat:
                known.retire(self._plan_again)  # the new plan counts from the next entry on
                return
            snapshot = known.state() or snapshot
            self._drop(known)
        line = desk.line(plan.instrument.key)
        runner = LadderRunner(self._tools, self._as_entered(plan, snapshot, desk), times, line, self._house.book)
        client = self._house.clients[desk.ref.client_id]
        runner.stop_percent = lambda: client.policy.disaster_stop_percent
        runner.begin()
        self._restore(runner, snapshot)
        line.owner = runner
        self._house.runners[(plan.account_key, plan.instrument.key)] = runner
        self._house.book.put(runner)
        self._opening.want(runner)
        if plan.is_closing:
            runner.retire(self._plan_again)
        self._on_line(runner)

    def _as_entered(self, plan: Plan, snapshot: Mapping[str, Any] | None, desk: AccountDesk) -> Plan:
        try:
            return plan if snapshot is None else as_entered(plan, snapshot)
        except (ArithmeticError, ValueError, KeyError, TypeError) as error:
            text = f"the plan that {plan.instrument.key} was entered with cannot be read: {error!r}"
            self._tools.alarm(desk.ref.client_id, "LADDER_LOST", text, account=desk.ref.key)
            return plan

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
        """Take a ladder out that is no longer wanted, once nothing of it is open."""
        if not runner.line.is_flat:
            runner.retire(self._plan_again)
        else:
            self._house.book.remove(runner)
            del self._house.runners[(runner.line.ref.key, runner.line.instrument)]
