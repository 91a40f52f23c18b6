"""`stack status` and `stack summary`: the same facts for a program and for a person."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from trading.domain.timezone import to_ist
from trading.services.running_stack import StackView
from trading.services.summary import ClientFigures, HouseFigures


def as_data(stack: StackView, house: HouseFigures) -> dict[str, Any]:
    """Give the JSON of `stack status --json`; money is strings, counts are whole numbers."""
    return {
        "processes": [
            {"name": process.name, "state": process.state, "restarts": process.restarts} for process in stack.processes
        ],
        "market": {"time": house.market_time, "phase": house.phase},
        "feed": {"age_s": None if house.feed_age_s is None else round(house.feed_age_s, 3)},
        "clients": [_client(client) for client in house.clients],
    }


def _client(client: ClientFigures) -> dict[str, Any]:
    return {
        "email": client.email,
        "state": client.state.value,
        "open_positions": client.open_positions,
        "orders": client.orders,
        "realised_pnl": str(client.realised_pnl),
        "unrealised_pnl": str(client.unrealised_pnl),
    }


def as_text(stack: StackView, data: Mapping[str, Any]) -> str:
    """Give the same for a person's eyes."""
    market, age_s = data["market"], data["feed"]["age_s"]
    age = "—" if age_s is None else f"{age_s:.1f} s"
    since = to_ist(datetime.fromisoformat(stack.started_at))
    lines = [
        f"{stack.url}  venue {stack.venue}  supervisor {stack.pid}  since {since:%Y-%m-%d %H:%M:%S} IST",
        f"market {market['time'] or 'unknown'} {market['phase'] or ''}   feed {age}",
        "",
        f"{'process':<12}{'state':<14}restarts",
        *(f"{process['name']:<12}{process['state']:<14}{process['restarts']}" for process in data["processes"]),
        "",
        f"{'client':<28}{'state':<10}{'open':>5}{'orders':>8}{'realised':>14}{'unrealised':>14}",
    ]
    lines += [
        f"{client['email']:<28}{client['state']:<10}{client['open_positions']:>5}{client['orders']:>8}"
        f"{client['realised_pnl']:>14}{client['unrealised_pnl']:>14}"
        for client in data["clients"]
    ]
    return "\n".join(lines)
