"""A generated day's sessions with the unmodified SDK: before the open, the closing auction, after the close."""

import asyncio
from collections.abc import Callable
from datetime import date, time
from pathlib import Path
from typing import Any

import pytest
from kiteconnect import KiteConnect
from kiteconnect.exceptions import InputException, TokenException

from tests.exchange.running import NOBODY_WISHES, Running, running
from trading.exchange.days import DayWish

SHARE: dict[str, Any] = {"variety": "regular", "exchange": "NSE", "tradingsymbol": "RELIANCE", "quantity": 10}
MARKET = SHARE | {"order_type": "MARKET", "market_protection": -1}
LIMIT = SHARE | {"order_type": "LIMIT"}
STOP = SHARE | {"order_type": "SL"}
LATER = date(2026, 12, 7)


async def call(method: Callable[..., Any], *arguments: Any, **words: Any) -> Any:
    return await asyncio.to_thread(method, *arguments, **words)


async def buy(kite: KiteConnect, order: dict[str, Any], product: str = "CNC", **more: Any) -> str:
    return str(await call(kite.place_order, transaction_type="BUY", product=product, **order, **more))


async def book(kite: KiteConnect) -> dict[str, dict[str, Any]]:
    return {row["order_id"]: row for row in await call(kite.orders)}


async def refused(kite: KiteConnect, words: str, order: dict[str, Any], product: str = "CNC", **more: Any) -> None:
    with pytest.raises(InputException, match=words):
        await buy(kite, order, product, **more)


async def last_price(kite: KiteConnect) -> float:
    return float((await call(kite.ltp, "NSE:RELIANCE"))["NSE:RELIANCE"]["last_price"])


async def test_the_morning_from_an_order_of_the_night_to_the_first_minute(tmp_path: Path) -> None:
    async with running(tmp_path, start_at=time(8, 50)) as market:
        kite = market.kite()
        close = await last_price(kite)
        night = await buy(kite, MARKET | {"variety": "amo"})
        await refused(kite, "markets are not open for trading today", MARKET)
        await market.go_to("09:02:00")
        with pytest.raises(InputException, match="AMO"):
            await buy(kite, MARKET | {"variety": "amo"})
        morning = await buy(kite, MARKET, "MIS")
        far = await buy(kite, LIMIT, price=round(close * 0.97))
        await refused(kite, "SL orders are not allowed", STOP, price=close + 10, trigger_price=close + 5)
        await market.go_to("09:06:00")
        await refused(kite, "MARKET orders are not allowed", MARKET)
        with pytest.raises(InputException, match="Market orders cannot be modified or cancelled"):
            await call(kite.cancel_order, "regular", morning)
        waiting = await book(kite)
        await market.go_to("09:10:00")
        await refused(kite, "the pre-open session takes none until 09:15", LIMIT, price=close)
        await market.go_to("09:12:00")
        opened = (await call(kite.quote, "NSE:RELIANCE"))["NSE:RELIANCE"]["ohlc"]["open"]
        matched = await book(kite)
        await market.go_to("09:15:01")
        await call(kite.cancel_order, "regular", far)
        stop = await buy(kite, STOP, price=round(opened * 1.05), trigger_price=round(opened * 1.05))

        final = await book(kite)
        assert {waiting[one]["status"] for one in (night, morning, far)} == {"OPEN"}
        assert opened > 0
        for one in (night, morning):
            assert (matched[one]["status"], matched[one]["average_price"]) == ("COMPLETE", opened)
        assert (matched[far]["status"], matched[night]["variety"]) == ("OPEN", "amo")
        assert final[stop]["status"] == "TRIGGER PENDING"
        await market.go_to("09:15:03")
        assert (await book(kite))[far]["status"] == "CANCELLED"


async def afternoon(market: Running, *, ends: str, auction: tuple[str, str, str, str], square_off: str) -> None:
    """Play a day's end. `ends`: continuous trading; `auction`: entry, limit only, its end, after the match."""
    kite, (entry, limits, entry_end, matched) = market.kite(), auction
    intraday = await buy(kite, MARKET, "MIS")
    await market.go_to("15:12:05")
    price = await last_price(kite)
    stop = await buy(kite, STOP, price=round(price * 1.02), trigger_price=round(price * 1.02))
    carried = await buy(kite, LIMIT, price=round(price * 0.98))
    await market.go_to(square_off)
    [closing] = [row for row in (await book(kite)).values() if row["placed_by"] == "RMS"]
    assert (closing["transaction_type"], closing["status"], closing["tag"]) == ("SELL", "COMPLETE", None)
    assert [row["quantity"] for row in (await call(kite.positions))["net"] if row["product"] == "MIS"] == [0]
    await refused(kite, "markets are not open for intraday orders any more", MARKET, "MIS")
    await market.go_to(ends)
    ended = await book(kite)
    assert (ended[intraday]["status"], ended[stop]["status"], ended[carried]["status"]) == (
        "COMPLETE",
        "CANCELLED",
        "OPEN",
    )
    await refused(kite, "the closing auction takes none until", MARKET)
    await market.go_to(entry)
    at_market = await buy(kite, MARKET)
    await refused(kite, "circuit limit", LIMIT, price=round(price * 1.05))
    await market.go_to(limits)
    await refused(kite, "MARKET orders are not allowed", MARKET)
    await market.go_to(entry_end)
    await refused(kite, "the closing auction takes none until", LIMIT, price=round(price))
    await market.go_to(matched)
    closed = await last_price(kite)
    final = await book(kite)
    assert (final[at_market]["status"], final[at_market]["average_price"]) == ("COMPLETE", closed)
    assert final[carried]["status"] == "CANCELLED"
    await refused(kite, "markets are not open for trading today", MARKET)
    await market.go_to("15:50:00")
    after = await buy(kite, MARKET)
    await market.go_to("15:51:00")
    assert (await book(kite))[after]["average_price"] == closed
    await market.go_to("16:00:00")
    assert (await market.clock())["finished"]
    evening = await buy(kite, MARKET | {"variety": "amo"})
    assert (await book(kite))[evening]["status"] == "AMO REQ RECEIVED"


