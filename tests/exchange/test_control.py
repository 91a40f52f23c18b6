"""The control port of a running exchange, over HTTP."""

import asyncio
import re
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from kiteconnect import exceptions as kite_errors

from tests.exchange.running import Running, running


@pytest.fixture
async def market(tmp_path: Path) -> AsyncIterator[Running]:
    async with running(tmp_path) as one:
        yield one


@pytest.mark.parametrize(
    ("path", "body", "says"),
    [
        ("/clock", {"step": 0}, "step must be 1 or more, was 0"),
        ("/clock", {"step": 1.5}, "step must be a whole number, was 1.5"),
        ("/clock", {"run_until": "25:00"}, "run_until must be HH:MM:SS"),
        ("/clock", {"run_until": "09:00:00"}, "run_until must not be before the market's now 09:15:00"),
        ("/clock", [1], "the body must be a JSON object"),
        ("/faults", 5, "a fault rule must be a JSON object, was 5"),
        ("/faults", {"action": "status", "status": 42}, "status must be a number from 200 to 599, was 42"),
        ("/faults", {"preset": "F11", "user_id": "ZZ9999"}, "user_id must be one of OP1000"),
        ("/faults", {"preset": "F22", "instrument": "NSE:NOBODY"}, "instrument must be one of this market"),
        ("/faults", {"preset": "F36"}, "preset must be one of F01, F02"),
        ("/behaviour", {"fill_schedule": [101]}, "fill_schedule must be a list of percentages"),
        ("/tokens/invalidate", {"user_id": "ZZ9999"}, "user_id must be one of OP1000"),
        ("/tokens/invalidate", {}, "user_id must be one of OP1000"),
    ],
)
async def test_bad_input_is_a_400_that_says_what_would_be_right(
    market: Running, path: str, body: Any, says: str
) -> None:
    status, answer = await market.ask("POST", path, body)

    assert status == 400
    assert says in answer["error"]


async def test_what_is_no_json_or_no_path_is_said_in_json_too(market: Running) -> None:
    url = f"{market.info['control']}/clock"
    as_json = {"Content-Type": "application/json"}
    async with aiohttp.ClientSession() as session, session.post(url, data="not json", headers=as_json) as reply:
        assert (reply.status, list(await reply.json())) == (400, ["error"])
    assert await market.ask("GET", "/nothing") == (404, {"error": "Not Found"})


async def test_of_several_clock_orders_all_are_obeyed_or_none(market: Running) -> None:
    await market.clock(speed=100, pace="quick")
    assert (await market.clock())["speed"] == 600

    assert (await market.clock(speed=100, pace="free"))["speed"] == 100


async def test_of_several_faults_all_are_taken_or_none(market: Running) -> None:
    good, bad = {"action": "delay"}, {"action": "explode"}

    assert (await market.ask("POST", "/faults", [good, bad]))[0] == 400
    _, report = await market.ask("GET", "/faults")
    assert report["rules"] == []

    _, report = await market.ask("POST", "/faults", [good, good])
    assert [rule["rule_id"] for rule in report["rules"]] == [1, 2]


async def test_a_participant_that_speaks_nonsense_is_cut_off_and_nobody_else(market: Running) -> None:
    url = f"{market.info['control']}/participate?role=engine&name="
    async with aiohttp.ClientSession() as session:
        for nonsense in ("no json", "[1]", '{"type": "done"}', '{"type": "done", "step": "x", "round": 1}'):
            async with session.ws_connect(f"{url}mad") as mad, session.ws_connect(f"{url}sane") as sane:
                await sane.receive_json()
                await mad.send_str(nonsense)
                async for _ in mad:
                    pass
                assert mad.close_code == aiohttp.WSCloseCode.UNSUPPORTED_DATA
                assert not sane.closed


