"""Which days the market trades, and its phases at a moment. Rows are data; an unknown year is closed for entries.

Source of the shipped rows: `data/*.csv` (each row names its own). Operators add rows with `with_rows`.
"""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from trading.domain.instruments import InstrumentClass
from trading.domain.orders import OrderType
from trading.domain.sessions import Phase, SessionHours, SessionRow, hours_of, parse_rows
from trading.domain.timezone import ist_day

ONE_DAY = timedelta(days=1)
SATURDAY = 5


class CalendarError(ValueError):
    """The calendar cannot answer: no session on that day, or the day lies beyond the known years."""


class DayKind(StrEnum):
    """What a day is for the equity market."""

    TRADING = "trading"
    WEEKEND = "weekend"
    HOLIDAY = "holiday"
    UNKNOWN = "unknown"


class DayVerdict(NamedTuple):
    """A day's kind and the sentence that a page shows for it."""

    kind: DayKind
    reason: str


@dataclass(frozen=True, slots=True)
class MarketCalendar:
    """Holidays, weekend sessions and dated session rows of NSE and BSE equity, derivatives and indices.

    `years` are those whose holiday list is complete. A muhurat day counts as a holiday: it has session
    hours, but it is no trading day and no entries are made.
    """

    years: frozenset[int]
    holidays: Mapping[date, str]
    open_weekend_days: Mapping[date, str]
    session_rows: tuple[SessionRow, ...]
    special_rows: tuple[SessionRow, ...]
    _hours: dict[tuple[date, InstrumentClass], SessionHours | None] = field(
        default_factory=dict, compare=False, repr=False
    )

    @staticmethod
    def load() -> "MarketCalendar":
        """Give the shipped calendar, read once a process."""
        return _shipped()

    def with_rows(
        self,
        *,
        years: Iterable[int] = (),
        holidays: Mapping[date, str] | None = None,
        open_weekend_days: Mapping[date, str] | None = None,
        session_rows: Iterable[SessionRow] = (),
        special_rows: Iterable[SessionRow] = (),
    ) -> "MarketCalendar":
        """Give a calendar with the operator's rows before ours.

        An added session row replaces our rows of the same class and phase while it is valid; added special rows
        replace all of ours for that class and day. A day that the operator opens is no holiday any more, and the
        reverse.
        """
        closed, opened = holidays or {}, open_weekend_days or {}
        return replace(
            self,
            years=self.years | set(years),
            holidays={d: n for d, n in self.holidays.items() if d not in opened} | dict(closed),
            open_weekend_days={d: n for d, n in self.open_weekend_days.items() if d not in closed} | dict(opened),
            session_rows=_outranked(self.session_rows, tuple(session_rows)),
            special_rows=_replaced(self.special_rows, tuple(special_rows)),
            _hours={},
        )

    # -- days --------------------------------------------------------------------------------------------------

    @property
    def first_known_day(self) -> date:
        """The first day of the first known year."""
        return date(min(self.years), 1, 1)

    @property
    def last_known_day(self) -> date:
        """The last day of the last known year."""
        return date(max(self.years), 12, 31)

    def day_kind(self, day: date) -> DayVerdict:
        """Say what a day is, with a sentence for the page. Never raises."""
        if day.year not in self.years:
            return DayVerdict(
                DayKind.UNKNOWN, f"no holiday list of {day.year} is known, so nothing is entered on {day}"
            )
        if day in self.holidays:
            return DayVerdict(DayKind.HOLIDAY, f"{day} is a market holiday: {self.holidays[day]}")
        if day in self.open_weekend_days:
            return DayVerdict(DayKind.TRADING, f"{day} is a trading day: {self.open_weekend_days[day]}")
        if day.weekday() >= SATURDAY:
            return DayVerdict(DayKind.WEEKEND, f"{day} is a {day:%A}")
        return DayVerdict(DayKind.TRADING, f"{day} is a trading day")

    def is_trading_day(self, day: date) -> bool:
        """True only for a day that is known to trade."""
        return self.day_kind(day).kind is DayKind.TRADING

    def is_known_closed(self, day: date) -> bool:
        """True only for a day that is known not to trade: a holiday or a weekend."""
        return self.day_kind(day).kind in (DayKind.HOLIDAY, DayKind.WEEKEND)

    def next_trading_day(self, after: date) -> date:
        """Give the first trading day later than `after`. Raises CalendarError beyond the known years."""
        return self._walk(after, ONE_DAY)

    def previous_trading_day(self, before: date) -> date:
        """Give the last trading day earlier than `before`. Raises CalendarError beyond the known years."""
        return self._walk(before, -ONE_DAY)

    def _walk(self, start: date, step: timedelta) -> date:
        day = start + step
        while not self.is_trading_day(day):
            if day.year not in self.years:
                way = "after" if step > timedelta(0) else "before"
                raise CalendarError(
                    f"the trading day {way} {start} is not known: holiday lists reach from "
                    f"{self.first_known_day} to {self.last_known_day}"
                )
            day += step
        return day

    # -- hours -------------------------------------------------------------------------------------------------

    def session(self, day: date, instrument_class: InstrumentClass) -> SessionHours:
        """Give the hours of a day. Raises CalendarError where the market has none."""
        hours = self.find_session(day, instrument_class)
        if hours is None:
            raise CalendarError(f"there is no {instrument_class} session: {self.day_kind(day).reason}")
        return hours

    def find_session(self, day: date, instrument_class: InstrumentClass) -> SessionHours | None:
        """Give the hours of a day, None where the market has none. Never raises."""
        key = (day, instrument_class)
        if key not in self._hours:
            self._hours[key] = hours_of(day, instrument_class, self._rows_of(day, instrument_class))
        return self._hours[key]

    def day_ends_at(self, day: date) -> datetime:
        """Give when the last phase of any class ends, the post-close session too. Raises CalendarError without one."""
        sessions = [self.find_session(day, each) for each in InstrumentClass]
        ends = [span.end for session in sessions if session for span in session.phases]
        if not ends:
            raise CalendarError(f"there is no session: {self.day_kind(day).reason}")
        return max(ends)

    def day_begins_at(self, day: date) -> datetime | None:
        """Give when the first phase of any class begins, None on a day without a session."""
        sessions = [self.find_session(day, each) for each in InstrumentClass]
        return min((span.start for session in sessions if session for span in session.phases), default=None)

    def phase_at(self, moment: datetime, instrument_class: InstrumentClass) -> Phase:
        """Give the phase at an aware moment; CLOSED on every day without a session."""
        hours = self.find_session(ist_day(moment), instrument_class)
        span = hours.at(moment) if hours else None
        return span.phase if span else Phase.CLOSED

    def allowed_order_types(self, moment: datetime, instrument_class: InstrumentClass) -> frozenset[OrderType]:
        """Give the order types that the exchange takes at an aware moment; empty when none."""
        hours = self.find_session(ist_day(moment), instrument_class)
        span = hours.at(moment) if hours else None
        return span.order_types if span else frozenset()

    def why_no_entries(self, moment: datetime, instrument_class: InstrumentClass) -> str | None:
        """Say why positions may not be opened now; None when they may: a trading day in continuous trading."""
        verdict = self.day_kind(ist_day(moment))
        if verdict.kind is not DayKind.TRADING:
            return verdict.reason
        if instrument_class is InstrumentClass.INDEX:
            return "an index cannot be traded"
        phase = self.phase_at(moment, instrument_class)
        return None if phase is Phase.CONTINUOUS else f"the {instrument_class} market is in phase {phase}"

    def entries_allowed(self, moment: datetime, instrument_class: InstrumentClass) -> bool:
        """True only on a known trading day in continuous trading."""
        return self.why_no_entries(moment, instrument_class) is None

    def _rows_of(self, day: date, instrument_class: InstrumentClass) -> list[SessionRow]:
        special = [row for row in self.special_rows if row.instrument_class is instrument_class and row.holds_on(day)]
        if special or not self.is_trading_day(day):
            return special
        return [row for row in self.session_rows if row.instrument_class is instrument_class and row.holds_on(day)]


