"""The instrument dump, read."""

from datetime import date
from decimal import Decimal
from gzip import decompress
from pathlib import Path

import pytest

from tests.brokers.kite.payload import PAYLOADS
from trading.brokers.kite.instruments import parse_dump
from trading.domain.dump import DumpUnreadable
from trading.domain.instruments import Instrument, InstrumentClass, InstrumentType

REAL = Path(__file__).parents[4] / "shared" / "data" / "instruments"
DUMP = (PAYLOADS / "instruments.csv").read_bytes()
HEADER, *LINES = DUMP.decode().splitlines()


def by_key(raw: bytes = DUMP) -> dict[str, Instrument]:
    """Read a dump and give it by key."""
    return {one.key: one for one in parse_dump(raw).instruments}


def test_an_index_is_told_by_its_segment_and_may_have_no_tick_size() -> None:
    nifty = by_key()["NSE:NIFTY 50"]

    assert (nifty.instrument_type, nifty.tick_size, nifty.lot_size) == (InstrumentType.INDEX, Decimal("0.0"), 0)
    assert not nifty.is_tradable


def test_an_option_keeps_strike_lot_and_expiry_in_either_way_of_writing_the_date() -> None:
    option, future = by_key()["NFO:INFY26NOV1560CE"], by_key()["NFO:INFY26NOVFUT"]

    assert (option.instrument_type, option.strike, option.lot_size) == (InstrumentType.CE, Decimal("1560.0"), 400)
    assert option.expiry == future.expiry == date(2026, 11, 24)


def test_currency_prices_stay_exact() -> None:
    put = by_key()["CDS:USDINR26NOV84.5PE"]

    assert (put.tick_size, put.strike) == (Decimal("0.0025"), Decimal("84.5"))


def test_a_share_has_derivatives_when_a_contract_names_it_as_its_underlying_on_either_exchange() -> None:
    dump = by_key()

    assert dump["NSE:INFY"].instrument_class is InstrumentClass.EQUITY_CAS
    assert dump["BSE:INFY"].has_derivatives
    assert dump["NSE:ABBOTINDIA"].instrument_class is InstrumentClass.EQUITY
    assert not dump["NFO:INFY26NOVFUT"].has_derivatives


def test_a_name_with_a_comma_is_one_field() -> None:
    assert by_key()["NSE:ABBOTINDIA"].name == "ABBOTT INDIA, LTD"


@pytest.mark.parametrize(
    "bad",
    [
        "1,1,X,X,0,,0,0.05,1,EQ,NSE,NASDAQ",
        "1,1,X,X,0,,0,0.05,1,SWAP,NSE,NSE",
        "1,1,X,X,0,,0,0,1,EQ,NSE,NSE",
        "1,1,X,X,0,,0,0.05,0,EQ,NSE,NSE",
        "x,1,X,X,0,,0,0.05,1,EQ,NSE,NSE",
        "1,1,,X,0,,0,0.05,1,EQ,NSE,NSE",
        "1,1,X,X,0,2026-13-01,0,0.05,1,FUT,NFO-FUT,NFO",
        "1,1,X,X,0,,0,0.05,1,FUT,NFO-FUT,NFO",
        "1,1,X,X,0,,0,nan,1,EQ,NSE,NSE",
        "1,1,X",
    ],
)
def test_a_row_that_cannot_be_trusted_is_left_out_and_named(bad: str) -> None:
    dump = parse_dump("\n".join([HEADER, bad, *LINES, ""]).encode())

    assert len(dump.instruments) == len(LINES)
    assert len(dump.problems) == 1
    assert dump.problems[0].startswith("line 2: ")


def test_a_symbol_that_is_there_twice_is_left_out_both_times() -> None:
    twin = LINES[1].replace("408065", "408321")

    dump = parse_dump("\n".join([HEADER, *LINES, twin, ""]).encode())

    assert "NSE:INFY" not in {one.key for one in dump.instruments}
    assert dump.problems == ("NSE:INFY is there 2 times",) * 2
    assert dump.row_count == len(LINES) + 1


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "empty"),
        (b"\xff\xfe\x00", "UTF-8"),
        (b"<html>gateway</html>\n", "columns were missing"),
        (DUMP.replace(b"tick_size", b"ticksize"), "columns were missing: tick_size"),
        (DUMP[:-30], "last line is cut"),
    ],
)
def test_a_file_that_is_no_whole_dump_is_refused(raw: bytes, words: str) -> None:
    with pytest.raises(DumpUnreadable, match=words):
        parse_dump(raw)


@pytest.mark.skipif(not REAL.is_dir(), reason="the recorded dumps are not beside this checkout")
@pytest.mark.parametrize(
    ("name", "rows", "underlyings"),
    [
        ("kite_BSE_NSE_NFO_2024-04.csv.gz", 31_373, 363),
        ("kite_NFO_2025-07.csv.gz", 36_340, 0),
        ("kite_NFO_2026-01.csv.gz", 38_955, 0),
        ("kite_NSE_2026-01.csv.gz", 9_081, 0),
    ],
)
def test_recorded_dumps_are_read_without_a_problem(name: str, rows: int, underlyings: int) -> None:
    dump = parse_dump(decompress((REAL / name).read_bytes()))

    assert (len(dump.instruments), dump.problems) == (rows, ())
    assert sum(one.has_derivatives for one in dump.instruments) == underlyings
