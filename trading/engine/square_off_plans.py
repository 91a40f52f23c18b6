"""What a client's square-off would be now: by when each instrument, from when, and how much there is to do."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta

from trading.domain.instruments import InstrumentClass
from trading.domain.orders import Product, Purpose
from trading.domain.slicing import most_units
from trading.domain.square_off import SquareOffPlan, Subject, bounds_of, plan_within
from trading.domain.time_to_flat import CallRate, ExitWork, time_to_flat
from trading.domain.timezone import to_ist
from trading.engine.client import ClientBook
from trading.engine.desk import AccountDesk
from trading.engine.house import House
from trading.engine.rate import PER_MINUTE, PER_SECOND
from trading.engine.round_trips import RoundTrips
from trading.engine.tools import Tools
from trading.engine.wishes import RANK
from trading.ports import Plan

RATE = CallRate(PER_SECOND, PER_MINUTE)
KINDS = tuple(kind for kind in InstrumentClass if kind is not InstrumentClass.INDEX)


@dataclass(frozen=True)
class PlannedSquareOff:
    """One square-off of a client: it covers all that must be flat by its `flat_by`; the last one covers everything.

    `work` is what there is to do now, by account; `needed` the time that the slowest account needs for it.
    """

    plan: SquareOffPlan
    is_whole: bool
    work: Mapping[str, ExitWork] = field(default_factory=dict)
    needed: timedelta = timedelta(0)

    @property
    def orders(self) -> int:
        """Exit orders of all accounts."""
        return sum(work.orders for work in self.work.values())


class SquareOffPlans:
    """Plans from the day's rows, the client's time, and what is open now. Pure but for what it looks at."""

    def __init__(self, tools: Tools, house: House, round_trips: RoundTrips) -> None:
        self._tools = tools
        self._house = house
        self._round_trips = round_trips

    def ladder_ends(self, plan: Plan, client: ClientBook, broker: str) -> time:
        """Give from when (IST) a ladder leaves everything to the square-off: by the rows, whatever is open."""
        subject = Subject.of(plan.instrument, [broker])
        return to_ist(self._plan(subject, client).start).time()

    def flat_by(self, client: ClientBook, instrument: str) -> datetime:
        """Give by when an instrument of a client has to be flat today."""
        return self._plan(self._subject(client, instrument), client).flat_by

    def now(self, client: ClientBook) -> list[PlannedSquareOff]:
        """Plan with what is open now, earliest first. Every moment at which something must be flat has its own."""
        work = self._work(client)
        by_deadline: dict[datetime, Subject] = {}
        for subject in self._subjects(client):
            by_deadline.setdefault(self._plan(subject, client).flat_by, subject)
        planned: list[PlannedSquareOff] = []
        room: datetime | None = None
        for deadline in sorted(by_deadline, reverse=True):
            own = work.get(deadline, {})
            takes = max((self._takes(each) for each in own.values()), default=timedelta(0))
            # One budget serves all: what is due first is done before the next one begins.
            needed = takes + (max(timedelta(0), deadline - room) if room is not None and takes else timedelta(0))
            plan = self._plan(by_deadline[deadline], client, needed)
            planned.append(PlannedSquareOff(plan, not planned, own, takes))
            room = plan.start if takes else room
        return planned[::-1]

    def _plan(self, subject: Subject, client: ClientBook, needed: timedelta = timedelta(0)) -> SquareOffPlan:
        day, policy = self._tools.day, client.policy
        bounds = bounds_of(self._tools.deps.calendar, day, subject)
        return plan_within(bounds, day, policy.square_off_at, needed=needed)

    def _subjects(self, client: ClientBook) -> Iterable[Subject]:
        brokers = _brokers(client)
        yield from (Subject(kind, brokers) for kind in KINDS)
        if any(instrument.expiry == self._tools.day for instrument in self._house.instruments.all()):
            yield Subject(InstrumentClass.DERIVATIVE, brokers, self._tools.day)

    def _subject(self, client: ClientBook, instrument: str) -> Subject:
        found = self._house.instruments.find(instrument)
        if found is not None:
            return Subject.of(found, _brokers(client))
        return Subject(self._house.instruments.class_of(instrument), _brokers(client))

    # -- what there is to do -----------------------------------------------------------------------------------

    def _takes(self, work: ExitWork) -> timedelta:
        return time_to_flat(work, RATE, round_trip=self._round_trips.slow)

    def _work(self, client: ClientBook) -> dict[datetime, dict[str, ExitWork]]:
        """Give the work by deadline and account."""
        found: dict[datetime, dict[str, ExitWork]] = {}
        deadlines: dict[str, datetime] = {}
        for desk in client.desks:
            for instrument, work in self._works(desk):
                deadline = deadlines.get(instrument) or self.flat_by(client, instrument)
                deadlines[instrument] = deadline
                own = found.setdefault(deadline, {})
                own[desk.ref.key] = own.get(desk.ref.key, ExitWork()) + work
        return found

    def _works(self, desk: AccountDesk) -> Iterable[tuple[str, ExitWork]]:
        for position in desk.orders.positions.open_positions():
            instrument = position.key.instrument
            if position.key.product == Product.MIS:
                orders = self.slices(instrument, abs(position.net_quantity))
                yield instrument, ExitWork(orders, in_a_row=orders)
        for line in desk.lines.values():
            if not line.is_quiet:
                weaker = [one for one in line.live_exits if RANK[one.purpose] < RANK[Purpose.SQUARE_OFF]]
                yield line.instrument, ExitWork(cancels=len(line.live_entries) + len(weaker))

    def slices(self, instrument: str, units: int) -> int:
        """Give how many orders it takes to close so many units."""
        most = most_units(instrument, self._house.instruments.find(instrument), self._tools.day)
        return 1 if most is None else -(-units // most)


def _brokers(client: ClientBook) -> frozenset[str]:
    return frozenset(desk.ref.broker for desk in client.desks)
