"""The whole dump through the real SDK: 3,000 instruments of all segments, quotes and orders of contracts."""

import asyncio
import csv
import io
import json
from datetime import date, time
from typing import Any

import aiohttp
import pytest
from kiteconnect import KiteTicker

from tests.exchange.fakes import Desk, Times
from tests.exchange.kite.served import Served, serving
from tests.exchange.kite.test_ticker import url
from tests.exchange.known_days import known_market
from trading.domain.timezone import at_ist
from trading.exchange.faults import Faults
from trading.exchange.kite.feed import Feed
from trading.exchange.market import Market
from trading.exchange.market.candles import epoch_ms

DAY = date(2026, 11, 23)
AT = time(9, 25)
MOST = 3000
Rows = list[dict[str, str]]


@pytest.fixture(scope="module")
def market() -> Market:
    """The default seed's day, ten minutes after the open."""
    made = known_market(DAY, 810)
    made.advance(epoch_ms(at_ist(DAY, AT)))
    return made


@pytest.fixture(scope="module")
def rows(market: Market) -> Rows:
    return list(csv.DictReader(io.StringIO(market.dump_csv().decode())))


def desk(market: Market) -> Desk:
    return Desk(market=market, times=Times(AT, DAY))  # type: ignore[arg-type]


def parsed(frame: bytes) -> list[dict[str, Any]]:
    ticks: list[dict[str, Any]] = KiteTicker("key", "token")._parse_binary(frame)
    return ticks


async def test_a_great_subscription_lets_others_have_their_turn(rows: Rows) -> None:
    fresh = known_market(DAY, 810)
    fresh.advance(epoch_ms(at_ist(DAY, AT)))
    contracts = [int(row["instrument_token"]) for row in rows if row["exchange"] == "NFO"][:500]
    preparing = asyncio.create_task(Feed(desk(fresh).venue, Faults()).prepare(contracts))
    turns = 0
    while not preparing.done():
        await asyncio.sleep(0)
        turns += 1

    assert turns >= 9


