"""When each client's positions start to be closed, and by when they must be flat."""

from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.domain.broker_square_off import RUN_BY, find_row
from trading.domain.calendar import MarketCalendar
from trading.domain.instruments import InstrumentClass
from trading.domain.square_off import MARGIN, Subject, latest_square_off, square_off_plan
from trading.domain.time_to_flat import CallRate, ExitWork, time_to_flat
from trading.domain.timezone import at_ist

CALENDAR = MarketCalendar.load()
CLASSIC, AUCTION, NEXT = date(2024, 5, 16), date(2026, 11, 23), date(2026, 12, 7)
EQUITY, CAS, DERIVATIVE = InstrumentClass.EQUITY, InstrumentClass.EQUITY_CAS, InstrumentClass.DERIVATIVE
KITE, NOBODY = frozenset({"kite"}), frozenset[str]()


@pytest.mark.parametrize(
    ("day", "kind", "brokers", "wished", "start", "flat_by", "is_early"),
    [
        (AUCTION, CAS, NOBODY, "15:15:00", "15:10:00", "15:14:30", True),
        (AUCTION, CAS, KITE, "15:15:00", "15:10:00", "15:14:00", True),
        (AUCTION, CAS, KITE, "15:20:00", "15:10:00", "15:14:00", True),
        (AUCTION, EQUITY, KITE, "15:15:00", "15:15:00", "15:16:00", False),
        (AUCTION, DERIVATIVE, KITE, "15:15:00", "15:15:00", "15:16:00", False),
        (AUCTION, CAS, KITE, "14:30:00", "14:30:00", "14:31:00", False),
        (AUCTION, CAS, KITE, "15:13:00", "15:13:00", "15:14:00", False),
        (AUCTION, CAS, KITE, "15:13:01", "15:10:00", "15:14:00", True),
        (AUCTION, EQUITY, KITE, "15:18:30", "15:18:30", "15:19:30", False),
        (AUCTION, EQUITY, KITE, "15:30:00", "15:15:00", "15:19:30", True),
        (AUCTION, DERIVATIVE, KITE, "15:30:00", "15:20:00", "15:24:30", True),
        (AUCTION, EQUITY, NOBODY, "15:30:00", "15:25:00", "15:29:30", True),
        (CLASSIC, CAS, KITE, "15:15:00", "15:15:00", "15:16:00", False),
        (NEXT, CAS, KITE, "15:15:00", "15:15:00", "15:16:00", False),
        (NEXT, CAS, KITE, "15:25:00", "15:15:00", "15:19:30", True),
        (CLASSIC, EQUITY, NOBODY, "15:30:00", "15:25:00", "15:29:30", True),
        (date(2024, 5, 18), EQUITY, NOBODY, "15:15:00", "12:25:00", "12:29:30", True),
        (date(2024, 5, 18), EQUITY, KITE, "15:15:00", "12:15:00", "12:19:30", True),
    ],
)
def test_the_square_off_starts_at_the_client_s_time_unless_something_ends_too_soon(
    day: date, kind: InstrumentClass, brokers: frozenset[str], wished: str, start: str, flat_by: str, is_early: bool
) -> None:
    plan = square_off_plan(CALENDAR, day, Subject(kind, brokers), time.fromisoformat(wished))

    assert plan.start == at_ist(day, time.fromisoformat(start))
    assert plan.flat_by == at_ist(day, time.fromisoformat(flat_by))
    assert plan.is_early is is_early


def test_the_page_is_told_what_ends_too_soon() -> None:
    plan = square_off_plan(CALENDAR, AUCTION, Subject(CAS, KITE), time(15, 15))

    assert plan.reason == (
        "the broker itself closes intraday positions at 15:14:30 and continuous trading ends at 15:15:00 "
        "(closing auction), so the square-off for 15:15:00 starts at 15:10:00 to be flat by 15:14:00"
    )


def test_the_page_is_told_when_there_is_more_to_close_than_a_minute_takes() -> None:
    plan = square_off_plan(CALENDAR, AUCTION, Subject(EQUITY, KITE), time(15, 15), needed=timedelta(seconds=150))

    assert plan.start == at_ist(AUCTION, time(15, 13, 30))
    assert plan.reason == (
        "closing what is open takes about 150 s, so the square-off for 15:15:00 starts at 15:13:30 "
        "to be flat by 15:16:00"
    )


