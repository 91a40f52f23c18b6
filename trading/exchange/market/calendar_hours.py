"""The market's hours by the product's own calendar (`domain.calendar`)."""

from datetime import date, datetime, timedelta
from typing import Final

from trading.domain.calendar import DayKind, MarketCalendar
from trading.domain.instruments import InstrumentClass
from trading.domain.sessions import Phase, SessionHours
from trading.exchange.market.hours import DayHours, Span, classic_hours

MATCHING: Final = timedelta(minutes=2)
"""How long an auction is matched at most: the opening from the end of order entry, the closing
(where the rows have no matching phase of its own) before its end."""
SATURDAY: Final = 5


class CalendarHours:
    """Implements `hours.Hours`. Days before and after the known years have the classic hours.

    Those are needed for history: the days behind the first known one, real bars of earlier years, and
    expiries of the coming year.
    """

    def __init__(self, calendar: MarketCalendar | None = None) -> None:
        self._calendar = calendar or MarketCalendar.load()

    def is_trading_day(self, day: date) -> bool:
        """True only for a day that the calendar knows to trade."""
        return self._calendar.is_trading_day(day)

    def may_trade(self, day: date) -> bool:
        """True for a known trading day, and for any weekday of a year that is not known."""
        kind = self._calendar.day_kind(day).kind
        return kind is DayKind.TRADING or (kind is DayKind.UNKNOWN and day.weekday() < SATURDAY)

    def day_hours(self, day: date, instrument_class: InstrumentClass) -> DayHours:
        """Give the day's spans; the classic ones where the calendar has no session."""
        session = self._calendar.find_session(day, instrument_class)
        if session is None:
            return classic_hours(day)
        parts = tuple((_ms(start), _ms(end)) for start, end in session.parts)
        return DayHours(parts, self._opening(day), _closing(session))

    def phase_changes(self, day: date) -> tuple[int, ...]:
        """Give the beginnings and ends of all phases of all classes."""
        sessions = [self._calendar.find_session(day, each) for each in InstrumentClass]
        spans = [span for session in sessions if session for span in session.phases]
        return tuple(sorted({_ms(edge) for span in spans for edge in (span.start, span.end)}))

    def _opening(self, day: date) -> Span | None:
        """Give the span right after the first pre-open's order entry; indices follow the shares."""
        session = self._calendar.find_session(day, InstrumentClass.EQUITY)
        if session is None:
            return None
        phases = [span for span in session.phases if span.phase is Phase.PRE_OPEN and span.start < session.open]
        waiting = next((span for span in phases if not span.order_types), None)
        return (_ms(waiting.start), _ms(min(waiting.start + MATCHING, waiting.end))) if waiting else None


def _closing(session: SessionHours) -> Span | None:
    if not session.has_closing_auction:
        return None
    matching = next((span for span in session.phases if span.phase is Phase.CAS_MATCHING), None)
    if matching is not None:
        return _ms(matching.start), _ms(matching.end)
    end = max(span.end for span in session.phases if span.phase is Phase.CAS_LIMIT_ONLY)
    return _ms(end - MATCHING), _ms(end)


def _ms(moment: datetime) -> int:
    return int(moment.timestamp()) * 1000
