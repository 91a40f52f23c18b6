"""What must be true when an entry is let through: I8, and stops that only tighten: I25."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from trading.domain.control import TradingState
from trading.domain.money import from_scaled
from trading.domain.orders import OrderIntent, Purpose
from trading.domain.risk import FEED_STALE_AFTER_S
from trading.domain.timezone import to_ist
from trading.ports import EngineEvent
from trading.simulation.referee.case import Case, Judge, Place
from trading.simulation.requests import Request


class Entries(Judge):
    """Looks at an entry at the moment at which its gate said yes."""

    def claiming(self, process: str, tag: str) -> None:
        """Judge session, cut-off, tick and state by what the world was then."""
        case, intent = self.case, self.case.store.intents[tag].intent
        key = intent.key
        if key.purpose.is_exit:
            return
        now, instrument = case.house.clock.now(), case.instruments[key.instrument]
        is_open = case.calendar.entries_allowed(now, instrument.instrument_class)
        case.check("I8", holds=is_open, otherwise=f"{key.text()} was let through outside the session")
        policy = case.store.policies[case.client_of(key.account)]
        in_time = to_ist(now).time() <= policy.no_new_entry_after
        case.check("I8", holds=in_time, otherwise=f"{key.text()} was let through at {to_ist(now):%H:%M:%S}")
        at_work = case.process_of(process)
        tick = at_work.feed.newest.get(instrument.token) if at_work is not None else None
        age = now.timestamp() - tick.exchange_ts if tick else float("inf")
        words = f"{key.text()} was let through on a tick of {age:.0f} s"
        case.check("I8", holds=age <= FEED_STALE_AFTER_S + 1, otherwise=words)

    def claimed(self, intent: OrderIntent, epoch: int) -> None:
        """Entries need ACTIVE of house and client when they are claimed."""
        if intent.key.purpose.is_exit:
            return
        case, store = self.case, self.case.store
        client = case.client_of(intent.key.account)
        day = case.house.venue.market.day
        states = [store.house_state, store.policies[client].state]
        states += [
            latch.state for latch in (store.house_latch, store.latches.get(client)) if latch and latch.day == day
        ]
        self._written(intent)
        active = all(state is TradingState.ACTIVE for state in states)
        case.check("I8", holds=active, otherwise=f"{intent.key.text()} was claimed while {', '.join(states)}")

    def _written(self, intent: OrderIntent) -> None:
        """What is written of the gate's looks says the same: a feed without trouble, nobody stopped."""
        facts = {verdict["check"]: verdict.get("facts", {}) for verdict in self.case.store.verdicts[intent.tag]}
        trouble = facts["feed"].get("trouble")
        states = {facts["kill_state"].get(level) for level in ("house", "client", "account")}
        sound = not trouble and states == {TradingState.ACTIVE}
        self.case.check("I8", holds=sound, otherwise=f"{intent.key.text()} was let through with {trouble!r}, {states}")


class Stops(Judge):
    """Looks at every saved ladder: within one position its stop only tightens."""

    def __init__(self, case: Case) -> None:
        super().__init__(case)
        self._known: dict[Place, tuple[int, str, int]] = {}
        self._resting: dict[tuple[Place, int], Decimal] = {}
        """The trigger of the stop that rests at the exchange, by place and position."""

    def arrives(self, account: str, request: Request) -> None:
        """Look at every stop that goes to the exchange, anew or changed: nearer to the market, or where it was."""
        case = self.case
        order = case.house.venue.books.orders.get(request.path.rpartition("/")[2])
        sent = case.sent.get(order.tag if order is not None else request.form.get("tag", ""))
        trigger = Decimal(str(request.form.get("trigger_price", 0)))
        if sent is None or sent.intent.key.purpose is not Purpose.DISASTER_STOP or not trigger:
            return
        key, sign = sent.intent.key, sent.intent.side.sign
        place = (account, key.instrument), key.position
        known = self._resting.setdefault(place, trigger)
        words = f"{key.text()}: the stop at the exchange goes from {known} to {trigger}"
        case.check("I25", holds=(known - trigger) * sign >= 0, otherwise=words)
        self._resting[place] = trigger

    def saved(self, account: str, instrument: str, snapshot: Mapping[str, Any]) -> None:
        """Compare with the last one of the same position."""
        ladder = snapshot.get("ladder") or {}
        position = ladder.get("position")
        if position is None:
            self._known.pop((account, instrument), None)
            return
        number, side, stop = int(snapshot["position"]), str(position["side"]), int(position["stop"])
        known = self._known.get((account, instrument))
        self._known[account, instrument] = number, side, stop
        if known is None or known[:2] != (number, side):
            return
        tighter = stop >= known[2] if side == "long" else stop <= known[2]
        words = f"{account} {instrument} position {number}: its stop went from {known[2]} to {stop} ({side})"
        self.case.check("I25", holds=tighter, otherwise=words)


DECIDES = frozenset({"ENTRY", "TARGET", "STOP"})
FAR_OFF = Decimal("0.15")
"""No decision is made on a price so far from what was really traded: the day's own walks are shorter."""


WRITES_AGAIN_WITHIN_S = 3.0
"""Wire seconds after trouble with the database."""
REMEMBERED = 12
"""Steps: an account that is busy with an order looks at its newest tick when it is free again."""


class Log(Judge):
    """Looks at every event: its clock and its zone (I23), its fill once (I10), its price really traded (I25)."""

    def __init__(self, case: Case) -> None:
        super().__init__(case)
        self._prices: defaultdict[str, list[tuple[datetime, Decimal]]] = defaultdict(list)
        self._fills: set[tuple[str, int, str, str]] = set()
        """(process, epoch, account, trade): a process that gets the lease again reads the day anew."""

    def recorded(self, process: str, events: Sequence[EngineEvent]) -> None:
        """Judge what was appended."""
        for event in events:
            aware = event.at.tzinfo is not None and event.at.utcoffset() is not None
            near = aware and event.at <= self.case.house.clock.now()
            self.case.check("I23", holds=near, otherwise=f"{event.kind} was logged at {event.at!r}")
            if event.kind in ("FILL", "EXTERNAL_FILL"):
                lease = self.case.store.leases.get("main")
                fill = process, lease.epoch if lease else 0, event.account_key, str(event.data["trade_id"])
                # What was committed and not answered is written again: the log has it twice, and loses nothing.
                is_unsure = self.case.now() - self.case.store_troubled_at <= WRITES_AGAIN_WITHIN_S
                once = fill not in self._fills or is_unsure
                self.case.check("I10", holds=once, otherwise=f"the fill {fill} was told twice")
                self._fills.add(fill)
            if event.kind in DECIDES:
                self._decided(event)

    def _decided(self, event: EngineEvent) -> None:
        price = Decimal(str(event.data["tick"]["ltp"]))
        # It may be written long after it was decided: when the database is back, or who stood still goes on.
        true = [price for at, price in self._prices[event.instrument] if at <= event.at][-REMEMBERED:]
        holds = not true or any(abs(price - one) <= one * FAR_OFF for one in true)
        words = f"{event.account_key} {event.instrument}: {event.kind} was decided on {price}, traded was {true}"
        self.case.check("I25", holds=holds, otherwise=words)

    def stepped(self) -> None:
        """Remember what is traded now."""
        for key, instrument in self.case.instruments.items():
            price = from_scaled(self.case.house.venue.market.quote(instrument.token).ltp)
            self._prices[key].append((self.case.house.clock.now(), price))
