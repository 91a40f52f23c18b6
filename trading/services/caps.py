"""The house's caps, and the ladders that were stopped for repeating themselves: both a person's to change."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction

from trading.domain.timezone import ist_day
from trading.models import Client, House, LadderStop, User
from trading.ports import Clock
from trading.services.control import request_reload
from trading.services.events import actor, market_now, record
from trading.services.limits import LimitsRefused
from trading.stores.controls import control_row
from trading.stores.locks import CONTROL, chain_lock, take

CAPS = {
    "cap_order_value": "order_value",
    "cap_order_quantity": "order_quantity",
    "cap_collar_percent": "collar_percent",
    "cap_trades_a_day": "trades_a_day",
    "cap_open_positions": "open_positions",
    "cap_entries_a_ladder": "entries_a_ladder",
    "cap_same_side_entries": "same_side_entries",
    "cap_same_side_seconds": "same_side_seconds",
    "needs_algo_id": "needs_algo_id",
}
"""Columns of the house, and what each is called among the caps."""


def save_house_caps(values: Mapping[str, Any], *, by: User, clock: Clock) -> House:
    """Save the house's caps (columns of CAPS, already of their types); the engine reads them at once.

    Raises LimitsRefused for a cap that bounds nothing, and PermissionDenied for whoever is no operator.
    """
    if not by.is_operator:
        raise PermissionDenied("the house's caps are its operator's")
    with transaction.atomic():
        take([CONTROL, chain_lock(None)])
        row = control_row(None)
        assert isinstance(row, House)  # noqa: S101 (None is the house)
        changed = {
            name: [str(getattr(row, name)), str(values[name])] for name in CAPS if getattr(row, name) != values[name]
        }
        for name in CAPS:
            setattr(row, name, values[name])
        if problems := row.caps().problems():
            raise LimitsRefused({column: problems[cap] for column, cap in CAPS.items() if cap in problems})
        row.save(update_fields=list(CAPS))
        if changed:
            record(None, "HOUSE_CAPS_CHANGED", {"changed": changed, "by": actor(by)}, clock=clock)
            request_reload(None, by=by, clock=clock)
    return row


def stopped_ladders(client: Client | None) -> list[LadderStop]:
    """Give a client's ladders, or with None everybody's, that enter nothing until a person lets them go on."""
    found = LadderStop.objects.filter(allowed_at=None).select_related("account__owner").order_by("stopped_at")
    return list(found if client is None else found.filter(account__owner=client.user))


def find_stop(user: User, stop_id: int) -> LadderStop | None:
    """Give a stop that a person may lift: an operator any, a client their own."""
    found = LadderStop.objects.filter(pk=stop_id, allowed_at=None).select_related("account")
    return (found if user.is_operator else found.filter(account__owner=user)).first()


def let_go_on(stop: LadderStop, reason: str, *, by: User, clock: Clock) -> None:
    """Let a stopped ladder enter again; its repetitions count from now. Pressed twice it happens once."""
    client = Client.objects.get(user=stop.account.owner)
    if not by.is_operator and client.user_id != by.pk:
        raise PermissionDenied("this is somebody else's account")
    now = market_now(clock)
    with transaction.atomic():
        take([CONTROL, chain_lock(client.pk)])
        standing = LadderStop.objects.filter(pk=stop.pk, allowed_at=None)
        if not standing.update(allowed_at=now, allowed_day=ist_day(now), allowed_by=by):
            return
        told = {"account": stop.account.key, "instrument": stop.instrument, "was": stop.reason, "reason": reason}
        record(client.pk, "LADDER_ALLOWED", {**told, "by": actor(by)}, clock=clock)
