"""The market's hours by the product's own calendar (`domain.calendar`)."""

from datetime import date, datetime
from typing import Final

from trading.domain.auctions import AuctionKind, auctions_of
from trading.domain.calendar import DayKind, MarketCalendar
from trading.domain.instruments import InstrumentClass
from trading.domain.sessions import SessionHours
from trading.exchange.market.hours import DayHours, Span, classic_hours

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

    def has_session(self, day: date) -> bool:
        """True for a day with continuous trading of shares."""
        return self._shares(day) is not None

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
        opens_by = session if instrument_class is InstrumentClass.DERIVATIVE else self._shares(day)
        return DayHours(parts, _match(opens_by, AuctionKind.OPENING), _match(session, AuctionKind.CLOSING))

    def phase_changes(self, day: date) -> tuple[int, ...]:
        """Give the beginnings and ends of all phases of all classes."""
        sessions = [self._calendar.find_session(day, each) for each in InstrumentClass]
        spans = [span for session in sessions if session for span in session.phases]
        return tuple(sorted({_ms(edge) for span in spans for edge in (span.start, span.end)}))

    def _shares(self, day: date) -> SessionHours | None:
        """Give the hours of shares: an index has its first value from their opening auction."""
        return self._calendar.find_session(day, InstrumentClass.EQUITY)


def _match(session: SessionHours | None, kind: AuctionKind) -> Span | None:
    """Give the span in which the day's first auction of a kind is matched."""
    auctions = auctions_of(session) if session else ()
    first = next((auction for auction in auctions if auction.kind is kind), None)
    return (_ms(first.match_start), _ms(first.match_end)) if first else None


def _ms(moment: datetime) -> int:
    return int(moment.timestamp()) * 1000
