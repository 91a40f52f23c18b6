"""The socket by which prices come in, and what an exchange at live prices refuses."""

import asyncio
from datetime import time, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.exchange.fakes import DAY, INFY, NIFTY, SBIN
from tests.exchange.live.paper import ALL, NOBODY_WISHES, Paper, Wall, batch, full, hello, live
from tests.exchange.running import make, running
from trading.exchange.days import DayWish
from trading.exchange.live_server import LiveExchange
from trading.exchange.server import ExchangeOptions

GOOD = hello(Wall())


async def refusal_of(paper: Paper, *messages: dict[str, Any] | bytes) -> str:
    """Send these as a new feeder and give the reason for which the exchange hung up."""
    async with paper.new_feeder() as feeder:
        for message in messages:
            await (feeder.send_bytes(message) if isinstance(message, bytes) else feeder.send_json(message))
        closing = await feeder.receive(timeout=30)
    assert closing.type is aiohttp.WSMsgType.CLOSE, closing
    return str(closing.extra)


@pytest.mark.parametrize(
    ("messages", "reason"),
    [
        ((b"\x00",), "the first message must name the day"),
        (({"day": "2026-11-23"},), "must be an object with day, now_ms and a list of instruments"),
        ((GOOD | {"now_ms": "soon"},), "now_ms must be whole epoch milliseconds"),
        ((GOOD | {"day": "2026-11-20"},), "the prices were of 2026-11-20, today is 2026-11-23 here"),
        ((GOOD | {"instruments": [{"exchange": "NSE"}]},), "an instrument's row cannot be read"),
        ((GOOD, b"\x00\x00"), "a message of prices was cut after 2 bytes"),
        ((GOOD, batch(1, full(INFY, 1500, 0)[:44])), "a packet must be full"),
        ((GOOD, batch(1, full(INFY, 1500, 0)) + b"\x00"), "a message of prices was 197 bytes long"),
        ((GOOD, batch(1, full(INFY, 1500, 0)[:32])), "NSE:INFY cannot have a packet of 32 bytes"),
    ],
)
async def test_what_cannot_be_understood_ends_the_connection_with_a_sentence(
    tmp_path: Path, messages: tuple[dict[str, Any] | bytes, ...], reason: str
) -> None:
    async with live(tmp_path, is_fed=False) as paper:
        assert reason in await refusal_of(paper, *messages)


async def test_the_newest_feeder_wins(tmp_path: Path) -> None:
    async with live(tmp_path) as paper:
        first = paper.feeder
        async with paper.new_feeder() as second:
            await second.send_json(GOOD)
            closing = await first.receive(timeout=30)
            await paper.tell(INFY, 1500)

    assert closing.extra == "another feeder came"


async def test_prices_go_out_again_as_they_came_in(tmp_path: Path) -> None:
    async with live(tmp_path) as paper:
        asks, bids = (("1500.05", 100), ("1500.10", 7)), (("1500", 9),)
        packet = full(INFY, "1500.05", paper.wall.ms, asks=asks, bids=bids)
        user = paper.info["users"][0]
        url = f"{paper.info['ws']}/?api_key={user['api_key']}&access_token={user['access_token']}"
        async with aiohttp.ClientSession() as session, session.ws_connect(url) as ticker:
            await paper.tell(INFY, "1500.05", asks=asks, bids=bids)
            await ticker.send_json({"a": "subscribe", "v": [INFY.token]})
            await ticker.send_json({"a": "mode", "v": ["full", [INFY.token]]})
            for _ in range(2):
                await ticker.receive_str(timeout=30)  # every connection begins with two text frames
            frames = [await ticker.receive_bytes(timeout=30) for _ in range(2)]

    assert frames[1].endswith(packet)