@pytest.mark.proves("F62")
@pytest.mark.parametrize(("expiry", "flat_by"), [(AUCTION, "15:29:30"), (NEXT, "15:31:00"), (None, "15:31:00")])
def test_a_contract_is_flat_before_it_stops_on_its_last_day(expiry: date | None, flat_by: str) -> None:
    plan = square_off_plan(CALENDAR, AUCTION, Subject(DERIVATIVE, NOBODY, expiry), time(15, 30))

    assert plan.flat_by == at_ist(AUCTION, time.fromisoformat(flat_by))


@pytest.mark.proves("F60")
def test_on_a_day_without_a_session_the_client_s_time_stands() -> None:
    plan = square_off_plan(CALENDAR, date(2027, 3, 1), Subject(CAS, KITE), time(15, 15))

    assert plan.start == at_ist(date(2027, 3, 1), time(15, 15))


@pytest.mark.proves("F62")
def test_the_latest_time_that_a_client_may_choose_is_that_of_what_trades_longest() -> None:
    assert latest_square_off(CALENDAR, AUCTION, KITE) == (
        time(15, 23, 30),
        "the broker itself closes intraday positions at 15:25:00",
    )
    assert latest_square_off(CALENDAR, date(2027, 3, 1), KITE) is None


days = st.dates(date(2024, 1, 1), date(2026, 12, 31))
kinds = st.sampled_from([EQUITY, CAS, DERIVATIVE])
times = st.times(time(9, 16), time(15, 30)).map(lambda moment: moment.replace(microsecond=0))


@pytest.mark.proves("I6")
@given(
    days,
    kinds,
    st.frozensets(st.sampled_from(sorted(RUN_BY))),
    times,
    st.booleans(),
    st.integers(0, 3000),
    st.integers(1, 20),
    st.integers(1, 400),
    st.integers(0, 60),
)
def test_whatever_is_open_it_starts_before_its_deadline_and_ends_before_the_broker_s(
    day: date,
    kind: InstrumentClass,
    brokers: frozenset[str],
    wished: time,
    expires: bool,
    positions: int,
    slices: int,
    per_minute: int,
    round_trip_s: int,
) -> None:
    rate = CallRate(max(1, per_minute // 40), per_minute)
    needed = time_to_flat(ExitWork(positions * slices, 3, slices), rate, round_trip=timedelta(seconds=round_trip_s))
    subject = Subject(kind, brokers, day if expires else None)

    plan = square_off_plan(CALENDAR, day, subject, wished, needed=needed)

    assert plan.start <= plan.flat_by - needed
    assert plan.start <= at_ist(day, wished)
    hours = CALENDAR.find_session(day, kind)
    if hours is not None:
        assert plan.flat_by + MARGIN <= hours.continuous_end
        for broker in brokers:
            row = find_row(RUN_BY[broker], kind, day)
            assert row is None or plan.flat_by + MARGIN <= row.moment(hours)


@given(st.integers(0, 2000), st.integers(0, 200), st.integers(1, 12), st.integers(20, 400))
def test_calls_never_take_less_time_than_the_rate_allows(
    orders: int, cancels: int, per_second: int, per_minute: int
) -> None:
    rate, work = CallRate(per_second, per_minute), ExitWork(orders, cancels, 1)

    took_s = rate.time_for(work.calls).total_seconds()

    assert work.calls <= (took_s // 60 + 1) * per_minute
    assert took_s >= 60 * (work.calls // per_minute)
    assert took_s % 60 * per_second + (took_s // 60) * per_minute >= work.calls or per_second * 60 < per_minute


@pytest.mark.proves("I6")
def test_a_hundred_positions_fit_into_the_minute_after_the_client_s_time() -> None:
    rate = CallRate(8, 300)
    needed = time_to_flat(ExitWork(100, 5, 1), rate, round_trip=timedelta(seconds=2))

    assert needed == timedelta(seconds=47)  # 205 calls at 8 a second, 2 s each, 14 s to re-price, 5 s to verify
    plan = square_off_plan(CALENDAR, AUCTION, Subject(EQUITY, KITE), time(15, 15), needed=needed)
    assert plan.start == datetime.fromisoformat("2026-11-23T15:15:00+05:30")