async def test_the_ledger_is_the_truth_by_user_and_its_hash_tells_two_ledgers_apart(market: Running) -> None:
    _, empty = await market.ask("GET", "/ledger/hash")
    _, ledger = await market.ask("GET", "/ledger")
    assert ledger["AB1001"]["orders"] == []

    market.exchange.venue.books.accounts["AB1001"].cash += 1

    assert (await market.ask("GET", "/ledger/hash"))[1] != empty


async def test_the_days_charges_are_told_apart_from_the_ledger(market: Running) -> None:
    status, charges = await market.ask("GET", "/charges")

    assert status == 200
    assert charges["AB1001"]["total"] == "0"


async def test_the_page_is_its_own_files_and_may_load_nothing_else(market: Running) -> None:
    async with aiohttp.ClientSession(market.info["control"]) as session:
        async with session.get("/") as reply:
            html, headers = await reply.text(), reply.headers
        files = re.findall(r'(?:src|href)="(/[^"]+)"', html)
        for path in files:
            async with session.get(path) as reply:
                assert reply.status == 200, path
                assert reply.headers["Content-Security-Policy"] == headers["Content-Security-Policy"]

    assert len(files) == 3
    assert "default-src 'none'; script-src 'self'; style-src 'self'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert not re.search(r"\son[a-z]+=|style=|<style|<script>|//", html.replace("<!doctype", ""))


async def test_the_summary_has_each_accounts_positions_and_pnl(market: Running) -> None:
    await market.go_to("09:15:05")
    order = {"variety": "regular", "exchange": "NSE", "tradingsymbol": "RELIANCE", "transaction_type": "BUY"}
    more = {"quantity": 2, "product": "MIS", "order_type": "MARKET", "market_protection": -1}
    await asyncio.to_thread(lambda: market.kite().place_order(**order, **more))
    await market.go_to("09:15:30")
    _, ledger = await market.ask("GET", "/ledger/summary")
    price = market.exchange.venue.market.by_key("NSE:RELIANCE")
    assert price is not None
    position = market.exchange.venue.books.accounts["AB1001"].positions[price.token, "MIS"]
    pnl = position.pnl(market.exchange.venue.market.quote(price.token).ltp)

    assert ledger["accounts"]["AB1002"] == {
        "orders": 0, "live": 0, "trades": 0, "cash": "1000000.00", "pnl": "0.00", "positions": []
    }  # fmt: skip
    (row,) = ledger["accounts"]["AB1001"]["positions"]
    assert (row["instrument"], row["product"], row["net_quantity"]) == ("NSE:RELIANCE", "MIS", 2)
    assert Decimal(row["pnl"]) * 10_000 == pnl


async def test_what_was_injected_is_asked_over_the_port_and_survives_a_restart(tmp_path: Path) -> None:
    async with running(tmp_path) as first:
        wish = {"preset": "F15", "user_id": "AB1001"}
        _, answer = await first.ask("POST", "/faults", wish)
        assert answer["added"] == [1]
        with pytest.raises(kite_errors.NetworkException):
            await asyncio.to_thread(
                lambda: first.kite().place_order("regular", "NSE", "SBIN", "BUY", 1, "MIS", "LIMIT", 1)
            )
    async with running(tmp_path) as second:
        _, log = await second.ask("GET", "/faults/log?user_id=AB1001&action=status")
        _, report = await second.ask("GET", "/faults")
        wrong, said = await second.ask("GET", "/faults/log?colour=red")
        gone, _ = await second.ask("DELETE", "/faults/1")
        missing, _ = await second.ask("DELETE", "/faults/1")

    (line,) = log["log"]
    assert (line["method"], line["path"], line["script"], line["at"][:19]) == (
        "POST", "/orders/regular", "F15", "2026-11-23T09:15:00",
    )  # fmt: skip
    assert [rule["injected"] for rule in report["rules"]] == [1]
    assert (wrong, gone, missing) == (400, 200, 400)
    assert "not by 'colour'" in said["error"]
