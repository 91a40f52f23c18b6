"""The market calendar with the operator's rows in it."""

from datetime import date

from trading.domain.calendar import CalendarError, MarketCalendar
from trading.domain.instruments import InstrumentClass
from trading.domain.orders import OrderType
from trading.domain.sessions import Phase, SessionRow
from trading.models import OperatorDay, OperatorSession, OperatorYear


def market_calendar() -> MarketCalendar:
    """Give the shipped calendar with the operator's additions, as the database has them now."""
    days = list(OperatorDay.objects.all())
    sessions = list(OperatorSession.objects.all())
    return MarketCalendar.load().with_rows(
        years=OperatorYear.objects.values_list("year", flat=True),
        holidays={row.day: row.name for row in days if not row.is_open},
        open_weekend_days={row.day: row.name for row in days if row.is_open},
        session_rows=[_session_row(row) for row in sessions if not row.is_special],
        special_rows=[_session_row(row) for row in sessions if row.is_special],
    )


def previous_session(day: date) -> date | None:
    """Give the last trading day before `day`, None where the calendar does not know."""
    try:
        return market_calendar().previous_trading_day(day)
    except CalendarError:
        return None


def _session_row(row: OperatorSession) -> SessionRow:
    return SessionRow(
        instrument_class=InstrumentClass(row.instrument_class),
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        phase=Phase(row.phase),
        start=row.start,
        end=row.end,
        order_types=frozenset(OrderType(word) for word in row.order_types.split()),
        source=row.source or f"operator {row.added_by_id}",
    )
