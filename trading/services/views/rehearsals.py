"""What the square-off's rehearsal found today, for the desk and the operator's board."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from trading.domain.timezone import ist_day, to_ist
from trading.models import Client, EventLog
from trading.services.views.outlook import squared_off


def rehearsal_of(client: Client, day: date) -> dict[str, Any] | None:
    """Give the day's last rehearsal of a client; None before it, and once everything is confirmed flat.

    `groups` are the event's (start, flat_by, reason, seconds, orders, positions in the order of closing), those with
    something open; `time` is when it was, `hinders` what stands in the way.
    """
    found = EventLog.objects.filter(chain__client=client, kind="SQUARE_OFF_REHEARSED").order_by("-seq").first()
    if found is None or ist_day(found.at) != day or squared_off(client, day):
        return None
    data = found.data
    return {
        "time": f"{to_ist(found.at):%H:%M:%S}",
        "text": data["text"],
        "fits": data["fits"],
        "hinders": data["hinders"],
        "groups": [_shown(group) for group in data["groups"] if group["positions"]],
    }


def _shown(group: Mapping[str, Any]) -> dict[str, Any]:
    rows = [{**row, "symbol": row["instrument"].partition(":")[2]} for row in group["positions"]]
    return {**group, "positions": rows}


def house_rehearsals(day: date) -> list[dict[str, Any]]:
    """Give every client's rehearsal of a day, those with trouble first; a client without one is left out."""
    clients = Client.objects.filter(user__is_operator=False).select_related("user").order_by("user__email")
    rows = [{"email": client.user.email, **found} for client in clients if (found := rehearsal_of(client, day))]
    return sorted(rows, key=lambda row: (row["fits"] and not row["hinders"], row["email"]))
