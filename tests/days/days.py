"""A whole trading day with real processes, what it left behind, and what must be true of every day."""

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.days.stack import RunningStack
from trading.domain.timezone import IST

DECISIONS = ("NOT_TRADED", "SKIPPED", "ENTRY", "TARGET", "TRAIL", "STOP", "SQUARE_OFF")
NOON = "12:00:00"

Decision = tuple[datetime, str, Any, Any, Any]
"""Market time, event, level, price, quantity."""


@dataclass(frozen=True)
class Day:
    """What a finished day left behind. `complaints` are the log's errors."""

    decisions: dict[tuple[str, str], list[Decision]]
    fills: dict[tuple[str, str], list[tuple[str, str, int, str]]]
    ledger: dict[str, Any]
    ledger_hash: str
    summary: dict[str, Any]
    killed: str
    killed_user: str
    reports: int
    complaints: list[str]


def trade_a_day(
    state_dir: Path, *options: str, kill: str, kill_user: str, servers: Mapping[str, str] | None = None
) -> Day:
    """Run the day to its end, with `kill` stopped at noon while the market stands."""
    with RunningStack(state_dir, "--speed", "600", "--pace", "hold", *options, servers=servers) as stack:
        stack.run_until(NOON)
        pressed = stack.command("kill", "--client", kill)
        assert pressed.returncode == 0, pressed.stderr + pressed.stdout
        stack.until(lambda: state_of(stack, kill) == "HALTED", 300, f"{kill} to be halted")
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
            complaints=stack.complaints(),
        )


def state_of(stack: RunningStack, email: str) -> str:
    """Give a client's stored state."""
    rows = stack.rows(
        "select c.state from trading_client c join trading_user u on u.id = c.user_id where u.email = ?", email
    )
    return str(rows[0]["state"])


def decisions_of(stack: RunningStack) -> dict[tuple[str, str], list[Decision]]:
    """Give the ladder's events per account and instrument."""
    found: dict[tuple[str, str], list[Decision]] = defaultdict(list)
    marks = ",".join("?" * len(DECISIONS))
    sql = (
        f"select kind, at, account_key, instrument, body from trading_eventlog where kind in ({marks}) order by at, id"  # noqa: S608
    )
    for row in stack.rows(sql, *DECISIONS):
        data = json.loads(row["body"])
        data = data.get("data", data)
        level = data.get("level") or data.get("to")
        decision = (_moment(row["at"]), row["kind"], level, data.get("ltp"), data.get("quantity"))
        found[(row["account_key"], row["instrument"])].append(decision)
    return dict(found)


def _moment(stored: str | datetime) -> datetime:
    """Give a stored time: PostgreSQL gives it aware, SQLite as the text of its UTC."""
    return stored if isinstance(stored, datetime) else datetime.fromisoformat(stored).replace(tzinfo=UTC)


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


def assert_the_same(one: Day, other: Day) -> None:
    """Check what must not differ between two runs of one day."""
    assert one.decisions == other.decisions
    assert one.fills == other.fills
    assert one.ledger_hash == other.ledger_hash


def assert_the_day_is_sound(day: Day) -> None:
    """Check what holds on every day: flat in time, the killed client untouched, P&L as the exchange has it."""
    assert day.complaints == []
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
