"""Hours and phases of each regime, as the circulars of regulator and exchanges date them."""

from datetime import date, time
from itertools import pairwise

import pytest

from trading.domain.calendar import MarketCalendar
from trading.domain.instruments import InstrumentClass
from trading.domain.orders import OrderType
from trading.domain.sessions import Phase, SessionRow, parse_rows
from trading.domain.timezone import at_ist

CALENDAR = MarketCalendar.load()
CLASSIC, AUCTION, NEXT = date(2024, 5, 16), date(2026, 11, 23), date(2026, 12, 7)
EQUITY, CAS = InstrumentClass.EQUITY, InstrumentClass.EQUITY_CAS
DERIVATIVE, INDEX = InstrumentClass.DERIVATIVE, InstrumentClass.INDEX
LIMIT, MARKET, SL = OrderType.LIMIT, OrderType.MARKET, OrderType.SL


@pytest.mark.parametrize(
    ("day", "instrument_class", "continuous_end", "close"),
    [
        (CLASSIC, EQUITY, "15:30", "15:30"),
        (CLASSIC, CAS, "15:30", "15:30"),
        (CLASSIC, DERIVATIVE, "15:30", "15:30"),
        (date(2026, 7, 31), CAS, "15:30", "15:30"),
        (date(2026, 8, 3), CAS, "15:15", "15:35"),
        (AUCTION, EQUITY, "15:30", "15:30"),
        (AUCTION, CAS, "15:15", "15:35"),
        (AUCTION, DERIVATIVE, "15:40", "15:40"),
        (AUCTION, INDEX, "15:30", "15:30"),
        (date(2026, 12, 4), CAS, "15:15", "15:35"),
        (NEXT, CAS, "15:30", "15:40"),
        (NEXT, DERIVATIVE, "15:45", "15:45"),
        (NEXT, EQUITY, "15:30", "15:30"),
    ],
)
def test_each_regime_ends_when_its_circular_says(
    day: date, instrument_class: InstrumentClass, continuous_end: str, close: str
) -> None:
    hours = CALENDAR.session(day, instrument_class)

    assert hours.open == at_ist(day, time(9, 15))
    assert hours.continuous_end == at_ist(day, time.fromisoformat(continuous_end))
    assert hours.close == at_ist(day, time.fromisoformat(close))


@pytest.mark.proves("F61")
@pytest.mark.parametrize(
    ("at", "phase", "types"),
    [
        ("08:59:59", Phase.CLOSED, set()),
        ("09:00:00", Phase.PRE_OPEN, {LIMIT, MARKET}),
        ("09:05:00", Phase.PRE_OPEN, {LIMIT}),
        ("09:10:00", Phase.PRE_OPEN, set()),
        ("09:15:00", Phase.CONTINUOUS, {LIMIT, MARKET, SL}),
        ("15:14:59", Phase.CONTINUOUS, {LIMIT, MARKET, SL}),
        ("15:15:00", Phase.CAS_REFERENCE, set()),
        ("15:20:00", Phase.CAS_ENTRY, {LIMIT, MARKET}),
        ("15:25:00", Phase.CAS_LIMIT_ONLY, {LIMIT}),
        ("15:30:00", Phase.CAS_MATCHING, set()),
        ("15:35:00", Phase.CLOSED, set()),
        ("15:50:00", Phase.POST_CLOSE, {LIMIT, MARKET}),
        ("16:00:00", Phase.CLOSED, set()),
    ],
)
def test_a_stock_with_a_closing_auction_passes_its_phases(at: str, phase: Phase, types: set[OrderType]) -> None:
    moment = at_ist(AUCTION, time.fromisoformat(at))

    assert CALENDAR.phase_at(moment, CAS) is phase
    assert CALENDAR.allowed_order_types(moment, CAS) == types


@pytest.mark.parametrize(("day", "types"), [(date(2026, 9, 4), {LIMIT, MARKET}), (date(2026, 9, 7), {LIMIT})])
def test_the_pre_open_takes_market_orders_until_09_05_only_since_september_2026(
    day: date, types: set[OrderType]
) -> None:
    assert CALENDAR.allowed_order_types(at_ist(day, time(9, 6)), EQUITY) == types


@pytest.mark.proves("F60")
def test_a_split_saturday_has_two_parts_with_a_pause_between() -> None:
    day = date(2024, 5, 18)
    hours = CALENDAR.session(day, EQUITY)

    assert hours.parts == (
        (at_ist(day, time(9, 15)), at_ist(day, time(10))),
        (at_ist(day, time(11, 30)), at_ist(day, time(12, 30))),
    )
    assert (hours.open, hours.continuous_end) == (at_ist(day, time(9, 15)), at_ist(day, time(12, 30)))
    assert CALENDAR.phase_at(at_ist(day, time(10, 30)), EQUITY) is Phase.CLOSED


@pytest.mark.proves("F60")
@pytest.mark.parametrize(
    ("day", "opens"),
    [(date(2024, 11, 1), "18:00"), (date(2025, 10, 21), "13:45"), (date(2026, 11, 8), "18:15")],
)
def test_a_muhurat_session_lasts_one_hour(day: date, opens: str) -> None:
    hours = CALENDAR.session(day, EQUITY)

    assert hours.open == at_ist(day, time.fromisoformat(opens))
    assert (hours.continuous_end - hours.open).total_seconds() == 3600
    assert not hours.is_confirmed


def test_an_open_weekend_day_without_rows_of_its_own_has_normal_hours() -> None:
    assert CALENDAR.session(date(2025, 2, 1), EQUITY).continuous_end == at_ist(date(2025, 2, 1), time(15, 30))


def test_hours_that_rest_on_one_source_say_so() -> None:
    assert CALENDAR.session(CLASSIC, CAS).is_confirmed
    assert not CALENDAR.session(NEXT, DERIVATIVE).is_confirmed


def test_derivatives_have_no_pre_open_of_ours_and_stocks_begin_at_nine() -> None:
    assert CALENDAR.session(AUCTION, DERIVATIVE).pre_open_start is None
    assert CALENDAR.session(AUCTION, CAS).pre_open_start == at_ist(AUCTION, time(9))


def test_phases_of_a_day_never_overlap() -> None:
    for day in (CLASSIC, date(2024, 5, 18), date(2026, 8, 3), AUCTION, NEXT, date(2026, 11, 8)):
        for instrument_class in InstrumentClass:
            phases = CALENDAR.session(day, instrument_class).phases
            for earlier, later in pairwise(phases):
                assert earlier.end <= later.start, (day, instrument_class)


def test_a_row_that_ends_before_it_starts_is_refused() -> None:
    with pytest.raises(ValueError, match="must end after its start"):
        SessionRow(EQUITY, AUCTION, None, Phase.CONTINUOUS, time(10), time(10), frozenset())
    with pytest.raises(ValueError, match="was valid from"):
        SessionRow(EQUITY, AUCTION, CLASSIC, Phase.CONTINUOUS, time(9), time(10), frozenset())


def test_an_unknown_word_in_a_row_is_refused() -> None:
    record = {
        "instrument_classes": "equity",
        "valid_from": "2026-01-01",
        "valid_to": "",
        "phase": "lunch",
        "start": "09:00:00",
        "end": "10:00:00",
        "order_types": "LIMIT",
        "status": "confirmed",
        "source": "",
    }

    with pytest.raises(ValueError, match="lunch"):
        parse_rows([record])