def _outranked(ours: tuple[SessionRow, ...], added: tuple[SessionRow, ...]) -> tuple[SessionRow, ...]:
    """Cut our rows around the validity of added rows of the same class and phase."""
    kept: list[SessionRow] = list(ours)
    for new in added:
        kept = [piece for row in kept for piece in _cut(row, new)]
    return (*kept, *added)


def _cut(row: SessionRow, new: SessionRow) -> list[SessionRow]:
    """Give what is left of a row beside a new one of the same class and phase."""
    if (row.instrument_class, row.phase) != (new.instrument_class, new.phase):
        return [row]
    pieces = []
    if row.valid_from < new.valid_from:
        before = new.valid_from - ONE_DAY
        pieces.append(replace(row, valid_to=before if row.valid_to is None else min(row.valid_to, before)))
    if new.valid_to is not None and (row.valid_to is None or row.valid_to > new.valid_to):
        pieces.append(replace(row, valid_from=max(row.valid_from, new.valid_to + ONE_DAY)))
    return pieces


def _replaced(ours: tuple[SessionRow, ...], added: tuple[SessionRow, ...]) -> tuple[SessionRow, ...]:
    taken = {(row.instrument_class, row.valid_from) for row in added}
    return (*(row for row in ours if (row.instrument_class, row.valid_from) not in taken), *added)


def _records(name: str) -> list[dict[str, str]]:
    text = (files("trading.domain") / "data" / name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


@cache
def _shipped() -> MarketCalendar:
    days = _records("days.csv")
    return MarketCalendar(
        years=frozenset(int(record["year"]) for record in _records("years.csv")),
        holidays={date.fromisoformat(d["day"]): d["name"] for d in days if d["kind"] == "holiday"},
        open_weekend_days={date.fromisoformat(d["day"]): d["name"] for d in days if d["kind"] == "open"},
        session_rows=parse_rows(_records("sessions.csv")),
        special_rows=parse_rows(_records("special_sessions.csv")),
    )
