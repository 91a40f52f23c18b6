"""A whole exchange: what a start refuses and what it never loses."""

import asyncio
import socket
from pathlib import Path

import pytest

from tests.exchange.running import DAY, NOBODY_WISHES, make, running
from trading.exchange.days import DayWish
from trading.exchange.state import StateFile

ORDER = {
    "variety": "regular",
    "exchange": "NSE",
    "tradingsymbol": "RELIANCE",
    "transaction_type": "BUY",
    "quantity": 1,
    "product": "MIS",
}
MARKET = ORDER | {"order_type": "MARKET", "market_protection": -1}
LIMIT = ORDER | {"order_type": "LIMIT"}


async def test_a_refused_fresh_start_erases_nothing(tmp_path: Path) -> None:
    async with running(tmp_path) as first:
        identity = first.info["exchange_id"]
    with socket.create_server(("127.0.0.1", 0)) as taken:
        for bad in (
            {"wish": DayWish(DAY.replace(day=22), None, None)},
            {"speed": 601},
            {"pace": "quick"},
            {"wish": DayWish(None, None, tmp_path / "no bars")},
            {"ports": (taken.getsockname()[1], 0, 0)},
            {"ports": (70_000, 0, 0)},
        ):
            with pytest.raises(ValueError, match=r"must be|is taken|is not a folder"):
                make(tmp_path, is_fresh=True, **bad)

    async with running(tmp_path) as second:
        assert second.info["exchange_id"] == identity


async def test_fresh_begins_another_exchange(tmp_path: Path) -> None:
    async with running(tmp_path) as first:
        await asyncio.to_thread(lambda: first.kite().place_order(**MARKET))
        await first.go_to("09:15:05")
    async with running(tmp_path, is_fresh=True) as second:
        now = await second.clock()
        _, ledger = await second.ask("GET", "/ledger")

    assert ledger["AB1001"]["orders"] == []
    assert second.info["exchange_id"] != first.info["exchange_id"]
    assert now["now"] == "2026-11-23T09:15:00+05:30"


async def test_a_second_exchange_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    async with running(tmp_path):
        with pytest.raises(ValueError, match=r"an exchange runs in .* already"):
            make(tmp_path)


async def test_every_step_is_on_disk_while_the_market_shows_it(tmp_path: Path) -> None:
    async with running(tmp_path) as market:
        for _ in range(20):
            await market.clock(step=1)
            while not (now := await market.clock())["held"]:  # noqa: ASYNC110 (asked over HTTP)
                await asyncio.sleep(0)
            kept = StateFile(tmp_path / "exchange").read()

            assert kept is not None
            assert (kept.now_ms, kept.step) == (now["epoch_ms"], now["step"])


async def test_what_stopped_in_mid_day_goes_on_there_at_the_same_ports(tmp_path: Path) -> None:
    async with running(tmp_path) as first:
        before = await first.go_to("09:15:10")
    async with running(tmp_path, wish=NOBODY_WISHES) as second:
        after = await second.clock()
        quotes = await asyncio.to_thread(second.kite().quote, "NSE:INFY")

    assert (after["now"], after["step"]) == (before["now"], before["step"])
    assert (second.info["rest"], second.info["ws"]) == (first.info["rest"], first.info["ws"])
    assert quotes["NSE:INFY"]["volume"] > 0


async def test_in_the_last_step_of_the_day_what_still_lives_lapses(tmp_path: Path) -> None:
    async with running(tmp_path) as market:
        kite = market.kite()
        price = (await asyncio.to_thread(kite.ltp, "NSE:RELIANCE"))["NSE:RELIANCE"]["last_price"]
        await asyncio.to_thread(lambda: kite.place_order(**LIMIT, price=round(price * 0.95)))
        exchange = market.exchange
        exchange.clock.now_ms = exchange.clock.end_ms - 1
        seen: list[str] = []
        exchange.venue.listeners.append(lambda updates: seen.extend(one.word for one in updates))
        await market.clock(step=1)
        while not exchange.clock.is_finished:  # noqa: ASYNC110 (the market moves in its own task)
            await asyncio.sleep(0)

        assert seen == ["CANCELLED"]


async def test_a_request_may_name_as_many_instruments_as_kite_allows(tmp_path: Path) -> None:
    async with running(tmp_path) as market:
        names = [f"NFO:BANKNIFTY26NOV{strike}CE" for strike in range(50_000, 50_999)]
        found = await asyncio.to_thread(market.kite().ltp, "NSE:INFY", *names)

    assert list(found) == ["NSE:INFY"]
