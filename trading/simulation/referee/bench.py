"""The bench: takes in what happens, keeps the facts, and shows each event to every judge."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from trading.domain.orders import BrokerOrder, OrderIntent
from trading.exchange.venue.desk import Update
from trading.ports import Claim, EngineEvent, LadderRecord
from trading.simulation.memory_store import MemoryStore
from trading.simulation.referee.alarms import Alarms
from trading.simulation.referee.case import Case, Judge, Read, Sent, Told
from trading.simulation.referee.conservation import Conservation, judge_word
from trading.simulation.referee.entries import Entries, Log, Stops
from trading.simulation.referee.exits import Exits, FlatByDeadline, SaidFlat
from trading.simulation.referee.kills import Kill
from trading.simulation.referee.protection import Protection
from trading.simulation.referee.sending import Sending
from trading.simulation.referee.standing_in import StandingIn
from trading.simulation.requests import Request


class Referee:
    """Implements `requests.Doorkeeper`. The day tells it the rest."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self._judges: list[Judge] = [
            Sending(case), Exits(case), FlatByDeadline(case), SaidFlat(case), Kill(case), Entries(case), Stops(case),
            Log(case), Conservation(case), Protection(case), Alarms(case), StandingIn(case),
        ]  # fmt: skip
        self._seen_trades = 0
        case.house.on_order.append(self._updated)

    # -- the engine --------------------------------------------------------------------------------------------

    def asked(self, process: str, account: str, name: str, subject: object) -> None:
        """An engine process calls its adapter."""
        for judge in self._judges:
            judge.asked(process, name, account, subject)
        if name == "place" and isinstance(subject, OrderIntent):
            case = self.case
            case.sent[subject.tag] = Sent(process, subject, case.house.clock.now(), case.now(), len(case.told))

    def returned(self, intent: OrderIntent) -> None:
        """A placing call is over, well or not."""
        self.case.sent[intent.tag].ended = self.case.now()

    def claiming(self, process: str, tag: str) -> None:
        """An engine process asks for a claim."""
        for judge in self._judges:
            judge.claiming(process, tag)

    # -- the broker --------------------------------------------------------------------------------------------

    def arrives(self, request: Request) -> None:
        """A request is received by the broker."""
        if request.method == "GET":
            return
        account = self.case.account_of(request.caller.user_id)
        for judge in self._judges:
            judge.arrives(account, request)
        if request.method == "POST":
            self.case.arrived.setdefault(request.form.get("tag", ""), self.case.now())

    def answered(self, request: Request, began: float, data: Any) -> None:
        """A read was answered, possibly with something that cannot be read."""
        rows = data if request.path == "/orders" and isinstance(data, list) else ()
        tags = frozenset(str(row.get("tag")) for row in rows if isinstance(row, dict))
        account = self.case.account_of(request.caller.user_id)
        self.case.reads.append(Read(account, request.path, began, tags, self.case.now()))
        for judge in self._judges:
            judge.answered(account, request)

    def refused(self, request: Request, status: int | None, error_type: str) -> None:
        """A call was refused, or not answered."""
        for judge in self._judges:
            judge.refused(self.case.account_of(request.caller.user_id), request, status, error_type)

    def _updated(self, updates: Sequence[Update]) -> None:
        books = self.case.house.venue.books
        if books.last_trade == self._seen_trades:
            return
        since, self._seen_trades = self._seen_trades, books.last_trade
        for user_id in sorted({update.order.user_id for update in updates} or books.accounts):
            for trade in books.accounts[user_id].trades:
                if trade.sequence > since:
                    self._traded(user_id, trade.token, trade.order_id, trade.side.sign * trade.quantity)

    def _traded(self, user_id: str, token: int, order_id: str, units: int) -> None:
        case = self.case
        order = case.house.venue.books.orders[order_id]
        place = case.account_of(user_id), order.instrument.key
        before = case.held[place]
        case.held[place] = before + units
        case.own[place] = _split(*case.own[place], units, is_ours=case.is_ours(order))
        if not case.is_ours(order):
            case.by_hand_at[place] = case.now()
        for judge in self._judges:
            judge.traded(place, order, before, before + units)
        case.moved_at[place] = case.now()

    # -- the database ------------------------------------------------------------------------------------------

    def claimed(self, intent: OrderIntent, epoch: int) -> None:
        """A claim was committed."""
        self.case.epochs[intent.tag] = epoch
        for judge in self._judges:
            judge.claimed(intent, epoch)

    def heard(self, known: BrokerOrder | None, kept: BrokerOrder | None, name: str) -> None:
        """What is kept of an order may have changed."""
        judge_word(self.case, known, kept, name)

    def recorded(self, process: str, events: Sequence[EngineEvent]) -> None:
        """Events were appended to the log."""
        for event in events:
            if event.kind == "RECONCILED":
                self.case.reconciled.add((process, event.account_key))
        for judge in self._judges:
            judge.recorded(process, events)

    def told(self, process: str, client_id: int | None, code: str, text: str) -> None:
        """An alarm was stored, or told past the database."""
        self.case.told.append(Told(self.case.now(), client_id, code, text))
        for judge in self._judges:
            judge.told(process, client_id, code, text)

    def saved(self, record: LadderRecord) -> None:
        """A ladder's state was saved."""
        for judge in self._judges:
            judge.saved(record.account_key, record.instrument, record.snapshot)

    # -- time --------------------------------------------------------------------------------------------------

    def stepped(self) -> None:
        """Market time moved on."""
        for judge in self._judges:
            judge.stepped()

    def ended(self) -> None:
        """The day is over."""
        for judge in self._judges:
            judge.stepped()
            judge.ended()


