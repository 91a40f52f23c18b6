"""A seeded year: nights with news, shares locked at their circuit, days without a trade, and closes that go on."""

import csv
import json
from datetime import date, time, timedelta
from io import StringIO
from itertools import pairwise
from pathlib import Path
from statistics import median, pstdev

import pytest
from django.core.management import CommandError, call_command

from tests.exchange.known_days import known_market
from trading.domain.orders import Side
from trading.domain.timezone import at_ist
from trading.exchange.market import Market
from trading.exchange.market.calendar_hours import CalendarHours
from trading.exchange.market.candles import epoch_ms
from trading.exchange.market.daychain import DayChain
from trading.exchange.market.generated import FIRST_DAY
from trading.exchange.market.listing import PROFILES
from trading.exchange.market.year import LOWER, UPPER, DayNote, LockNote, year_notes

SEED, YEAR = 810, 2026
NIFTY = 256265
REAL_DAYS = Path(__file__).parents[4] / "shared" / "data" / "day_ranges.csv"


@pytest.fixture(scope="module")
def notes() -> list[DayNote]:
    return list(year_notes(SEED, YEAR))


@pytest.fixture(scope="module")
def chain() -> DayChain:
    calendar = CalendarHours()
    span = (FIRST_DAY + timedelta(days=ahead) for ahead in range((date(YEAR, 12, 31) - FIRST_DAY).days + 1))
    return DayChain(PROFILES, SEED, [day for day in span if calendar.may_trade(day)])


def token_of(market: Market, symbol: str) -> int:
    instrument = market.by_key(f"NSE:{symbol}")
    assert instrument is not None
    return instrument.token


def minute_of(day: date, share: float) -> int:
    """Give the moment a few minutes after this share of a day of 375 minutes."""
    return epoch_ms(at_ist(day, time(9, 15))) + (int(share * 374) + 3) * 60_000


def a_lock(notes: list[DayNote], side: str, *, opens_again: bool) -> tuple[date, LockNote]:
    """Find a lock of the second half of the year that begins in mid-day."""
    for note in notes[120:]:
        for lock in note.locks:
            if lock.side == side and (lock.until < 1) is opens_again and 0.2 < lock.since < 0.6:
                return note.day, lock
    raise AssertionError("the year has no such lock")


@pytest.mark.parametrize("side", [UPPER, LOWER])
def test_a_locked_share_stands_at_its_circuit_with_one_side_of_the_book_until_the_close(
    notes: list[DayNote], side: str
) -> None:
    day, lock = a_lock(notes, side, opens_again=False)
    market = known_market(day, SEED)
    token = token_of(market, lock.symbol)
    market.watch(token)

    market.advance(minute_of(day, lock.since))
    locked = market.quote(token)
    market.advance(epoch_ms(at_ist(day, time(15, 29, 59))))
    closed = market.quote(token)

    missing = Side.SELL if side == UPPER else Side.BUY
    circuit = locked.upper_circuit if side == UPPER else locked.lower_circuit
    for quote in (locked, closed):
        assert quote.ltp == circuit
        assert list(quote.levels(missing)) == []
        assert next(quote.levels(missing.opposite)).price == circuit


def test_the_day_after_a_lock_goes_on_from_the_circuit(notes: list[DayNote]) -> None:
    day, lock = a_lock(notes, UPPER, opens_again=False)
    today, following = (known_market(each, SEED) for each in (day, _next(notes, day)))
    token = token_of(today, lock.symbol)
    today.advance(epoch_ms(at_ist(day, time(15, 59))))

    assert following.quote(token).close == today.quote(token).ltp == today.quote(token).upper_circuit


def test_some_locks_open_again_and_trade_both_ways(notes: list[DayNote]) -> None:
    day, lock = a_lock(notes, UPPER, opens_again=True)
    market = known_market(day, SEED)
    token = token_of(market, lock.symbol)

    market.advance(minute_of(day, lock.since))
    assert not any(market.quote(token).asks[0])
    market.advance(epoch_ms(at_ist(day, time(15, 29, 59))))
    opened = market.quote(token)

    assert opened.asks[0].price
    assert opened.bids[0].price
    assert opened.ltp < opened.upper_circuit


def test_a_share_without_a_trade_stands_at_its_previous_close_and_has_no_candle(notes: list[DayNote]) -> None:
    note = notes[200]
    market = known_market(note.day, SEED)
    token = token_of(market, note.silent[0])

    market.advance(epoch_ms(at_ist(note.day, time(15, 30))))
    quote = market.quote(token)

    assert (quote.volume, quote.open, quote.ltp) == (0, 0, quote.close)
    begun = at_ist(note.day, time())
    assert market.candles(token, begun, begun + timedelta(hours=23), "day", market.step_times[-1]) == []


