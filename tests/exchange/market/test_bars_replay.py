"""Replay of a folder of real minute bars."""

import gzip
from collections.abc import Callable, Iterable
from datetime import date, time
from decimal import Decimal
from pathlib import Path

import pytest

from tests.exchange.market.conftest import Row, last_day
from trading.domain.timezone import at_ist
from trading.exchange.market import folder_days, make_market
from trading.exchange.market.calendar_hours import CalendarHours
from trading.exchange.market.hours import DAY_MS, midnight_ms

Write = Callable[[str, Iterable[Row]], Path]
THURSDAY = date(2024, 5, 16)
REAL_BARS = Path(__file__).parents[4] / "shared" / "data" / "bars"


def days(*moments: str, price: str = "100.05", volume: int = 1000) -> list[Row]:
    return [(moment, price, "101.20", "99.10", "100.40", volume) for moment in moments]


TWO_DAYS = days("2024-05-15 09:15", "2024-05-15 09:16", "2024-05-16 09:15", "2024-05-16 09:17")


def test_the_first_day_with_a_day_before_it_is_chosen(write_bars: Write) -> None:
    folder = write_bars("INFY", [*TWO_DAYS, *days("2024-05-17 09:15")])

    market = make_market(None, 1, folder)

    assert (market.day, market.previous_day) == (THURSDAY, date(2024, 5, 15))
    assert folder_days(folder, CalendarHours()) == [THURSDAY, date(2024, 5, 17)]


def test_a_named_day_is_replayed_with_the_day_before_as_its_range(write_bars: Write) -> None:
    rows = [("2024-05-15 09:15", "100.00", "103.00", "98.50", "99.00", 10), *days("2024-05-16 09:15")]

    market = make_market(THURSDAY, 1, write_bars("INFY", rows))

    assert last_day(market, 408065) == (Decimal(103), Decimal("98.5"), Decimal(99))
    assert market.quote(408065).close == 990_000


def test_ticks_touch_the_bars_and_a_missing_minute_is_silence(write_bars: Write) -> None:
    market = make_market(THURSDAY, 1, write_bars("INFY", TWO_DAYS))
    market.advance(market.step_times[-1])

    start, end = at_ist(THURSDAY, time()), at_ist(THURSDAY, time(23))
    candles = market.candles(408065, start, end, "minute", midnight_ms(THURSDAY) + DAY_MS)

    expected = (Decimal("100.05"), Decimal("101.2"), Decimal("99.1"), Decimal("100.4"), 1000)
    assert [(each[0].strftime("%H:%M"), each[1:]) for each in candles] == [("09:15", expected), ("09:17", expected)]


def test_the_same_seed_replays_the_same_path_and_another_seed_another(write_bars: Write) -> None:
    folder = write_bars("INFY", TWO_DAYS)
    tape = [make_market(THURSDAY, seed, folder)._states[408065].tape for seed in (1, 1, 2)]

    assert tape[0] == tape[1]
    assert tape[0] != tape[2]


def test_index_files_become_indices_and_shares_keep_their_known_tokens(write_bars: Write) -> None:
    write_bars("NIFTY_50", days("2024-05-15 09:15", "2024-05-16 09:15", volume=0))
    write_bars("ABBOTINDIA", TWO_DAYS)
    market = make_market(THURSDAY, 1, write_bars("INFY", TWO_DAYS))

    nifty, share, other = (market.by_key(f"NSE:{name}") for name in ("NIFTY 50", "INFY", "ABBOTINDIA"))

    assert nifty is not None
    assert share is not None
    assert other is not None
    assert (nifty.token, nifty.segment, nifty.is_tradable) == (256265, "INDICES", False)
    assert (share.token, share.has_derivatives, share.tick_size) == (408065, True, Decimal("0.05"))
    assert (other.token, other.has_derivatives) == (4583169, False)


def test_an_unknown_symbol_gets_a_token_of_its_own_that_never_changes(write_bars: Write) -> None:
    folder = write_bars("MYSHARE", TWO_DAYS)

    tokens = [next(iter(make_market(THURSDAY, seed, folder).instruments)) for seed in (1, 2)]

    assert tokens[0] == tokens[1]
    assert tokens[0] & 0xFF == 1


def test_the_tick_size_comes_from_the_prices(write_bars: Write) -> None:
    rows = [
        ("2024-05-15 09:15", "900.50", "901.00", "900.00", "900.50", 9),
        ("2024-05-16 09:15", "900.50", "900.50", "900.50", "900.50", 9),
    ]

    market = make_market(THURSDAY, 1, write_bars("GILLETTE", rows))

    assert [each.tick_size for each in market.universe.values()] == [Decimal("0.5")]


def test_a_376th_bar_is_replayed_too(write_bars: Write) -> None:
    folder = write_bars("INFY", [*days("2024-05-15 09:15"), *days("2024-05-16 15:29", "2024-05-16 15:30")])
    market = make_market(THURSDAY, 1, folder)

    market.advance(market.step_times[-1])

    assert (market.quote(408065).at_ms - midnight_ms(THURSDAY)) // 60_000 == 15 * 60 + 30
    assert market.quote(408065).volume == 2000


