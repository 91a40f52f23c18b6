"""Searching the simulated exchange's whole dump, about 100,000 rows, in a real Redis."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
import redis as redis_client

from trading.brokers.kite.instruments import parse_dump
from trading.domain.instruments import Instrument
from trading.exchange.market import make_market
from trading.marketdata.search import IndexMissing, InstrumentIndex

DAY = date(2026, 11, 23)
QUERIES = ("INFY", "rel", "nifty", "bank nifty", "nifty 26000 ce", "tata mot", "n", "e", "hdfc bank", "infy ce", "zzzz")
COMMANDS, COMMANDS_A_WORD = 2, 6
"""How long a search takes is measured by `make bench`; that it stays so is held by what it asks of the server."""


@pytest.fixture(scope="module")
def instruments() -> tuple[Instrument, ...]:
    """Give every row of the day's dump."""
    return parse_dump(make_market(DAY, 810).dump_csv(None)).instruments


@pytest.fixture
def index(redis_server: str, instruments: tuple[Instrument, ...]) -> Iterator[InstrumentIndex]:
    """Give the whole index, built when it is first asked for or was flushed by another test."""
    with redis_client.Redis.from_url(redis_server, db=5) as client:
        built = InstrumentIndex(client, "kite")
        built.build(instruments, "2026-11-23-a")
        yield built


def keys(index: InstrumentIndex, text: str) -> list[str]:
    """Give the keys of what was found."""
    return [one.key for one in index.search(text)]


@pytest.fixture
def small(redis: Any) -> InstrumentIndex:
    """Give an index nobody has built yet."""
    return InstrumentIndex(redis, "kite")


def test_the_exact_symbol_comes_first_then_its_contracts_nearest_expiry_first(index: InstrumentIndex) -> None:
    found = keys(index, "infy")

    assert found[:5] == ["NSE:INFY", "BSE:INFY", "NFO:INFY26NOVFUT", "NFO:INFY26DECFUT", "NFO:INFY27JANFUT"]
    assert len(found) == 25


def test_a_prefix_finds_the_share_before_its_contracts(index: InstrumentIndex) -> None:
    assert keys(index, "rel")[:3] == ["NSE:RELIANCE", "BSE:RELIANCE", "NFO:RELIANCE26NOVFUT"]
    assert keys(index, "RELIANCE26NOVF") == ["NFO:RELIANCE26NOVFUT"]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("NIFTY 50", "NSE:NIFTY 50"),
        ("nifty bank", "NSE:NIFTY BANK"),
        ("bank nifty", "NSE:NIFTY BANK"),
        ("hdfc bank", "NSE:HDFCBANK"),
        ("abbott", "NSE:ABBOTINDIA"),
        ("tata mot", "NSE:TATAMOTORS"),
        ("nifty 26000 ce", "NFO:NIFTY26NOV26000CE"),
        ("reliance fut", "NFO:RELIANCE26NOVFUT"),
        ("infy bse", "BSE:INFY"),
    ],
)
def test_words_are_found_in_any_place(index: InstrumentIndex, text: str, first: str) -> None:
    assert keys(index, text)[0] == first


def test_neighbours_typed_apart_are_found_together(index: InstrumentIndex) -> None:
    assert any(key.startswith("NFO:BANKNIFTY") for key in keys(index, "bank nifty"))


def test_type_words_only_narrow_down(index: InstrumentIndex) -> None:
    puts = keys(index, "infy pe")

    assert puts
    assert all(key.startswith("NFO:INFY") and key.endswith("PE") for key in puts)


@pytest.mark.parametrize("text", ["", "   ", "zzzz", "infy zzzz", "\x00", "[", "(*", "\N{DEVANAGARI LETTER A}"])
def test_nothing_is_found_without_a_sense(index: InstrumentIndex, text: str) -> None:
    assert keys(index, text) == []


def test_a_hit_is_the_whole_instrument(index: InstrumentIndex, instruments: tuple[Instrument, ...]) -> None:
    by_key = {one.key: one for one in instruments}

    assert index.get(["NSE:INFY", "NSE:NOBODY", "NFO:INFY26NOVFUT"]) == {
        key: by_key[key] for key in ("NSE:INFY", "NFO:INFY26NOVFUT")
    }
    assert index.search("infy")[0].has_derivatives


@pytest.mark.parametrize("text", QUERIES)
def test_a_search_asks_redis_a_few_times_however_many_instruments_there_are(
    text: str, index: InstrumentIndex, redis_server: str, instruments: tuple[Instrument, ...]
) -> None:
    assert len(instruments) > 95_000
    with redis_client.Redis.from_url(redis_server) as client:
        before = client.info("stats")["total_commands_processed"]
        index.search(text)
        asked = client.info("stats")["total_commands_processed"] - before - 1  # the second INFO

    assert asked <= COMMANDS + COMMANDS_A_WORD * len(text.split())


def test_without_an_index_it_is_said_so(small: InstrumentIndex) -> None:
    with pytest.raises(IndexMissing):
        small.search("infy")
    with pytest.raises(IndexMissing):
        small.get(["NSE:INFY"])


def test_a_new_version_takes_the_old_ones_place_and_leaves_nothing_of_it(
    small: InstrumentIndex, redis: Any, instruments: tuple[Instrument, ...]
) -> None:
    by_key = {one.key: one for one in instruments}
    small.build([by_key["NSE:INFY"], by_key["NSE:SBIN"]], "v1")

    small.build([by_key["NSE:INFY"], by_key["NFO:INFY26NOVFUT"]], "v2")

    assert small.version() == "v2"
    assert [one.key for one in small.search("sbin")] == []
    assert [one.key for one in small.search("infy")] == ["NSE:INFY", "NFO:INFY26NOVFUT"]
    assert list(redis.scan_iter("instruments:*v1*")) == []
    assert {redis.ttl(name) for name in redis.scan_iter("instruments:*")} == {-1}


def test_while_a_version_is_built_the_old_one_answers_and_a_broken_build_vanishes_by_itself(
    small: InstrumentIndex, redis: Any, instruments: tuple[Instrument, ...]
) -> None:
    small.build(instruments[:10], "v1")
    before = [one.key for one in small.search(instruments[0].tradingsymbol)]

    def broken() -> Iterator[Instrument]:
        yield from instruments[:1000]
        raise ConnectionError("Redis went away")

    with pytest.raises(ConnectionError):
        small.build(broken(), "v2")  # type: ignore[arg-type]

    assert small.version() == "v1"
    assert [one.key for one in small.search(instruments[0].tradingsymbol)] == before
    assert all(0 < redis.ttl(name) <= 900 for name in redis.scan_iter("instruments:*v2*"))
    small.build(instruments[:20], "v2")
    assert small.version() == "v2"


def test_building_the_version_in_use_again_does_nothing(
    small: InstrumentIndex, redis: Any, instruments: tuple[Instrument, ...]
) -> None:
    small.build(instruments[:5], "v1")
    small.build(instruments[:9], "v1")

    assert small.version() == "v1"
    assert redis.hlen("instruments:kite:v1:rows") == 5
