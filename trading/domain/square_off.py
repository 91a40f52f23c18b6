"""When a client's positions are closed, and by when they must be seen flat.

By when: the earliest of the session's end, an expiring contract's end, the broker's own square-off (each less a
margin), and a minute after the client's own time. From when: so long before that, as closing takes; never after
the client's own time.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from trading.domain.broker_square_off import RUN_BY, find_row
from trading.domain.calendar import MarketCalendar
from trading.domain.expiry import expiry_end
from trading.domain.instruments import Instrument, InstrumentClass
from trading.domain.timezone import at_ist, to_ist

MARGIN = timedelta(seconds=30)
"""Between our being flat and the moment from which nobody can or may be late."""
LEAD = timedelta(minutes=4)
"""Before the moment to be flat at, where that leaves no room after the client's own time; from the full minute on."""
TIME_TO_FLAT = timedelta(seconds=60)
"""What a square-off at the client's own time gets at least."""


@dataclass(frozen=True, slots=True)
class Bound:
    """Something that ends at `at` (aware), in words: `continuous trading ends at 15:15:00 (closing auction)`."""

    at: datetime
    words: str

    @property
    def flat_by(self) -> datetime:
        """Give when everything has to be closed because of it."""
        return self.at - MARGIN


@dataclass(frozen=True, slots=True)
class SquareOffPlan:
    """Start closing at `start`, be confirmed flat at `flat_by` (aware IST); `reason` is a sentence for the page."""

    start: datetime
    flat_by: datetime
    reason: str
    is_early: bool


@dataclass(frozen=True, slots=True)
class Subject:
    """What is planned for: a kind of instrument, held at some brokers (`kite`), a contract with its expiry."""

    instrument_class: InstrumentClass
    brokers: frozenset[str] = frozenset()
    expiry: date | None = None

    @staticmethod
    def of(instrument: Instrument, brokers: Iterable[str] = ()) -> "Subject":
        """Describe an instrument that is known."""
        return Subject(instrument.instrument_class, frozenset(brokers), instrument.expiry)


def bounds_of(calendar: MarketCalendar, day: date, subject: Subject) -> list[Bound]:
    """Give what ends trading of a subject on a day, earliest first; empty without a session."""
    hours = calendar.find_session(day, subject.instrument_class)
    if hours is None:
        return []
    end = hours.continuous_end
    auction = " (closing auction)" if hours.has_closing_auction else ""
    found = [Bound(end, f"continuous trading ends at {end:%H:%M:%S}{auction}")]
    last = expiry_end(day) if subject.expiry == day else None
    if last is not None:
        found.append(Bound(last, f"contracts that expire today stop at {last:%H:%M:%S}"))
    rows = (find_row(RUN_BY.get(each, each), subject.instrument_class, day) for each in subject.brokers)
    moments = {row.moment(hours) for row in rows if row is not None}
    for at in moments:
        found.append(Bound(at, f"the broker itself closes intraday positions at {at:%H:%M:%S}"))
    return sorted(found, key=lambda bound: bound.at)


def plan_within(
    bounds: Iterable[Bound], day: date, square_off_at: time, *, needed: timedelta = timedelta(0)
) -> SquareOffPlan:
    """Plan one client's square-off on a day. `square_off_at` is IST, `needed` the computed time to flat."""
    wished = at_ist(day, square_off_at)
    own = wished + TIME_TO_FLAT
    tight = [bound for bound in sorted(bounds, key=lambda bound: bound.at) if bound.flat_by < own]
    if tight:
        flat_by = to_ist(tight[0].flat_by)
        start = min(_full_minute(flat_by - LEAD), flat_by - needed, wished)
    else:
        flat_by = own
        start = min(wished, flat_by - needed)
    return SquareOffPlan(start, flat_by, _reason(tight, start, flat_by, square_off_at, needed), start < wished)


def square_off_plan(
    calendar: MarketCalendar,
    day: date,
    subject: Subject,
    square_off_at: time,
    *,
    needed: timedelta = timedelta(0),
) -> SquareOffPlan:
    """Plan by the day's rows; without a session (a holiday, an unknown year) by the client's time alone."""
    return plan_within(bounds_of(calendar, day, subject), day, square_off_at, needed=needed)


def latest_square_off(calendar: MarketCalendar, day: date, brokers: Iterable[str]) -> tuple[time, str] | None:
    """Give the latest time a client may choose on a day, and why, for what may be held longest; None if unbounded."""
    kinds = (InstrumentClass.EQUITY_CAS, InstrumentClass.EQUITY, InstrumentClass.DERIVATIVE)
    held = frozenset(brokers)
    firsts = [found[0] for kind in kinds if (found := bounds_of(calendar, day, Subject(kind, held)))]
    if not firsts:
        return None
    last = max(firsts, key=lambda bound: bound.at)
    return to_ist(last.flat_by - TIME_TO_FLAT).time(), last.words


def _full_minute(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)


def _reason(tight: list[Bound], start: datetime, flat_by: datetime, wished: time, needed: timedelta) -> str:
    why = " and ".join(bound.words for bound in tight if bound.at - tight[0].at <= TIME_TO_FLAT)
    takes = f"closing what is open takes about {needed.total_seconds():.0f} s" if needed > TIME_TO_FLAT else ""
    if not (why or takes):
        return f"the square-off starts at the client's time {wished} to be flat by {flat_by:%H:%M:%S}"
    because = ", and ".join(words for words in (why, takes) if words)
    return f"{because}, so the square-off for {wished} starts at {start:%H:%M:%S} to be flat by {flat_by:%H:%M:%S}"