def _split(ours: int, theirs: int, units: int, *, is_ours: bool) -> tuple[int, int]:
    """Give (ours, the client's own) after a fill: opposite units of the two close each other."""
    ours, theirs = (ours + units, theirs) if is_ours else (ours, theirs + units)
    closed = min(abs(ours), abs(theirs)) if ours * theirs < 0 else 0
    sign = 1 if ours > 0 else -1
    return ours - sign * closed, theirs + sign * closed


class ToldDirectly:
    """Implements `ports.AlarmPost`: whom a process tells without the database is told at once."""

    def __init__(self, process: str, referee: Referee) -> None:
        self._process = process
        self._referee = referee

    def stored(self) -> None:
        """Nothing: the referee knows what is stored."""

    def directly(self, client_id: int | None, code: str, text: str, at: datetime) -> None:
        """Tell."""
        self._referee.told(self._process, client_id, code, text)


class WatchedStore:
    """The database as one engine process reaches it: tells the referee what is committed, the moment it is."""

    def __init__(self, process: str, store: MemoryStore, referee: Referee) -> None:
        self._process = process
        self._store = store
        self._referee = referee

    def __getattr__(self, name: str) -> Any:
        """Give what nobody watches."""
        return getattr(self._store, name)

    async def claim(self, tag: str, *, shard: str, epoch: int, verdicts: Sequence[Mapping[str, Any]]) -> Claim:
        """Set SENDING, or say why not."""
        claim = await self._store.claim(tag, shard=shard, epoch=epoch, verdicts=verdicts)
        if not claim.denied:
            self._referee.claimed(self._store.intents[tag].intent, epoch)
        return claim

    async def save_order(self, account_key: str, order: BrokerOrder) -> None:
        """Keep the broker's last word of an order."""
        known = self._store.intents.get(order.tag)
        await self._store.save_order(account_key, order)
        kept = self._store.intents.get(order.tag)
        if known is not None and kept is not None:
            self._referee.heard(known.order, kept.order, kept.intent.key.text())

    async def save_ladder(self, day: Any, record: LadderRecord, *, shard: str, epoch: int) -> bool:
        """Keep a ladder's state."""
        is_kept = await self._store.save_ladder(day, record, shard=shard, epoch=epoch)
        if is_kept:
            self._referee.saved(record)
        return is_kept

    async def raise_alarm(self, client_id: int | None, code: str, text: str) -> None:
        """Keep an alarm."""
        await self._store.raise_alarm(client_id, code, text)
        self._referee.told(self._process, client_id, code, text)

    async def append_events(self, events: Sequence[EngineEvent]) -> None:
        """Append to the log."""
        await self._store.append_events(events)
        self._referee.recorded(self._process, events)
