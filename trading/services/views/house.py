"""The operator's picture: every client in one row."""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from trading.domain.sentences import SILENT_KINDS
from trading.domain.timezone import ist_day, to_ist
from trading.models import Alarm, Client, EventLog
from trading.services import glance
from trading.services.summary import ClientFigures, client_figures
from trading.services.views import happenings
from trading.services.views.rehearsals import house_rehearsals
from trading.services.views.snapshot import feed_part, market_now, market_part

ALARMS_SHOWN = 10
MONEY = ("realised", "unrealised", "total")


def house_snapshot() -> dict[str, Any]:
    """Give all clients, the house's P&L and state. While the market's clock does not answer, `clients` is None."""
    market = market_now()
    day = ist_day(market.now) if market else None
    state = glance.house_state(day) if day else None
    rows = client_rows(day) if day else None
    return {
        "market": market_part(market),
        "feed": feed_part(market),
        "pnl": house_pnl(rows),
        "state": {
            "state": state.state.value if state else "UNKNOWN",
            "reason": state.reason if state else "the market clock does not answer",
        },
        "clients": rows,
        "rehearsals": house_rehearsals(day) if day else [],
        "events": happenings.event_lines(None),
    }


def client_rows(day: date) -> list[dict[str, Any]]:
    """Give one row a client: figures of the day, state, and the last thing that happened."""
    figures = {found.email: found for found in client_figures(day)}
    rows = []
    for client in Client.objects.filter(user__is_operator=False).select_related("user").order_by("user__email"):
        state = glance.shown_state(client, day)
        rows.append(
            {
                "id": client.pk,
                "email": client.user.email,
                "mode": client.mode,
                "state": state.state.value,
                "own_state": glance.client_state(client, day).state.value,
                "reason": state.reason,
                **_money(figures[client.user.email]),
                "last_action": _last_action(client, day),
            }
        )
    return rows


def figure_rows(day: date) -> list[dict[str, Any]]:
    """Give only what moves with the prices, one row a client; `id` is the client's."""
    ids = dict(Client.objects.values_list("user__email", "pk"))
    return [{"id": ids[found.email], **_money(found)} for found in client_figures(day)]


def house_pnl(rows: Iterable[Mapping[str, Any]] | None) -> dict[str, str | None]:
    """Add up the clients' rows; what contains an unknown is unknown."""
    known = None if rows is None else list(rows)
    return {name: None if known is None else _sum(known, name) for name in MONEY}


def alarms_of(day: date) -> list[Alarm]:
    """Give the newest alarms of a market day."""
    return list(Alarm.objects.filter(day=day).select_related("client__user").order_by("-last_at")[:ALARMS_SHOWN])


def _money(own: ClientFigures) -> dict[str, Any]:
    """Shape one client's figures; without a price of the feed what is open has no value that is known."""
    unrealised = None if own.unpriced else own.unrealised_pnl
    total = None if unrealised is None else own.realised_pnl + unrealised
    return {
        "realised": str(own.realised_pnl),
        "unrealised": None if unrealised is None else str(unrealised),
        "total": None if total is None else str(total),
        "open_positions": own.open_positions,
        "orders": own.orders,
    }


def _last_action(client: Client, day: date) -> dict[str, str] | None:
    rows = EventLog.objects.filter(chain__client=client).exclude(kind__in=SILENT_KINDS)
    row = rows.order_by("-seq").first()
    if row is None or ist_day(row.at) != day:
        return None
    return {"time": f"{to_ist(row.at):%H:%M:%S}", "text": happenings.line_of(row)["sentence"]}


def _sum(rows: Iterable[Mapping[str, Any]], name: str) -> str | None:
    parts = [row[name] for row in rows]
    return None if None in parts else str(sum((Decimal(part) for part in parts), Decimal(0)))
