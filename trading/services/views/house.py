"""The operator's picture: every client in one row."""

from datetime import date
from decimal import Decimal
from typing import Any

from trading.domain.sentences import SILENT_KINDS
from trading.domain.timezone import ist_day, to_ist
from trading.models import Client, EventLog
from trading.services import glance
from trading.services.summary import client_figures
from trading.services.views import happenings
from trading.services.views.snapshot import feed_part, market_now, market_part


def house_snapshot() -> dict[str, Any]:
    """Give all clients, the house's P&L and state. While the market's clock does not answer, `clients` is None."""
    market = market_now()
    events = happenings.event_lines(None)
    if market is None:
        state = {"state": "UNKNOWN", "reason": "the market clock does not answer"}
        pnl = {"realised": None, "unrealised": None, "total": None}
        feed = {"age_s": None, "state": None, "sentence": ""}
        return {
            "market": market_part(None),
            "feed": feed,
            "pnl": pnl,
            "state": state,
            "clients": None,
            "events": events,
        }
    day = ist_day(market.now)
    state_view = glance.house_state(day)
    rows = client_rows(day)
    return {
        "market": market_part(market),
        "feed": feed_part(market.now),
        "pnl": {name: _sum(rows, name) for name in ("realised", "unrealised", "total")},
        "state": {"state": state_view.state.value, "reason": state_view.reason},
        "clients": rows,
        "events": events,
    }


def client_rows(day: date) -> list[dict[str, Any]]:
    """Give one row a client: figures of the day, state, and the last thing that happened."""
    figures = {found.email: found for found in client_figures(day)}
    rows = []
    for client in Client.objects.filter(user__is_operator=False).select_related("user").order_by("user__email"):
        own, state = figures[client.user.email], glance.client_state(client, day)
        rows.append(
            {
                "id": client.pk,
                "email": client.user.email,
                "mode": client.mode,
                "state": state.state.value,
                "reason": state.reason,
                "realised": str(own.realised_pnl),
                "unrealised": str(own.unrealised_pnl),
                "total": str(own.realised_pnl + own.unrealised_pnl),
                "open_positions": own.open_positions,
                "orders": own.orders,
                "last_action": _last_action(client, day),
            }
        )
    return rows


def _last_action(client: Client, day: date) -> dict[str, str] | None:
    rows = EventLog.objects.filter(chain__client=client).exclude(kind__in=SILENT_KINDS)
    row = rows.order_by("-seq").first()
    if row is None or ist_day(row.at) != day:
        return None
    return {"time": f"{to_ist(row.at):%H:%M:%S}", "text": happenings.line_of(row)["sentence"]}


def _sum(rows: list[dict[str, Any]], name: str) -> str:
    return str(sum((Decimal(row[name]) for row in rows), Decimal(0)))