def test_a_night_with_news_is_seen_in_the_open(notes: list[DayNote]) -> None:
    note, symbol = next((note, symbol) for note in notes for symbol in note.news if symbol == "NIFTY 50")
    market = known_market(note.day, SEED)

    market.advance(epoch_ms(at_ist(note.day, time(9, 15))))

    quote = market.quote(NIFTY)
    assert 100 * (quote.open / quote.close - 1) == pytest.approx(note.gap_percent, abs=0.01)
    assert abs(note.gap_percent - note.news[symbol]) < 1.2
    future = market.by_key(f"NFO:NIFTY{note.day.replace(day=1) + timedelta(days=32):%y%b}FUT".upper())
    assert future is not None
    market.advance(epoch_ms(at_ist(note.day, time(9, 20))))
    followed = market.quote(future.token)
    assert followed.open / followed.close == pytest.approx(quote.open / quote.close, abs=0.004)


def test_closes_go_on_from_day_to_day_through_news_too(chain: DayChain) -> None:
    for before, day in pairwise(chain._plans):
        for token, part in chain[day].instruments.items():
            assert part.previous_close == chain[before].instruments[token].close


def test_gaps_have_the_fat_tails_of_real_ones(chain: DayChain) -> None:
    for profile in PROFILES:
        gaps = [
            100 * (part.open / part.previous_close - 1)
            for plan in chain._plans.values()
            for part in [plan.instruments[profile.listing.token]]
        ]
        assert kurtosis(gaps) > 6, profile.listing.instrument.tradingsymbol
        assert max(map(abs, gaps)) > 5 * pstdev(gaps)


@pytest.mark.skipif(not REAL_DAYS.is_file(), reason="the file ../shared/data/day_ranges.csv of real days is absent")
def test_gaps_and_ranges_are_as_wide_as_those_of_real_days(chain: DayChain) -> None:
    with REAL_DAYS.open() as file:
        real = [row for row in csv.DictReader(file) if row["gap_pct"]]
    made = {
        profile.listing.instrument.tradingsymbol: [
            100 * (part.open / part.previous_close - 1)
            for plan in chain._plans.values()
            for part in [plan.instruments[profile.listing.token]]
        ]
        for profile in PROFILES
    }
    for symbol, name in (("NIFTY_50", "NIFTY 50"), ("HDFCBANK", "HDFCBANK"), ("INFY", "INFY"), ("LT", "LT")):
        gaps = [float(row["gap_pct"]) for row in real if row["symbol"] == symbol]
        assert 0.4 < median(map(abs, made[name])) / median(map(abs, gaps)) < 1.6, symbol
        assert 0.35 < pstdev(made[name]) / pstdev(gaps) < 1.6, symbol
        assert max(map(abs, made[name])) > 0.6 * max(map(abs, gaps)), symbol


def test_a_year_is_told_by_symbol(notes: list[DayNote]) -> None:
    day, lock = a_lock(notes, LOWER, opens_again=False)

    told = list(year_notes(SEED, YEAR, [lock.symbol]))

    assert 0 < len(told) < len(notes)
    assert lock in next(note for note in told if note.day == day).locks
    assert all(note.locks or note.silent for note in told)


def test_locks_are_rare_and_most_of_them_hold(notes: list[DayNote]) -> None:
    locks = [lock for note in notes for lock in note.locks]

    assert 5 < len(locks) / len(notes) < 40  # of about 2,700 shares
    assert 0.6 < sum(lock.until == 1 for lock in locks) / len(locks) < 0.9
    assert 1 <= sum(bool(note.news.get("NIFTY 50")) for note in notes) <= 5


def test_the_command_tells_it_in_lines_and_as_json() -> None:
    lines, rows = StringIO(), StringIO()
    call_command("exchange_year", seed=SEED, year=YEAR, symbol=["RELIANCE"], stdout=lines)
    call_command("exchange_year", seed=SEED, year=2025, symbol=["RELIANCE"], json=True, stdout=rows)

    assert [json.loads(row)["news"].keys() for row in rows.getvalue().splitlines()] == [{"RELIANCE": 0}.keys()]
    assert all("news" in line for line in lines.getvalue().splitlines())


@pytest.mark.parametrize(("options", "words"), [({"symbol": ["NOPE"]}, "NOPE"), ({"year": 2031}, "2031")])
def test_a_bad_question_is_answered_by_one_sentence(options: dict[str, object], words: str) -> None:
    with pytest.raises(CommandError, match=words):
        call_command("exchange_year", stdout=StringIO(), **options)


def kurtosis(values: list[float]) -> float:
    mean, deviation = sum(values) / len(values), pstdev(values)
    return sum((value - mean) ** 4 for value in values) / len(values) / deviation**4


def _next(notes: list[DayNote], day: date) -> date:
    return next(note.day for note in notes if note.day > day)
