"""Faults while a market runs: deeds come at their time of the market, and the same seed ends in the same ledger."""

import asyncio
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.exchange.kite.samples import MARKET
from tests.exchange.running import Running, running

ORDER = MARKET | {"tradingsymbol": "RELIANCE"}
BY_HAND = {"preset": "F29", "user_id": "AB1002", "instrument": "NSE:INFY", "quantity": 3, "at": "09:16:10"}
WISHES: tuple[dict[str, Any], ...] = (
    BY_HAND,
    {"preset": "F16", "user_id": "AB1001", "seconds": 20, "prob": 0.5, "n": 2},
    {"preset": "F18", "user_id": "AB1001"},
    {"preset": "F30", "user_id": "AB1002", "after": 1},
)


async def ledger_of_a_bad_minute(market: Running) -> Any:
    await market.go_to("09:15:30")
    for wish in WISHES:
        assert (await market.ask("POST", "/faults", wish))[0] == 200
    for user_id in ("AB1001", "AB1002"):
        kite = market.kite(user_id)
        for number in range(3):
            await asyncio.to_thread(partial(kite.place_order, **ORDER | {"tag": f"T{number}"}))
    await market.go_to("09:17:00")
    return (await market.ask("GET", "/ledger/hash"))[1], (await market.ask("GET", "/ledger"))[1]


@pytest.fixture(scope="module")
def ledgers(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Any]:
    """Play the same minute at two speeds."""

    async def play(speed: int) -> Any:
        folder: Path = tmp_path_factory.mktemp(f"at{speed}")
        async with running(folder, speed=speed) as market:
            return await ledger_of_a_bad_minute(market)

    return {speed: asyncio.run(play(speed)) for speed in (600, 40)}


def test_the_same_faults_end_in_the_same_ledger_at_any_speed(ledgers: dict[int, Any]) -> None:
    assert ledgers[600][0] == ledgers[40][0]


def test_a_deed_happens_at_its_time_of_the_market_and_is_struck_by_no_rule_about_orders(
    ledgers: dict[int, Any],
) -> None:
    by_hand = [one for one in ledgers[600][1]["AB1002"]["trades"] if one["instrument"] == "NSE:INFY"]

    assert {one["at"][11:19] for one in by_hand} <= {"09:16:10", "09:16:11", "09:16:12"}
    assert sum(one["quantity"] for one in by_hand) == 3
    statuses = [one["status"] for one in ledgers[600][1]["AB1001"]["orders"]]
    assert "REJECTED" in statuses


async def test_what_the_broker_does_by_itself_is_not_struck_by_rules_about_programs_orders(tmp_path: Path) -> None:
    async with running(tmp_path) as market:
        await market.go_to("09:15:30")
        await market.ask("POST", "/faults", {"action": "reject"})
        await market.ask("POST", "/faults", BY_HAND | {"at": ""})
        refused = await asyncio.to_thread(lambda: market.kite("AB1002").place_order(**ORDER))
        await market.go_to("09:15:40")
        _, ledger = await market.ask("GET", "/ledger")

    statuses = {one["order_id"]: one["status"] for one in ledger["AB1002"]["orders"]}
    assert statuses.pop(refused) == "REJECTED"
    assert list(statuses.values()) == ["COMPLETE"]
