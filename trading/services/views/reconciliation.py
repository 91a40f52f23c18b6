"""Ours beside the broker's, from the pictures that the engine keeps; no page asks the engine or a broker."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from trading.domain.control import CommandKind
from trading.domain.timezone import to_ist
from trading.models import AdoptionRow, BrokerAccount, Client, CommandRow, ReconcileState

OLD_AFTER_S = 90.0
"""Wall seconds after which a picture says how it was, not how it is: the engine keeps one every ten."""
READS = (("orders", "Orders"), ("trades", "Fills"), ("positions", "Positions"))


def account_pictures(client: Client | None, day: date, wall: datetime) -> list[dict[str, Any]]:
    """Give the picture of every account of a client, or with None of the house, those with differences first.

    Ages are real seconds: a simulated market's clock may run sixty times as fast as anybody can read.
    """
    accounts = BrokerAccount.objects.filter(owner__client__isnull=False).exclude(key="")
    accounts = accounts.select_related("owner__client__user").order_by("owner__email", "key")
    if client is not None:
        accounts = accounts.filter(owner_id=client.user_id)
    states = {state.account_id: state for state in ReconcileState.objects.filter(day=day)}
    asked = _last_wishes(client, day)
    found = [_account(account, states.get(account.pk), wall, asked.get(account.key)) for account in accounts]
    return sorted(found, key=lambda one: one["kind"] == "ok")


def adoption_lines(client: Client | None, day: date) -> list[dict[str, Any]]:
    """Give what was adopted on a day, newest first."""
    rows = AdoptionRow.objects.filter(day=day).select_related("account").order_by("-pk")
    if client is not None:
        rows = rows.filter(account__owner_id=client.user_id)
    return [
        {
            "time": f"{to_ist(row.at):%H:%M:%S}",
            "account": row.account.key,
            "symbol": _symbol(row.instrument),
            "product": row.product,
            "net_quantity": row.net_quantity,
            "cause": row.cause.replace("_", " "),
            "by": row.by,
        }
        for row in rows
    ]


def _account(
    account: BrokerAccount, state: ReconcileState | None, wall: datetime, asked: dict[str, Any] | None
) -> dict[str, Any]:
    known = {"key": account.key, "owner": account.owner.email, "client": account.owner.client.pk, "asked": asked}
    if state is None:
        return {**known, "kind": "none", "says": "not compared yet today", "rows": [], "orders": [], "reads": []}
    picture = state.picture
    age_s = (wall - datetime.fromisoformat(picture["wall"])).total_seconds()
    kind = "warn" if age_s > OLD_AFTER_S else "ok" if picture["is_reconciled"] else "bad"
    return {
        **known,
        "kind": kind,
        "says": _says(picture, kind),
        "age_s": max(0.0, age_s),
        "rows": [_row(row) for row in picture["rows"]],
        "orders": [{**order, "symbol": _symbol(order["instrument"])} for order in picture["orders"]],
        "reads": [_read(label, picture["reads"][name], wall) for name, label in READS],
    }


def _says(picture: Mapping[str, Any], kind: str) -> str:
    if kind == "warn":
        return "this is how it was: the engine has not compared since"
    if kind == "ok":
        return "our count and the broker's agree"
    return f"no new entries: {picture['why_not']}".rstrip(".")


def _row(row: Mapping[str, Any]) -> dict[str, Any]:
    fills, theirs = row["fills"], row["their_fills"]
    return {
        **row,
        "symbol": _symbol(row["instrument"]),
        "bought": fills[0],
        "sold": fills[1],
        "their_bought": theirs[0] if theirs else None,
        "their_sold": theirs[1] if theirs else None,
        "cause": row["drift"]["cause"].replace("_", " ") if row["drift"] else "",
        "may_be_adopted": bool(row["drift"]) and row["drift"]["may_be_adopted"],
    }


def _read(label: str, read: Mapping[str, Any], wall: datetime) -> dict[str, Any]:
    at = datetime.fromisoformat(read["good_at"]) if read["good_at"] else None
    read_wall = datetime.fromisoformat(read["good_wall"]) if read["good_wall"] else None
    return {
        "label": label,
        "time": f"{to_ist(at):%H:%M:%S}" if at else None,
        "age_s": None if read_wall is None else max(0.0, (wall - read_wall).total_seconds()),
        "trouble": read["trouble"],
    }


def _last_wishes(client: Client | None, day: date) -> dict[str, dict[str, Any]]:
    """Give of each account what became of the newest wish to adopt something."""
    rows: Iterable[CommandRow] = CommandRow.objects.filter(kind=CommandKind.ADOPT, day=day).order_by("pk")
    return {
        row.arguments["account_key"]: {
            "symbol": _symbol(row.arguments["instrument"]),
            "is_done": row.finished_at is not None,
            "adopted": bool(row.result.get("adopted")),
            "text": row.result.get("text", ""),
        }
        for row in rows
        if client is None or row.client_id == client.pk
    }


def _symbol(instrument: str) -> str:
    return instrument.partition(":")[2] or instrument
