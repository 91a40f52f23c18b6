"""Exits: never more than is open, one at a time, positions that nobody forgets. I4, I5, I6, I13."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from trading.domain.orders import OrderIntent, Purpose
from trading.domain.square_off import Subject, square_off_plan
from trading.exchange.venue.orders import Order, Status
from trading.ports import EngineEvent
from trading.simulation.referee.case import Case, Judge, Place
from trading.simulation.requests import Request

JUST_CHANGED_S = 6.0
"""What an order was decided on may be so old when it arrives: gate, claim and wire (the in-flight window of I4)."""
SEES_A_HAND_S = 12.0
"""What the client trades in the broker's app is known within 10 s (F29); an exit may be on its way by then."""
HIDES_S = 9.0
"""An exit is sent again when clean books did not show it for 10 s: screens that lag more hide a twin (F17)."""
CORRECTED_WITHIN_S = 10.0
OF_THE_LADDER = frozenset({Purpose.TARGET, Purpose.STOP, Purpose.MANUAL_EXIT})
"""What the client opened by hand is closed by square-off, kill and limits, never by a ladder (F29)."""
TOLD_LATE = timedelta(seconds=10)


@dataclass(slots=True)
class _Reversal:
    """A position that an order of ours turned around although nobody could know better: to be put right or told.

    `at` is when it happened; from when on it could be seen, the broker's answers say.
    """

    place: Place
    at: float
    until: float
    alarms: int
    text: str


class Exits(Judge):
    """Looks at exits when they arrive and at what fills do to positions."""

    def __init__(self, case: Case) -> None:
        super().__init__(case)
        self._reversals: list[_Reversal] = []

    def arrives(self, account: str, request: Request) -> None:
        """Judge an exit against what is open and what works already."""
        sent = self.case.sent.get(request.form.get("tag", ""))
        if request.method != "POST" or sent is None or not sent.intent.key.purpose.is_exit:
            return
        case, intent = self.case, sent.intent
        place = account, intent.key.instrument
        held = case.held[place]
        working = [
            order
            for order in case.orders_of(*place)
            if order.is_live and order.side is intent.side and case.is_ours(order)
        ]
        asked = intent.quantity + sum(order.remaining for order in working)
        if case.now() - case.moved_at[place] < JUST_CHANGED_S or self._is_hidden():
            return
        if not case.could_know(place, SEES_A_HAND_S):
            return
        fits = held * intent.side.sign < 0 and asked <= abs(held)
        words = f"{intent.key.text()} {intent.side} {intent.quantity} with {held} held and {len(working)} working"
        case.check("I4", holds=fits, otherwise=words)
        if intent.key.purpose in OF_THE_LADDER:
            ours = case.own[place][0]
            words = f"{intent.key.text()} {intent.side} {intent.quantity} of {held}, {ours} of them ours"
            case.check("I4", holds=intent.quantity <= abs(ours), otherwise=words)
        exits = [order for order in working if self._is_exit(order)]
        case.check("I5", holds=not exits, otherwise=f"{intent.key.text()} beside {len(exits)} live exits")

    def _is_exit(self, order: Order) -> bool:
        return self.case.sent[order.tag].intent.key.purpose.is_exit

    def _is_hidden(self) -> bool:
        return self.case.hidden_s() >= HIDES_S

    # -- fills -------------------------------------------------------------------------------------------------

    def traded(self, place: Place, order: Order, before: int, after: int) -> None:
        """Judge what a fill of ours did to a position."""
        case = self.case
        since = case.arrived.get(order.tag, case.now())
        if not case.is_ours(order):
            return
        intent = case.sent[order.tag].intent
        words = f"{intent.key.text()} took the position from {before} to {after}"
        if not intent.key.purpose.is_exit:
            self._entered(place, intent, after, words)
            return
        case.look("I4")
        if before * after >= 0 and abs(after) < abs(before):
            return
        by_hand = case.by_hand_at[place] > since - SEES_A_HAND_S or not case.could_know(place, SEES_A_HAND_S)
        if by_hand or self._is_hidden() or self._rose_again(place, since):
            until = case.now() + case.hidden_s() + CORRECTED_WITHIN_S
            self._reversals.append(_Reversal(place, case.now(), until, self._told(place), words))
        else:
            case.found("I4", words)

    def _entered(self, place: Place, intent: OrderIntent, after: int, words: str) -> None:
        case = self.case
        plans = [p.quantity or 0 for p in case.store.plans if (p.account_key, p.instrument.key) == place]
        if case.by_hand_at[place] < 0 and not self._is_hidden():
            most = max(plans, default=0)
            case.check("I13", holds=abs(after) <= most, otherwise=f"{words}, {most} are planned")

    def _rose_again(self, place: Place, since: float) -> bool:
        """Say whether an order that the broker had called cancelled filled after all, not before this one (F24)."""
        for order in self.case.orders_of(*place):
            ended = next((line for line in order.history if line.status is Status.CANCELLED), None)
            if ended is not None and order.filled > ended.filled and order.history[-1].wire_s >= since - JUST_CHANGED_S:
                return True
        return False

    def _told(self, place: Place) -> int:
        return sum(1 for told in self.case.told if place[1] in told.text)

    def _was_shown(self, one: _Reversal) -> bool:
        shown_at = self.case.shown_at(one.place, one.at)
        return shown_at is not None and self.case.now() > shown_at + CORRECTED_WITHIN_S

    def stepped(self) -> None:
        """See that what was turned around is put right or told in time."""
        for one in list(self._reversals):
            if self._told(one.place) > one.alarms or self.case.held[one.place] == 0:
                self._reversals.remove(one)
                self.case.look("I4 late twin")
            elif self.case.now() > one.until and self._was_shown(one):
                self._reversals.remove(one)
                self.case.found(
                    "I4", f"{one.text}, and it was neither put right nor told within {CORRECTED_WITHIN_S} s"
                )


