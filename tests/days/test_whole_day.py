"""A whole trading day with real processes, twice with the same seed, and a kill switch at noon in the middle of it."""

import json
import os
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.days.stack import ROOT, RunningStack
from trading.domain.timezone import IST

pytestmark = [pytest.mark.processes, pytest.mark.timeout(900)]

BARS = ROOT.parent / "shared" / "data" / "bars"
DECISIONS = ("NOT_TRADED", "SKIPPED", "ENTRY", "TARGET", "TRAIL", "STOP", "SQUARE_OFF")
NOON = "12:00:00"

Decision = tuple[str, str, Any, Any, Any]


@dataclass(frozen=True)
class Day:
    """What a finished day left behind."""

    decisions: dict[tuple[str, str], list[Decision]]
    fills: dict[tuple[str, str], list[tuple[str, str, int, str]]]
    ledger: dict[str, Any]
    ledger_hash: str
    summary: dict[str, Any]
    killed: str
    killed_user: str
    reports: int


def trade_a_day(state_dir: Path, *options: str, kill: str, kill_user: str) -> Day:
    """Run the day to its end, with `kill` stopped at noon while the market stands."""
    with RunningStack(state_dir, "--speed", "600", "--pace", "hold", *options) as stack:
        stack.run_until(NOON)
        pressed = stack.command("kill", "--client", kill)
        assert pressed.returncode == 0, pressed.stderr + pressed.stdout
        stack.until(lambda: state_of(stack, kill) == "HALTED", 30, f"{kill} to be halted")
        ledger = stack.control("/ledger")
        assert all(position["net_quantity"] == 0 for position in ledger[kill_user]["positions"]), ledger[kill_user]
        stack.run_to_the_end()
        return Day(
            decisions=decisions_of(stack),
            fills=fills_of(stack.control("/ledger")),
            ledger=stack.control("/ledger"),
            ledger_hash=stack.control("/ledger/hash")["hash"],
            summary=stack.summary(),
            killed=kill,
            killed_user=kill_user,
            reports=len(stack.rows("select id from trading_dayreport")),
        )


def state_of(stack: RunningStack, email: str) -> str:
    """Give a client's stored state."""
    rows = stack.rows(
        "select c.state from trading_client c join trading_user u on u.id = c.user_id where u.email = ?", email
    )
    return str(rows[0]["state"])


def decisions_of(stack: RunningStack) -> dict[tuple[str, str], list[Decision]]:
    """Give the ladder's events per account and instrument: (market time, event, level, price, quantity)."""
    found: dict[tuple[str, str], list[Decision]] = defaultdict(list)
    marks = ",".join("?" * len(DECISIONS))
    sql = (
        f"select kind, at, account_key, instrument, body from trading_eventlog where kind in ({marks}) order by at, id"  # noqa: S608
    )
    for row in stack.rows(sql, *DECISIONS):
        data = json.loads(row["body"])
        data = data.get("data", data)
        decision = (row["at"], row["kind"], data.get("level") or data.get("to"), data.get("ltp"), data.get("quantity"))
        found[(row["account_key"], row["instrument"])].append(decision)
    return dict(found)


def fills_of(ledger: dict[str, Any]) -> dict[tuple[str, str], list[tuple[str, str, int, str]]]:
    """Give the exchange's trades per user and instrument: (market time, side, quantity, price)."""
    found: dict[tuple[str, str], list[tuple[str, str, int, str]]] = defaultdict(list)
    for user_id, account in ledger.items():
        for trade in account["trades"]:
            fill = (trade["at"], trade["side"], trade["quantity"], trade["price"])
            found[(user_id, trade["instrument"])].append(fill)
    return {key: sorted(fills) for key, fills in found.items()}


def words_of(day: Day) -> list[str]:
    """Give every decision's word."""
    return [decision[1] for decisions in day.decisions.values() for decision in decisions]


def last_fill_at(day: Day, symbols: set[str] | None = None) -> str:
    """Give HH:MM:SS of the last fill, of these instruments or of all."""
    times = [
        datetime.fromisoformat(fill[0]).astimezone(IST).strftime("%H:%M:%S")
        for (_, instrument), fills in day.fills.items()
        if symbols is None or instrument in symbols
        for fill in fills
    ]
    return max(times)


def assert_the_day_is_sound(day: Day) -> None:
    """Check what holds on every day: flat in time, the killed client untouched, P&L as the exchange has it."""
    clients = {client["email"]: client for client in day.summary["clients"]}
    assert day.summary["market"]["phase"] == "closed"
    assert all(client["open_positions"] == 0 for client in clients.values())
    assert last_fill_at(day) < "15:16:00"
    for account in day.ledger.values():
        assert all(position["net_quantity"] == 0 for position in account["positions"])
    for email, user_id in (
        ("asha@demo.local", "AB1001"),
        ("bharat@demo.local", "AB1002"),
        ("chitra@demo.local", "AB1003"),
    ):
        assert Decimal(clients[email]["realised_pnl"]) == Decimal(day.ledger[user_id]["realised_pnl"]), email
        assert Decimal(clients[email]["unrealised_pnl"]) == 0
    killed = [fill[0][11:19] for (user, _), fills in day.fills.items() if user == day.killed_user for fill in fills]
    assert max(killed, default=NOON) <= NOON
    orders = [order["placed_at"][11:19] for order in day.ledger[day.killed_user]["orders"]]
    assert max(orders, default=NOON) <= NOON
    assert clients[day.killed]["state"] == "HALTED"
    assert day.reports == len(clients)


def test_the_generated_day_is_the_same_twice_and_everybody_is_flat_in_time(tmp_path: Path) -> None:
    options = ("--day", "2026-11-23", "--seed", "83")
    first = trade_a_day(tmp_path / "one", *options, kill="bharat@demo.local", kill_user="AB1002")
    second = trade_a_day(tmp_path / "two", *options, kill="bharat@demo.local", kill_user="AB1002")

    assert_the_day_is_sound(first)
    assert first.decisions == second.decisions
    assert first.fills == second.fills
    assert first.ledger_hash == second.ledger_hash

    with_auction = {instrument for _, instrument in first.fills} - {"NSE:ABBOTINDIA", "NSE:GILLETTE"}
    assert last_fill_at(first, with_auction) < "15:14:30"
    words = words_of(first)
    sides = {order["side"] for account in first.ledger.values() for order in account["orders"]}
    assert sides == {"BUY", "SELL"}
    assert {"ENTRY", "TARGET", "TRAIL", "STOP", "SKIPPED", "SQUARE_OFF"} <= set(words)
    assert words.count("TARGET") >= 5
    assert any(Decimal(account["realised_pnl"]) != 0 for account in first.ledger.values())


@pytest.mark.skipif(
    not BARS.is_dir() and os.environ.get("CI") != "true", reason=f"no real minute bars beside the project ({BARS})"
)
def test_a_day_of_real_bars_is_the_same_twice_and_everybody_is_flat_in_time(tmp_path: Path) -> None:
    options = ("--day", "2024-05-16", "--seed", "1", "--bars", str(BARS))
    first = trade_a_day(tmp_path / "one", *options, kill="asha@demo.local", kill_user="AB1001")
    second = trade_a_day(tmp_path / "two", *options, kill="asha@demo.local", kill_user="AB1001")

    assert_the_day_is_sound(first)
    assert first.decisions == second.decisions
    assert first.fills == second.fills
    assert first.ledger_hash == second.ledger_hash
    assert words_of(first).count("TARGET") >= 5