def test_a_saturday_in_two_parts_has_its_phases_and_its_bars(write_bars: Write) -> None:
    saturday = date(2024, 5, 18)
    rows = days("2024-05-17 09:15", "2024-05-18 09:15", "2024-05-18 09:59", "2024-05-18 11:30", "2024-05-18 12:29")

    market = make_market(saturday, 1, write_bars("INFY", rows))

    offsets = {(at_ms - midnight_ms(saturday)) // 60_000 for at_ms in market._states[408065].tape.times}
    assert offsets - {9 * 60 + 8, 9 * 60 + 9} == {9 * 60 + 15, 9 * 60 + 59, 11 * 60 + 30, 12 * 60 + 29}
    assert midnight_ms(saturday) + (10 * 60) * 60_000 in market.step_times


def test_an_operating_range_is_flexed_when_a_real_crash_reaches_it(write_bars: Write) -> None:
    rows = [*days("2024-05-15 09:15"), ("2024-05-16 09:15", "99.00", "99.00", "81.00", "82.00", 5000)]
    market = make_market(THURSDAY, 1, write_bars("INFY", rows))

    market.advance(market.step_times[-1])

    quote = market.quote(408065)
    assert quote.lower_circuit < 810_000 <= quote.low
    assert quote.lower_circuit == 803_500


def test_a_dump_of_full_size_comes_with_a_folder_too(write_bars: Write) -> None:
    dump = make_market(THURSDAY, 1, write_bars("INFY", TWO_DAYS)).dump_csv()

    assert dump.count(b"\n") > 90_000
    assert b"\n408065,1594,INFY,INFOSYS,0,,0,0.05,1,EQ,NSE,NSE\n" in dump
    assert b"INFY24MAYFUT" in dump


def test_a_day_that_is_not_in_the_folder_is_refused_with_the_days_that_are(write_bars: Write) -> None:
    with pytest.raises(ValueError, match=r"2024-05-20 is not in the folder.*2 days, 2024-05-15 to 2024-05-16"):
        make_market(date(2024, 5, 20), 1, write_bars("INFY", TWO_DAYS))


def test_the_first_day_is_refused_because_no_day_lies_behind_it(write_bars: Write) -> None:
    with pytest.raises(ValueError, match=r"no day before it.*choose 2024-05-16 or later"):
        make_market(date(2024, 5, 15), 1, write_bars("INFY", TWO_DAYS))


def test_a_folder_of_one_day_is_refused(write_bars: Write) -> None:
    with pytest.raises(ValueError, match="bars of one day"):
        make_market(None, 1, write_bars("INFY", days("2024-05-15 09:15")))


def test_an_empty_or_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"holds no bars.*<SYMBOL>\.csv\.gz"):
        make_market(None, 1, tmp_path)
    with pytest.raises(ValueError, match="is not a folder"):
        make_market(None, 1, tmp_path / "nowhere")


GOOD = "2024-05-15T09:15:00+05:30,100,101,99,100,5"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1 was 'missing', must be the header ts,open"),
        ("time,o,h,l,c,v\n", "line 1 was 'time,o,h,l,c,v', must be the header"),
        ("ts,open,high,low,close,volume\n", "a header and no bars"),
        (f"ts,open,high,low,close,volume\n{GOOD},7\n", "line 2 .* 7 fields instead of 6"),
        (
            "ts,open,high,low,close,volume\n2024-05-15T09:15:00+05:30,100,99,98,100,5\n",
            "line 2 .* between low and high",
        ),
        ("ts,open,high,low,close,volume\n2024-05-15T09:15:00+05:30,abc,99,98,100,5\n", "'abc' is no price"),
        ("ts,open,high,low,close,volume\n2024-05-15T09:15:00+05:30,-1,99,98,100,5\n", "'-1' is no price"),
        ("ts,open,high,low,close,volume\n2024-05-15T09:15:00+05:30,nan,nan,nan,nan,5\n", "'nan' is no price"),
        ("ts,open,high,low,close,volume\n2024-05-15T09:15:00+05:30,1,1,1,1,2.5\n", "volume '2.5' is no whole number"),
        ("ts,open,high,low,close,volume\n2024-05-15T09:15:00Z,1,1,1,1,2\n", r"not ISO with \+05:30"),
        ("ts,open,high,low,close,volume\n2024-05-15T09:15:30+05:30,1,1,1,1,2\n", "not the start of a minute"),
        (f"ts,open,high,low,close,volume\n{GOOD}\n{GOOD}\n", "line 3 .* not later"),
    ],
)
def test_a_malformed_file_is_named_with_its_line_and_what_is_wrong(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "INFY.csv.gz").write_bytes(gzip.compress(text.encode()))

    with pytest.raises(ValueError, match=rf"INFY\.csv\.gz.*{message}"):
        make_market(None, 1, tmp_path)


def test_a_cut_or_plain_file_is_no_gzip(tmp_path: Path) -> None:
    whole = gzip.compress(GOOD.encode() * 50)
    for broken in (whole[:30], b"ts,open", b""):
        (tmp_path / "INFY.csv.gz").write_bytes(broken)
        with pytest.raises(ValueError, match=r"INFY\.csv\.gz"):
            make_market(None, 1, tmp_path)


@pytest.mark.skipif(not REAL_BARS.is_dir(), reason="the folder ../shared/data/bars of real bars is absent")
def test_a_real_folder_replays_every_bar_of_a_day() -> None:
    market = make_market(THURSDAY, 1, REAL_BARS)

    for token in market.universe:
        candles = market.candles(
            token, at_ist(THURSDAY, time()), at_ist(THURSDAY, time(23)), "minute", midnight_ms(THURSDAY) + DAY_MS
        )
        bars = market._source.bars(token, THURSDAY)
        assert [each[1:] for each in candles] == [
            (*(Decimal(price) / 10_000 for price in bar[1:5]), bar.volume) for bar in bars
        ]
    assert len(market.universe) == 16
