"""Two accounts in the book of a running exchange: a stop, slow answers and another order of arrival change no fill."""

import asyncio
from pathlib import Path
from typing import Any

from tests.exchange.running import Running, running

ORDER: dict[str, Any] = {"variety": "regular", "exchange": "NSE", "tradingsymbol": "RELIANCE", "product": "MIS"}
WAITING = (
    ("AB1001", "BUY", -1, 400, "B"),
    ("AB1002", "BUY", -1, 300, "A"),
    ("AB1002", "SELL", 1, 350, "C"),
    ("AB1001", "SELL", 2, 250, "D"),
    ("AB1001", "BUY", -3, 900, "E"),
)
"""User, side, ticks from the last price, units, tag: all of them wait at first."""


def _set(run: Running, *, backwards: bool) -> None:
    """Place what waits, by the blocking SDK."""
    price = run.kite().ltp("NSE:RELIANCE")["NSE:RELIANCE"]["last_price"]
    for user, side, ticks, units, tag in WAITING[:: -1 if backwards else 1]:
        wish = {"transaction_type": side, "quantity": units, "price": round(price + ticks * 0.1, 1), "tag": tag}
        run.kite(user).place_order(**ORDER, order_type="LIMIT", **wish)


def _take(run: Running, side: str) -> None:
    """Take more than the touch holds."""
    for user, units in (("AB1003", 2500), ("AB1002", 100)):
        wish = {"transaction_type": side, "quantity": units, "market_protection": -1, "tag": "TAKES"}
        run.kite(user).place_order(**ORDER, order_type="MARKET", **wish)


async def _truth(run: Running) -> tuple[str, dict[str, Any]]:
    _, answer = await run.ask("GET", "/ledger/hash")
    _, ledger = await run.ask("GET", "/ledger")
    return str(answer["hash"]), dict(ledger)


async def test_a_morning_of_two_accounts_is_the_same_stopped_in_between_slow_and_in_another_order(
    tmp_path: Path,
) -> None:
    async with running(tmp_path / "whole") as run:
        await asyncio.to_thread(_set, run, backwards=False)
        await run.go_to("09:15:20")
        await asyncio.to_thread(_take, run, "BUY")
        await asyncio.to_thread(_take, run, "BUY")
        await asyncio.to_thread(_take, run, "SELL")
        await run.go_to("09:20:00")
        whole, ledger = await _truth(run)
    async with running(tmp_path / "parts") as run:
        await run.ask("POST", "/behaviour", {"latency": "typical"})
        await asyncio.to_thread(_set, run, backwards=True)
        await run.go_to("09:15:20")
    async with running(tmp_path / "parts") as run:
        await run.ask("POST", "/behaviour", {"latency": "typical"})
        await asyncio.to_thread(_take, run, "BUY")
    async with running(tmp_path / "parts") as run:
        await asyncio.to_thread(_take, run, "BUY")
        await asyncio.to_thread(_take, run, "SELL")
    async with running(tmp_path / "parts") as run:
        await run.go_to("09:20:00")
        parts, _ = await _truth(run)

    taken = [float(one["price"]) for one in ledger["AB1003"]["trades"]]
    assert len(set(taken)) > 1  # it slipped beyond the touch
    assert {one["tag"] for user in ("AB1001", "AB1002") for one in ledger[user]["trades"]} > {"TAKES"}
    assert parts == whole
