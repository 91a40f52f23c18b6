"""The control rows. Whoever calls holds `locks.CONTROL` in a transaction."""

from datetime import date, datetime

from trading.domain.control import TradingState, strictest
from trading.models import Client, House
from trading.models.house import ONLY_ROW

REASON_LENGTH = 200


def control_row(client_id: int | None) -> Client | House:
    """Give the control row of a client or of the house. Raises Client.DoesNotExist."""
    if client_id is None:
        return House.objects.get_or_create(id=ONLY_ROW)[0]
    return Client.objects.select_for_update(no_key=True).get(pk=client_id)


def lower_state(
    client_id: int | None, state: TradingState, reason: str, *, latch_day: date | None, wall: datetime
) -> Client | House:
    """Lower a control row. With a latch day it holds for that market day only, beside the state.

    What is already as strict stays as it is, with its first reason.
    """
    row = control_row(client_id)
    if latch_day is not None:
        known = TradingState(row.latched_state) if row.latched_day == latch_day else None
        row.latched_reason = reason[:REASON_LENGTH] if known is None else row.latched_reason
        row.latched_day, row.latched_state = latch_day, strictest(state, known or state)
        row.save(update_fields=["latched_day", "latched_state", "latched_reason"])
    elif strictest(TradingState(row.state), state) != row.state:
        row.state, row.state_reason, row.state_changed_at = state, reason[:REASON_LENGTH], wall
        row.save(update_fields=["state", "state_reason", "state_changed_at"])
    return row