class FlatByDeadline(Judge):
    """Looks at every position once its client's deadline is over: flat, or a person was told in time.

    What nobody could have read is no position that anybody could name: then the account has to be named.
    """

    def __init__(self, case: Case) -> None:
        super().__init__(case)
        self._deadlines: dict[Place, datetime] = {}
        self._open_then: dict[Place, datetime] = {}
        """What was open at its deadline, and until when that may be told. What a hand trades later is its own."""
        for plan in case.store.plans:
            place = plan.account_key, plan.instrument.key
            policy = case.store.policies[case.client_of(plan.account_key)]
            day = case.house.venue.market.day
            subject = Subject.of(plan.instrument, {"kite"})
            self._deadlines[place] = square_off_plan(case.calendar, day, subject, policy.square_off_at).flat_by

    def stepped(self) -> None:
        """Note what is open at its deadline, and judge it once it had to be told."""
        now = self.case.house.clock.now()
        for place, told_by in list(self._open_then.items()):
            if now > told_by:
                del self._open_then[place]
                self._judge(place)
        for place, deadline in list(self._deadlines.items()):
            if now >= deadline:
                del self._deadlines[place]
                self.case.look("I6")
                if self.case.held[place]:
                    self._open_then[place] = deadline + TOLD_LATE

    def ended(self) -> None:
        """Judge again at the end of the day what we opened."""
        for place in self.case.held:
            if self.case.own[place][0]:
                self._judge(place)

    def _judge(self, place: Place) -> None:
        held = self.case.held[place]
        words = f"{place[0]} {place[1]}: {held} are open and no alarm names them"
        self.case.check("I6", holds=not held or self._is_told(place), otherwise=words)

    def _is_told(self, place: Place) -> bool:
        account, instrument = place
        client = self.case.client_of(account)
        texts = [told.text for told in self.case.told if told.client_id in (client, None)]
        is_unseen = not self.case.own[place][0] and not self.case.could_know(place, SEES_A_HAND_S)
        return any(instrument in text for text in texts) or (is_unseen and any(account in text for text in texts))


class SaidFlat(Judge):
    """Looks at every word that something is flat: then the ledger has nothing open there (I6)."""

    def recorded(self, process: str, events: Sequence[EngineEvent]) -> None:
        """Judge what was said of square-offs."""
        for event in events:
            if event.kind == "SQUARED_OFF" and event.client_id is not None:
                named = event.data["instruments"]
                self._judge(event.client_id, None if named == "all" else set(named))

    def _judge(self, client: int, named: set[str] | None) -> None:
        case = self.case
        for place, held in case.held.items():
            if case.client_of(place[0]) != client or (named is not None and place[1] not in named):
                continue
            # Flat is said of what was read just now: what nobody could read is unknown, and no excuse.
            if case.now() - case.moved_at[place] >= JUST_CHANGED_S + case.hidden_s():
                words = f"client {client} was called flat with {held} of {place[1]} open at {place[0]}"
                case.check("I6", holds=not held, otherwise=words)