async def test_the_afternoon_of_today_s_rows(tmp_path: Path) -> None:
    async with running(tmp_path, start_at=time(15, 12)) as market:
        auction = ("15:20:00", "15:25:00", "15:30:00", "15:35:00")
        await afternoon(market, ends="15:15:00", auction=auction, square_off="15:14:40")


async def test_the_afternoon_of_december_s_rows(tmp_path: Path) -> None:
    async with running(tmp_path, start_at=time(15, 12), wish=DayWish(LATER, 1, None)) as market:
        auction = ("15:31:00", "15:36:00", "15:40:00", "15:42:00")
        await afternoon(market, ends="15:30:00", auction=auction, square_off="15:20:10")


async def test_a_restart_in_mid_auction_ends_in_the_same_ledger(tmp_path: Path) -> None:
    async def until_the_entry(market: Running) -> None:
        kite = market.kite()
        price = await last_price(kite)
        await buy(kite, LIMIT, price=round(price), tag="REST")
        await market.go_to("15:21:00")
        await buy(kite, MARKET, tag="MARKET")
        await market.go_to("15:22:00")

    async def end(market: Running) -> str:
        await market.go_to("15:36:00")
        assert {row["status"] for row in (await book(market.kite())).values()} == {"COMPLETE"}
        return str((await market.ask("GET", "/ledger/hash"))[1]["hash"])

    async with running(tmp_path / "one", start_at=time(15, 14, 50)) as market:
        await until_the_entry(market)
        undisturbed = await end(market)
    async with running(tmp_path / "other", start_at=time(15, 14, 50)) as market:
        await until_the_entry(market)
    async with running(tmp_path / "other", wish=NOBODY_WISHES) as market:
        assert await end(market) == undisturbed


async def test_the_control_port_moves_the_broker_s_square_off_and_says_what_is_wrong(tmp_path: Path) -> None:
    async with running(tmp_path, start_at=time(10)) as market:
        kite = market.kite()
        await buy(kite, MARKET, "MIS")
        status, told = await market.ask("POST", "/square-off", {"at": {"equity_cas": "10:00:30"}})
        wrong = await market.ask("POST", "/square-off", {"at": {"equity_cas": "soon"}})
        await market.go_to("10:00:40")

        assert (status, told["at"]["equity_cas"]) == (200, "10:00:30")
        assert wrong == (400, {"error": 'at must be HH:MM:SS by class, was {"equity_cas": "soon"}'})
        assert [row["quantity"] for row in (await call(kite.positions))["net"]] == [0]


async def test_the_roll_passes_over_a_holiday_and_ends_yesterday_s_tokens(tmp_path: Path) -> None:
    async with running(tmp_path, start_at=time(15, 59, 50)) as market:
        old = market.kite()
        await market.go_to("16:00:00")
        await call(old.profile)
    async with running(tmp_path, wish=NOBODY_WISHES) as market:
        yesterday = KiteConnect(old.api_key, old.access_token, root=market.info["rest"])
        with pytest.raises(TokenException):
            await call(yesterday.profile)
        await call(market.kite().profile)

        assert market.info["day"] == "2026-11-25"


async def test_the_second_part_of_a_special_saturday_ends_with_its_post_close_session(tmp_path: Path) -> None:
    async with running(tmp_path, start_at=time(11, 20), wish=DayWish(date(2024, 5, 18), 1, None)) as market:
        kite = market.kite()
        order_id = await buy(kite, LIMIT, price=round(await last_price(kite) * 1.03))
        await market.go_to("11:29:00")
        waiting = (await book(kite))[order_id]["status"]
        await refused(kite, "the pre-open session takes none until 11:30", LIMIT, price=1500)
        await market.go_to("11:31:00")
        bought = (await book(kite))[order_id]
        await market.go_to("12:50:00")

        assert (waiting, bought["status"], bought["filled_quantity"]) == ("OPEN", "COMPLETE", 10)
        assert (await market.clock())["finished"]


async def test_an_hour_of_muhurat_can_be_played_and_is_followed_by_the_next_trading_day(tmp_path: Path) -> None:
    async with running(tmp_path, start_at=time(17, 50), wish=DayWish(date(2026, 11, 8), 1, None)) as market:
        kite = market.kite()
        before = (await market.clock())["phase"]
        night = await buy(kite, MARKET | {"variety": "amo"}, "MIS")
        await market.go_to("18:10:00")
        entered = (await market.clock())["phase"], (await book(kite))[night]["average_price"]
        await market.go_to("18:16:00")
        opened = (await call(kite.quote, "NSE:RELIANCE"))["NSE:RELIANCE"]["ohlc"]["open"]
        await market.go_to("19:05:10")
        net = [row["quantity"] for row in (await call(kite.positions))["net"]]
        await market.go_to("19:15:00")

        assert (before, entered, net) == ("pre_market", ("pre_open", opened), [0])
        assert (await market.clock())["finished"]
    async with running(tmp_path, wish=NOBODY_WISHES) as market:
        assert market.info["day"] == "2026-11-09"