async def test_todays_candles_are_folded_from_what_was_heard(tmp_path: Path) -> None:
    wall = Wall()
    async with live(tmp_path, wall) as paper:
        for seconds, price in ((0, "25000"), (20, "25010"), (40, "24990"), (65, "25001")):
            wall.now = Wall().now + timedelta(seconds=seconds)
            await paper.tell(NIFTY, price)
        kite = paper.kite()
        minutes = await asyncio.to_thread(kite.historical_data, NIFTY.token, DAY, DAY, "minute")
        days = await asyncio.to_thread(kite.historical_data, NIFTY.token, DAY - timedelta(days=9), DAY, "day")

    assert [(f"{one['date']:%H:%M}", one["open"], one["high"], one["low"], one["close"]) for one in minutes] == [
        ("10:00", 25000, 25010, 24990, 24990),
        ("10:01", 25001, 25001, 25001, 25001),
    ]
    assert [f"{one['date']:%Y-%m-%d}" for one in days] == ["2026-11-23"]


async def test_it_lists_the_instruments_that_the_feeder_named(tmp_path: Path) -> None:
    async with live(tmp_path, is_fed=False) as paper, paper.new_feeder() as feeder:
        await feeder.send_json(hello(paper.wall, [INFY]))
        await feeder.send_json(hello(paper.wall, [SBIN, NIFTY]))
        await paper.tell(SBIN, 1500)
        rows = await asyncio.to_thread(paper.kite().instruments, "NSE")

    assert [(one["tradingsymbol"], one["tick_size"], one["segment"]) for one in rows] == [
        ("INFY", 0.05, "NSE"),
        ("SBIN", 0.05, "NSE"),
        ("NIFTY 50", 0, "INDICES"),
    ]


async def test_its_clock_takes_no_orders_and_nobody_takes_part(tmp_path: Path) -> None:
    async with live(tmp_path) as paper:
        for order in ({"hold": True}, {"speed": 2}, {"run_until": "15:00:00"}, {"pace": "hold"}):
            assert await paper.ask("POST", "/clock", order) == (
                400,
                {"error": "an exchange at live prices follows real time: its clock takes no orders"},
            )
        status, answer = await paper.ask("GET", "/participate?name=engine&role=engine")

    assert (status, answer["error"]) == (
        400,
        "an exchange at live prices waits for nobody: there is nothing to take part in",
    )


async def test_a_ledger_goes_on_only_with_its_own_kind_of_prices(tmp_path: Path) -> None:
    async with live(tmp_path / "live"):
        pass
    async with running(tmp_path / "made"):
        pass

    with pytest.raises(ValueError, match="was traded at live prices; start with --live, or"):
        make(tmp_path / "live", wish=NOBODY_WISHES)
    with pytest.raises(ValueError, match="was traded on a generated or replayed day, not live"):
        live_with(tmp_path / "made")
    async with live(tmp_path / "made", is_fresh=True) as paper:
        assert paper.info["live"]


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"wish": DayWish(None, 7, None)}, "neither seed nor bars"),
        ({"wish": DayWish(DAY, None, None)}, "live prices are of today"),
        ({"speed": 60}, "come at speed 1"),
    ],
)
def test_options_of_a_made_market_are_refused(tmp_path: Path, more: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        live_with(tmp_path, **more)


def live_with(folder: Path, **more: Any) -> LiveExchange:
    """Build one and start nothing."""
    options = ExchangeOptions(folder, DAY, **({"wish": NOBODY_WISHES} | more))
    return LiveExchange(options, monotonic=lambda: 0.0, wall=Wall(time(10)))


async def test_before_a_weekend_is_over_it_stands_at_the_next_trading_day(tmp_path: Path) -> None:
    wall = Wall(time(11))
    wall.now = wall.now.replace(day=21)  # a Saturday
    async with live(tmp_path, wall) as paper:  # its feeder names the Saturday
        now = await paper.clock_now()

    assert (now["day"], now["phase"], now["finished"]) == ("2026-11-23", "pre_market", False)
    assert now["feed"]["instruments"] == len(ALL)


def test_all_instruments_of_these_tests_have_rows() -> None:
    assert len(GOOD["instruments"]) == len(ALL)