async def test_three_thousand_instruments_of_all_segments_are_read_by_the_sdk_as_they_are_quoted(
    market: Market, rows: Rows
) -> None:
    tokens = [int(row["instrument_token"]) for row in rows[:: len(rows) // MOST]][:MOST]
    async with serving(desk(market)) as served, aiohttp.ClientSession() as http, http.ws_connect(url(served)) as socket:
        await socket.send_str(json.dumps({"a": "subscribe", "v": tokens}))
        await socket.send_str(json.dumps({"a": "mode", "v": ["full", tokens]}))
        ticks: dict[int, dict[str, Any]] = {}
        while sum(tick["mode"] == "full" for tick in ticks.values()) < MOST:
            message = await socket.receive(timeout=200)
            if message.type is aiohttp.WSMsgType.BINARY and len(message.data) > 4:
                ticks.update((tick["instrument_token"], tick) for tick in parsed(message.data))

    assert ticks.keys() == set(tokens)
    for token, tick in ticks.items():
        quote, instrument = market.quote(token), market.instruments[token]
        assert tick["tradable"] is instrument.is_tradable
        assert tick["last_price"] == quote.ltp / 10_000, instrument.key
        assert tick["ohlc"]["close"] == quote.close / 10_000
        if instrument.is_tradable:
            assert (tick["oi"], tick["oi_day_high"], tick["oi_day_low"]) == (
                quote.oi, quote.oi_day_high, quote.oi_day_low,
            )  # fmt: skip
            assert tick["volume_traded"] == min(quote.volume, 2**32 - 1)
            assert [level["price"] for level in tick["depth"]["buy"]] == [level.price / 10_000 for level in quote.bids]
    segments = {market.instruments[token].exchange for token in tokens}
    assert segments == {"NSE", "BSE", "NFO", "BFO", "MCX", "CDS"}


async def test_what_is_subscribed_ticks_on_and_what_is_not_does_not(market: Market, rows: Rows) -> None:
    fresh = known_market(DAY, 810)
    fresh.advance(epoch_ms(at_ist(DAY, AT)))
    token = next(int(row["instrument_token"]) for row in rows if row["tradingsymbol"] == "BANKNIFTY26DECFUT")
    async with serving(desk(fresh)) as served, aiohttp.ClientSession() as http, http.ws_connect(url(served)) as socket:
        await socket.send_str(json.dumps({"a": "subscribe", "v": [token]}))
        first: list[dict[str, Any]] = []
        while not first:
            message = await socket.receive(timeout=100)
            first = parsed(message.data) if message.type is aiohttp.WSMsgType.BINARY and len(message.data) > 4 else []
        quotes = [
            quote for second in range(1, 121) for quote in fresh.advance(epoch_ms(at_ist(DAY, AT)) + second * 1000)
        ]

    assert first[0]["instrument_token"] == token
    assert {quote.token for quote in quotes} - set(fresh.universe) == {token}


async def call(served: Served, method: Any, *arguments: Any, **words: Any) -> Any:
    return await served.call(method, *arguments, **words)


async def test_quotes_of_contracts_say_open_interest_depth_and_circuits(market: Market, rows: Rows) -> None:
    keys = [f"NFO:{row['tradingsymbol']}" for row in rows if row["exchange"] == "NFO"][::200][:200]
    async with serving(desk(market)) as served:
        kite = served.kite()
        quotes = await call(served, kite.quote, keys)

    assert quotes.keys() == set(keys)
    assert sum(row["oi"] > 0 for row in quotes.values()) > 60
    for key, row in quotes.items():
        assert row["oi_day_low"] <= row["oi"] <= row["oi_day_high"], key
        assert row["lower_circuit_limit"] <= row["last_price"] <= row["upper_circuit_limit"], key
        prices = [level["price"] for level in row["depth"]["sell"] if level["price"]]
        assert prices == sorted(prices)


async def test_contracts_of_every_segment_can_be_bought_and_stand_in_the_positions(market: Market) -> None:
    wishes = {
        "NFO:NIFTY26DECFUT": 65, "NFO:RELIANCE26DECFUT": 500, "BFO:SENSEX26NOVFUT": 20, "MCX:CRUDEOIL26NOVFUT": 1,
        "CDS:USDINR26NOVFUT": 1000, "NSE:ABB": 10, "BSE:INFY": 5,
    }  # fmt: skip
    async with serving(desk(market)) as served:
        kite = served.kite()
        for key, quantity in wishes.items():
            exchange, symbol = key.split(":")
            await call(
                served, kite.place_order, "regular", exchange, symbol, "BUY", quantity, "MIS", "MARKET",
                market_protection=-1,
            )  # fmt: skip
        orders = await call(served, kite.orders)
        positions = await call(served, kite.positions)

    assert {(one["tradingsymbol"], one["status"], one["status_message"]) for one in orders} == {
        (key.split(":")[1], "COMPLETE", None) for key in wishes
    }
    assert {f"{one['exchange']}:{one['tradingsymbol']}": one["quantity"] for one in positions["net"]} == wishes


async def test_candles_of_a_contract_tell_open_interest_when_asked(market: Market) -> None:
    future = market.by_key("NFO:NIFTY26DECFUT")
    assert future is not None
    quote = market.quote(future.token)
    async with serving(desk(market)) as served:
        kite = served.kite()
        today = await call(served, kite.historical_data, future.token, DAY, DAY, "minute", oi=True)
        days = await call(served, kite.historical_data, future.token, date(2026, 11, 16), DAY, "day", oi=True)
        plain = await call(served, kite.historical_data, future.token, DAY, DAY, "minute")

    assert (today[0]["oi"], today[-1]["oi"]) == (quote.oi_day_low, quote.oi)
    assert len({one["oi"] for one in days}) == len(days) > 4
    assert days[-1]["oi"] == quote.oi
    assert "oi" not in plain[0]
