"""The instrument dump."""

import csv
import io
from collections import Counter
from datetime import date

import pytest

from tests.exchange.market.conftest import DAY, last_day
from trading.exchange.market import Market, make_market

Rows = list[dict[str, str]]


@pytest.fixture(scope="module")
def rows(finished: Market) -> Rows:
    return list(csv.DictReader(io.StringIO(finished.dump_csv().decode())))


def by_symbol(rows: Rows, exchange: str) -> dict[str, dict[str, str]]:
    return {row["tradingsymbol"]: row for row in rows if row["exchange"] == exchange}


def test_the_dump_has_about_a_hundred_thousand_rows_over_six_exchanges(rows: Rows) -> None:
    count = Counter(row["exchange"] for row in rows)

    assert 90_000 < len(rows) < 115_000
    assert set(count) == {"NSE", "BSE", "NFO", "BFO", "MCX", "CDS"}
    assert min(count.values()) > 3_000


def test_the_columns_are_kites(finished: Market) -> None:
    assert finished.dump_csv("NSE").split(b"\n", 1)[0].decode() == (
        "instrument_token,exchange_token,tradingsymbol,name,last_price,expiry,strike,"
        "tick_size,lot_size,instrument_type,segment,exchange"
    )


def test_every_cell_can_be_read_as_the_sdk_reads_it(rows: Rows) -> None:
    for row in rows:
        int(row["instrument_token"]), int(row["lot_size"])
        float(row["last_price"]), float(row["strike"]), float(row["tick_size"])
        assert not row["expiry"] or len(row["expiry"]) == 10
        assert int(row["instrument_token"]) >> 8 == int(row["exchange_token"])
        assert int(row["instrument_token"]) < 2**31


def test_tokens_and_symbols_are_unique(rows: Rows) -> None:
    assert len({row["instrument_token"] for row in rows}) == len(rows)
    assert len({(row["exchange"], row["tradingsymbol"]) for row in rows}) == len(rows)


def test_the_traded_instruments_stand_there_as_they_trade(finished: Market, rows: Rows) -> None:
    nse = by_symbol(rows, "NSE")

    for instrument in finished.universe.values():
        row = nse[instrument.tradingsymbol]
        assert int(row["instrument_token"]) == instrument.token
        assert float(row["tick_size"]) == float(instrument.tick_size)
        assert (int(row["lot_size"]), row["segment"]) == (instrument.lot_size, instrument.segment)


def test_an_index_row_has_segment_indices_and_neither_tick_nor_lot(rows: Rows) -> None:
    row = by_symbol(rows, "NSE")["NIFTY 50"]

    assert (row["segment"], row["tick_size"], row["lot_size"]) == ("INDICES", "0", "0")
    assert row["instrument_token"] == "256265"


def test_last_prices_are_zero_as_in_a_real_dump(rows: Rows) -> None:
    assert {row["last_price"] for row in rows} == {"0"}


def test_a_share_with_derivatives_has_futures_and_options_around_its_price(finished: Market, rows: Rows) -> None:
    own = [row for row in rows if row["exchange"] == "NFO" and row["name"] == "RELIANCE"]
    close = float(last_day(finished, 738561)[2])

    futures = [row for row in own if row["instrument_type"] == "FUT"]
    strikes = {float(row["strike"]) for row in own if row["instrument_type"] == "CE"}

    assert [row["tradingsymbol"] for row in futures] == ["RELIANCE26NOVFUT", "RELIANCE26DECFUT", "RELIANCE27JANFUT"]
    assert min(strikes) < 0.9 * close < 1.1 * close < max(strikes)
    assert strikes == {float(row["strike"]) for row in own if row["instrument_type"] == "PE"}
    assert {row["lot_size"] for row in own} == {"500"}


def test_expiries_are_trading_days_from_today_on(rows: Rows) -> None:
    nifty = sorted({row["expiry"] for row in rows if row["exchange"] == "NFO" and row["name"] == "NIFTY"})

    # 2026-11-24 is a holiday: its expiry is the Monday before. The others are Tuesdays.
    assert nifty[:3] == ["2026-11-23", "2026-12-01", "2026-12-08"]
    assert all(row["expiry"] >= DAY.isoformat() for row in rows if row["expiry"])


def test_a_weekly_and_a_monthly_option_are_spelled_as_kite_does(rows: Rows) -> None:
    nfo = by_symbol(rows, "NFO")

    assert any(symbol.startswith("NIFTY26D01") and symbol.endswith("CE") for symbol in nfo)
    assert any(symbol.startswith("NIFTY26NOV") and symbol.endswith("PE") for symbol in nfo)


def test_a_share_without_derivatives_has_none(rows: Rows) -> None:
    assert not [row for row in rows if row["exchange"] != "BSE" and row["name"] in ("ABBOTINDIA", "GILLETTE")]
    assert "ABBOTINDIA" in by_symbol(rows, "BSE")


def test_one_exchange_is_asked_for_alone_and_an_unknown_one_has_only_the_header(finished: Market, rows: Rows) -> None:
    nfo = list(csv.DictReader(io.StringIO(finished.dump_csv("NFO").decode())))

    assert nfo == [row for row in rows if row["exchange"] == "NFO"]
    assert finished.dump_csv("XYZ").count(b"\n") == 1


def test_the_same_day_and_seed_give_the_same_dump(finished: Market) -> None:
    assert make_market(DAY, 1).dump_csv() == finished.dump_csv()


def test_a_contract_keeps_its_token_from_day_to_day(rows: Rows) -> None:
    later = list(csv.DictReader(io.StringIO(make_market(date(2026, 11, 26), 1).dump_csv("NFO").decode())))
    before = by_symbol(rows, "NFO")

    kept = [row for row in later if row["tradingsymbol"] in before]
    same = sum(before[row["tradingsymbol"]]["instrument_token"] == row["instrument_token"] for row in kept)

    assert len(kept) > 20_000
    assert same / len(kept) > 0.99


def test_the_old_dump_is_the_file_of_the_day_before(finished: Market) -> None:
    following = make_market(date(2026, 11, 25), 1)  # the 24th is a holiday

    assert following.old_dump_csv("NFO") == finished.dump_csv("NFO")
    assert following.old_dump_csv("NFO") != following.dump_csv("NFO")
