"""Trading days: holidays, open weekends, muhurat days, and the end of what is known."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import exchange_calendars
import pytest

from trading.domain.calendar import CalendarError, DayKind, MarketCalendar
from trading.domain.instruments import InstrumentClass
from trading.domain.orders import OrderType
from trading.domain.sessions import Phase, SessionRow
from trading.domain.timezone import IST, at_ist

CALENDAR = MarketCalendar.load()
EQUITY, CAS = InstrumentClass.EQUITY, InstrumentClass.EQUITY_CAS


@pytest.mark.filterwarnings("ignore:Series.values")  # inside the other calendar
def test_weekday_holidays_agree_with_another_calendar_for_all_known_years() -> None:
    other = exchange_calendars.get_calendar("XBOM", start="2024-01-01", end="2026-12-31")
    days = [date(2024, 1, 1) + timedelta(days=n) for n in range((date(2026, 12, 31) - date(2024, 1, 1)).days + 1)]

    differing = [
        day for day in days if day.weekday() < 5 and CALENDAR.is_trading_day(day) != other.is_session(day.isoformat())
    ]

    assert differing == []


@pytest.mark.proves("F60")
def test_of_all_weekend_days_only_the_announced_ones_trade() -> None:
    days = [date(2024, 1, 1) + timedelta(days=n) for n in range((date(2026, 12, 31) - date(2024, 1, 1)).days + 1)]

    open_days = [day.isoformat() for day in days if day.weekday() >= 5 and CALENDAR.is_trading_day(day)]

    assert open_days == ["2024-01-20", "2024-03-02", "2024-05-18", "2025-02-01", "2026-02-01"]


@pytest.mark.parametrize(
    ("day", "kind", "words"),
    [
        (date(2026, 11, 23), DayKind.TRADING, "is a trading day"),
        (date(2026, 11, 24), DayKind.HOLIDAY, "market holiday: Prakash Gurpurb"),
        (date(2026, 11, 22), DayKind.WEEKEND, "is a Sunday"),
        (date(2024, 5, 18), DayKind.TRADING, "in two parts"),
        (date(2026, 2, 1), DayKind.TRADING, "Union Budget on a Sunday"),
        (date(2026, 11, 8), DayKind.HOLIDAY, "muhurat"),
        (date(2027, 1, 4), DayKind.UNKNOWN, "no holiday list of 2027"),
        (date(2023, 12, 29), DayKind.UNKNOWN, "no holiday list of 2023"),
    ],
)
def test_a_day_is_named_with_its_reason(day: date, kind: DayKind, words: str) -> None:
    verdict = CALENDAR.day_kind(day)

    assert verdict.kind is kind
    assert words in verdict.reason


def test_the_neighbouring_trading_days_step_over_weekends_and_holidays() -> None:
    assert CALENDAR.next_trading_day(date(2026, 11, 21)) == date(2026, 11, 23)
    assert CALENDAR.next_trading_day(date(2026, 11, 23)) == date(2026, 11, 25)
    assert CALENDAR.previous_trading_day(date(2024, 5, 21)) == date(2024, 5, 18)  # an open Saturday before a holiday


@pytest.mark.proves("F60")
def test_beyond_the_known_years_there_is_a_clear_error() -> None:
    assert CALENDAR.last_known_day == date(2026, 12, 31)
    with pytest.raises(CalendarError, match="after 2026-12-31 is not known: holiday lists reach from 2024-01-01"):
        CALENDAR.next_trading_day(date(2026, 12, 31))
    with pytest.raises(CalendarError, match="before 2024-01-01 is not known"):
        CALENDAR.previous_trading_day(date(2024, 1, 1))
    with pytest.raises(CalendarError, match="after 2030-06-01"):
        CALENDAR.next_trading_day(date(2030, 6, 1))


def test_a_day_without_a_session_is_an_error_only_where_hours_are_asked_for() -> None:
    with pytest.raises(CalendarError, match="no equity session: 2026-11-24 is a market holiday"):
        CALENDAR.session(date(2026, 11, 24), EQUITY)

    assert CALENDAR.find_session(date(2026, 11, 24), EQUITY) is None


@pytest.mark.proves("F60", "I8")
@pytest.mark.parametrize("day", [date(2026, 11, 24), date(2026, 11, 22), date(2027, 1, 4)])
def test_a_day_that_does_not_trade_or_is_unknown_is_closed_all_day(day: date) -> None:
    noon = at_ist(day, time(12))

    assert CALENDAR.phase_at(noon, EQUITY) is Phase.CLOSED
    assert CALENDAR.allowed_order_types(noon, EQUITY) == frozenset()
    assert not CALENDAR.entries_allowed(noon, EQUITY)
    assert CALENDAR.why_no_entries(noon, EQUITY) == CALENDAR.day_kind(day).reason


@pytest.mark.proves("F60")
def test_on_a_muhurat_day_the_market_has_its_hour_but_nothing_is_entered() -> None:
    evening = at_ist(date(2024, 11, 1), time(18, 30))

    assert CALENDAR.phase_at(evening, EQUITY) is Phase.CONTINUOUS
    assert not CALENDAR.entries_allowed(evening, EQUITY)


def test_entries_need_continuous_trading() -> None:
    day = date(2026, 11, 23)

    assert CALENDAR.entries_allowed(at_ist(day, time(9, 15)), CAS)
    assert CALENDAR.why_no_entries(at_ist(day, time(15, 15)), CAS) == "the equity_cas market is in phase cas_reference"
    assert CALENDAR.why_no_entries(at_ist(day, time(12)), InstrumentClass.INDEX) == "an index cannot be traded"


@pytest.mark.proves("F59")
def test_the_phase_is_that_of_the_market_s_clock_wherever_the_caller_lives() -> None:
    # 20:45 in New York on the 22nd is 07:15 on the 23rd in India; 22:45 is 09:15.
    new_york = ZoneInfo("America/New_York")

    assert CALENDAR.phase_at(datetime(2026, 11, 22, 20, 45, tzinfo=new_york), CAS) is Phase.CLOSED
    assert CALENDAR.phase_at(datetime(2026, 11, 22, 22, 45, tzinfo=new_york), CAS) is Phase.CONTINUOUS


@pytest.mark.proves("F59", "I23")
def test_a_naive_moment_is_refused() -> None:
    with pytest.raises(ValueError, match="must be aware"):
        CALENDAR.phase_at(datetime(2026, 11, 23, 10), CAS)  # noqa: DTZ001  # the naive moment is the case


# -- the operator's rows -------------------------------------------------------------------------------------------


def row(phase: Phase, start: time, end: time, *, first: date, last: date | None = None) -> SessionRow:
    return SessionRow(CAS, first, last, phase, start, end, frozenset({OrderType.LIMIT}), source="operator")


def test_the_operator_adds_a_year_with_its_holidays() -> None:
    calendar = CALENDAR.with_rows(years=[2027], holidays={date(2027, 1, 26): "Republic Day"})

    assert calendar.next_trading_day(date(2026, 12, 31)) == date(2027, 1, 1)
    assert calendar.day_kind(date(2027, 1, 26)).kind is DayKind.HOLIDAY
    assert calendar.entries_allowed(at_ist(date(2027, 1, 27), time(10)), CAS)
    assert CALENDAR.day_kind(date(2027, 1, 26)).kind is DayKind.UNKNOWN


def test_the_operator_closes_a_trading_day_and_opens_a_holiday() -> None:
    calendar = CALENDAR.with_rows(
        holidays={date(2026, 11, 23): "Flood"}, open_weekend_days={date(2026, 11, 24): "moved holiday"}
    )

    assert not calendar.is_trading_day(date(2026, 11, 23))
    assert calendar.is_trading_day(date(2026, 11, 24))


def test_an_operator_s_row_replaces_ours_of_that_phase_while_it_is_valid() -> None:
    first, last = date(2026, 11, 23), date(2026, 11, 25)
    calendar = CALENDAR.with_rows(
        session_rows=[row(Phase.CONTINUOUS, time(9, 15), time(14), first=first, last=last)],
    )

    ends = {day: calendar.session(date(2026, 11, day), CAS).continuous_end.time() for day in (20, 23, 25, 26)}
    assert ends == {20: time(15, 15), 23: time(14), 25: time(14), 26: time(15, 15)}
    assert calendar.session(first, CAS).has_closing_auction
    assert calendar.session(first, EQUITY).continuous_end.time() == time(15, 30)
    assert CALENDAR.session(first, CAS).continuous_end.time() == time(15, 15)


def test_an_operator_s_open_ended_row_ends_ours() -> None:
    start = date(2026, 12, 1)
    calendar = CALENDAR.with_rows(session_rows=[row(Phase.CONTINUOUS, time(9, 15), time(15), first=start)])

    assert calendar.session(date(2026, 11, 30), CAS).continuous_end.time() == time(15, 15)
    assert calendar.session(date(2026, 12, 8), CAS).continuous_end.time() == time(15)


def test_an_operator_s_special_session_replaces_the_day() -> None:
    day = date(2026, 11, 28)
    calendar = CALENDAR.with_rows(
        open_weekend_days={day: "disaster recovery"},
        special_rows=[row(Phase.CONTINUOUS, time(10), time(11), first=day, last=day)],
    )

    hours = calendar.session(day, CAS)
    assert (hours.open, hours.close) == (at_ist(day, time(10)), at_ist(day, time(11)))
    assert calendar.session(day, EQUITY).open.astimezone(IST).time() == time(9, 15)


def test_the_shipped_calendar_is_read_once() -> None:
    assert MarketCalendar.load() is MarketCalendar.load()
