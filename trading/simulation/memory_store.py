"""EngineStore and LeaseStore in memory, held to the same contract as the Django stores (tests/stores)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from trading.domain.adoption import Adoption
from trading.domain.caps import HouseCaps
from trading.domain.control import CommandKind, TradingState, state_denial
from trading.domain.errors import ExitAlreadyLive
from trading.domain.exit_journal import JournaledExit, gate_verdicts, is_news
from trading.domain.opening_range import OpeningRange
from trading.domain.orders import (
    NEVER_SENT,
    BrokerOrder,
    BrokerTrade,
    IntentState,
    OrderIntent,
    check_transition,
    is_stale_word,
)
from trading.domain.timezone import ist_day
from trading.ports import (
    Claim,
    Clock,
    DayBook,
    EngineEvent,
    LadderRecord,
    Plan,
    StoredIntent,
)
from trading.simulation.memory_controls import MemoryControls


class MemoryStore(MemoryControls):
    """A database of dictionaries. `is_available = False` makes every call raise StoreUnavailable.

    Tests fill it by the `add_*` methods and read `events`, `alarms`, `pnl`, `results`, `verdicts`.
    """

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.plans: list[Plan] = []
        self.intents: dict[str, StoredIntent] = {}
        self.exit_slots: dict[tuple[str, str], str] = {}
        self.trades: list[tuple[str, BrokerTrade]] = []
        self.ladders: dict[tuple[date, str, str], LadderRecord] = {}
        self.adoptions: list[tuple[str, date, Adoption]] = []
        self.reconciliations: dict[tuple[str, date], Mapping[str, Any]] = {}
        self.opening_ranges: dict[tuple[date, str, str, int], OpeningRange] = {}
        self.verdicts: dict[str, Sequence[Mapping[str, Any]]] = {}
        self.claimed: dict[str, tuple[str, int]] = {}
        """Shard and epoch of each claim by its tag."""
        self.reasons: dict[str, Mapping[str, Any]] = {}
        self.alarms: list[tuple[int | None, str, str]] = []
        self.pnl: dict[tuple[int, datetime], tuple[Decimal, Decimal]] = {}
        self.house_caps: HouseCaps | None = HouseCaps()
        self.unfit: dict[str, str] = {}

    def add_plan(self, plan: Plan) -> Plan:
        self.plans.append(plan)
        return plan

    # EngineStore

    async def load_book(self, day: date) -> DayBook:
        self._check()
        today = [stored for stored in self.intents.values() if stored.intent.key.day == day]
        in_use = {stored.intent.key.account for stored in today}
        accounts = [a for a in self.accounts.values() if a.key not in self.disabled_accounts or a.key in in_use]
        return DayBook(
            day=day,
            house_state=self._house(day),
            clients=tuple(self._policy(client_id, day) for client_id in self.policies),
            accounts=tuple(accounts),
            plans=tuple(
                self._with_opening_range(replace(plan, is_closing=plan.is_closing or self._is_off(plan)), day)
                for plan in self.plans
                if not self._is_off(plan)
                or any((s.intent.key.account, s.intent.key.instrument) == _place(plan) for s in today)
            ),
            intents=tuple(today),
            trades=tuple(entry for entry in self.trades if ist_day(entry[1].filled_at) == day),
            ladders=tuple(record for key, record in self.ladders.items() if key[0] == day),
            adoptions=tuple((key, adoption) for key, on, adoption in self.adoptions if on == day),
            squared_off=frozenset(
                command.client_id
                for on, command in self.commands.values()
                if command.kind is CommandKind.SQUARE_OFF and command.client_id is not None and on == day
            ),
            house_caps=self.house_caps,
            unfit=dict(self.unfit),
        )

    async def copy_book(self, day: date) -> DayBook:
        return await self.load_book(day)

    async def create_intent(self, intent: OrderIntent, *, decided_at: datetime, reason: Mapping[str, Any]) -> bool:
        self._check()
        if intent.key.account not in self.accounts:
            raise KeyError(f"no client has the account {intent.key.account!r}")
        if intent.tag in self.intents:
            return False
        slot = (intent.key.account, intent.key.instrument)
        if intent.key.purpose.is_exit:
            holder = self.exit_slots.get(slot)
            if holder is not None and self.intents[holder].intent.key.day >= intent.key.day:
                raise ExitAlreadyLive(f"{slot[0]} {slot[1]} had the live exit {self.exit_slots[slot]}")
            self.exit_slots[slot] = intent.tag
        self.intents[intent.tag] = StoredIntent(intent, IntentState.NEW, decided_at=decided_at)
        self.reasons[intent.tag] = dict(reason)
        return True

    async def claim(self, tag: str, *, shard: str, epoch: int, verdicts: Sequence[Mapping[str, Any]]) -> Claim:
        self._check()
        stored, key = self.intents[tag], self.intents[tag].intent.key
        client = self._policy(self.accounts[key.account].client_id, self._today())
        states = {
            "house": self._house(self._today()),
            "client": client.state,
            "account": self._account(key.account, self._today()),
        }
        answer = self._claim_of(stored, shard, epoch, states)
        verdict = {"check": "claim", "ok": not answer.denied, "facts": {"shard": shard, "epoch": epoch, **states}}
        if answer.denied:
            verdict |= {"code": answer.denied, "message": answer.message}
        told = [*verdicts, verdict]
        if answer.denied not in ("LEASE_LOST", "NOT_NEW"):
            self.verdicts[tag], self.claimed[tag] = told, (shard, epoch)
            self._move(stored, IntentState.DENIED if answer.denied else IntentState.SENDING)
        data = {"purpose": key.purpose.value, "verdicts": told}
        at, account = self._clock.now(), key.account
        self.events.append(EngineEvent(client.client_id, "GATE", at, data, account, key.instrument, tag))
        return answer

    async def claim_change(self, tag: str, *, shard: str, epoch: int) -> Claim:
        self._check()
        if (denied := self.lease_lost(shard, epoch)) is not None:
            return denied
        self.intents[tag] = replace(self.intents[tag], changes=self.intents[tag].changes + 1)
        return Claim()

    async def resolve(self, tag: str, state: IntentState, *, order_id: str = "", reason: str = "") -> None:
        self._check()
        stored = self.intents[tag]
        if check_transition(stored.state, state):
            self._move(stored, state)

    async def never_sent(self, tag: str, *, shard: str, epoch: int, reason: str) -> None:
        self._check()
        stored = self.intents.get(tag)
        if stored is None or (stored.state is IntentState.SENDING and self.claimed[tag] != (shard, epoch)):
            return
        if (state := NEVER_SENT.get(stored.state)) is not None:
            self._move(stored, state)

    async def import_exit(self, exit_: JournaledExit) -> bool:
        self._check()
        key = exit_.intent.key
        if key.account not in self.accounts:
            raise KeyError(f"no client has the account {key.account!r}")
        known = self.intents.get(exit_.tag)
        was = known.state if known else None
        if not is_news(was, exit_.state):
            return False
        if known is None or known.order is None:
            state, changes = (known.state, known.changes) if known else (IntentState.NEW, 0)
            known = StoredIntent(exit_.intent, state, decided_at=exit_.decided_at, changes=changes)
            self.intents[exit_.tag], self.reasons[exit_.tag] = known, dict(exit_.reason)
        if known.order is None or known.order.is_live:
            self.exit_slots.setdefault((key.account, key.instrument), exit_.tag)
        self._move(known, exit_.state)
        self.verdicts[exit_.tag], self.claimed[exit_.tag] = gate_verdicts(exit_), (exit_.shard, exit_.epoch)
        gate = {"purpose": key.purpose.value, "verdicts": gate_verdicts(exit_)}
        is_first = was in (None, IntentState.NEW, IntentState.DENIED)
        told = [("GATE", gate)] if is_first else []
        told.append(("EXIT_IMPORTED", {"text": "sent by the exit journal", "state": exit_.state.value}))
        client_id, at = self.accounts[key.account].client_id, self._clock.now()
        self.events.extend(
            EngineEvent(client_id, kind, at, data, key.account, key.instrument, exit_.tag) for kind, data in told
        )
        return True

    async def save_order(self, account_key: str, order: BrokerOrder) -> None:
        self._check()
        stored = self.intents.get(order.tag)
        if stored is None or stored.intent.key.account != account_key or is_stale_word(order, known=stored.order):
            return
        self.intents[order.tag] = replace(stored, order=order)
        if order.status.is_final:
            self._release_slot(order.tag)

    async def save_trades(self, account_key: str, trades: Sequence[BrokerTrade]) -> list[BrokerTrade]:
        self._check()
        seen = {_trade_key(key, trade) for key, trade in self.trades}
        new: list[BrokerTrade] = []
        for trade in trades:
            if _trade_key(account_key, trade) not in seen:
                seen.add(_trade_key(account_key, trade))
                new.append(trade)
        self.trades.extend((account_key, trade) for trade in new)
        return new

    async def save_ladder(self, day: date, record: LadderRecord, *, shard: str, epoch: int) -> bool:
        self._check()
        if self.lease_lost(shard, epoch) is not None:
            return False
        self.ladders[(day, record.account_key, record.instrument)] = record
        return True

    async def save_adoption(self, account_key: str, day: date, adoption: Adoption) -> bool:
        self._check()
        if any((key, on, known.key) == (account_key, day, adoption.key) for key, on, known in self.adoptions):
            return False
        self.adoptions.append((account_key, day, adoption))
        return True

    async def save_reconciliation(self, account_key: str, day: date, picture: Mapping[str, Any]) -> None:
        self._check()
        self.reconciliations[(account_key, day)] = dict(picture)

    async def save_opening_range(self, day: date, found: OpeningRange) -> OpeningRange:
        self._check()
        return self.opening_ranges.setdefault((day, found.broker, found.instrument, found.minutes), found)

    async def append_events(self, events: Sequence[EngineEvent]) -> None:
        self._check()
        self.events.extend(events)

    async def save_pnl(self, at: datetime, points: Sequence[tuple[int, Decimal, Decimal]]) -> None:
        self._check()
        for client_id, realised, unrealised in points:
            self.pnl[(client_id, at)] = (realised, unrealised)

    async def raise_alarm(self, client_id: int | None, code: str, text: str) -> None:
        self._check()
        self.alarms.append((client_id, code, text))

    # Inside

    def _claim_of(self, stored: StoredIntent, shard: str, epoch: int, states: Mapping[str, TradingState]) -> Claim:
        key = stored.intent.key
        if (denied := self.lease_lost(shard, epoch)) is not None:
            return denied
        if stored.state is not IntentState.NEW:
            return Claim("NOT_NEW", f"the intent was {stored.state}", stored.state)
        if not key.purpose.is_exit and key.account in self.disabled_accounts:
            return Claim("ACCOUNT_DISABLED", f"{key.account} was disabled")
        why = self.stopped_ladders.get((key.account, key.instrument))
        if not key.purpose.is_exit and why is not None:
            return Claim("LADDER_STOPPED", f"stopped until a person lets it go on: {why}")
        denial = state_denial(key.purpose, **states)
        return Claim(*denial) if denial else Claim()

    def _is_off(self, plan: Plan) -> bool:
        return plan.account_key in self.disabled_accounts

    def _with_opening_range(self, plan: Plan, day: date) -> Plan:
        """Do what the database does for a line whose configuration takes its range from the opening window."""
        minutes = plan.config.get("opening_range_minutes", 15)
        key = (day, self.accounts[plan.account_key].broker, plan.instrument.key, minutes)
        found = self.opening_ranges.get(key)
        if plan.config.get("range_source") != "opening_range" or found is None:
            return plan
        return replace(plan, day_range=found.reference(), why_no_range=found.why_not)

    def _move(self, stored: StoredIntent, state: IntentState) -> None:
        self.intents[stored.intent.tag] = replace(stored, state=state)
        if state.is_final_without_order:
            self._release_slot(stored.intent.tag)

    def _release_slot(self, tag: str) -> None:
        key = self.intents[tag].intent.key
        if self.exit_slots.get((key.account, key.instrument)) == tag:
            del self.exit_slots[(key.account, key.instrument)]


def _trade_key(account_key: str, trade: BrokerTrade) -> tuple[str, date, str, str]:
    return account_key, ist_day(trade.filled_at), trade.instrument.partition(":")[0], trade.trade_id


def _place(plan: Plan) -> tuple[str, str]:
    return plan.account_key, plan.instrument.key
