"""The control rows. Whoever calls holds `locks.CONTROL` in a transaction."""

from datetime import date, datetime

from trading.domain.control import TradingState, strictest
from trading.models import AccountControl, BrokerAccount, Client, House
from trading.models.house import ONLY_ROW

REASON_LENGTH = 200

ControlRow = House | Client | AccountControl


def control_row(client_id: int | None, account_key: str = "") -> ControlRow:
    """Give the control row of the house (None), of a client, or of one of the client's accounts.

    Raises Client.DoesNotExist, and BrokerAccount.DoesNotExist for an account of somebody else.
    """
    if client_id is None:
        return House.objects.get_or_create(id=ONLY_ROW)[0]
    if not account_key:
        return Client.objects.select_for_update(no_key=True).get(pk=client_id)
    account = BrokerAccount.objects.get(key=account_key, owner__client=client_id)
    return AccountControl.objects.select_for_update(no_key=True).get_or_create(account=account)[0]


def seen_row(client_id: int | None, account_key: str = "") -> ControlRow:
    """Give the same row as it is, without holding it; one that was never made is ACTIVE."""
    if client_id is None:
        return House.objects.filter(id=ONLY_ROW).first() or House()
    if not account_key:
        return Client.objects.get(pk=client_id)
    return AccountControl.objects.filter(account__key=account_key).first() or AccountControl()


def account_state(account_id: int, day: date) -> TradingState:
    """Give one account's own state on a market day. One without a row was never stopped."""
    row = AccountControl.objects.filter(account_id=account_id).first()
    return TradingState.ACTIVE if row is None else row.state_on(day)


def account_states(day: date) -> dict[str, TradingState]:
    """Give every account's own state on a market day, by its key."""
    columns = ("key", "control__state", "control__latched_day", "control__latched_state")
    return {
        key: TradingState.ACTIVE
        if state is None  # there is no row: it was never stopped
        else AccountControl(state=state, latched_day=latched_day, latched_state=latched_state).state_on(day)
        for key, state, latched_day, latched_state in BrokerAccount.objects.exclude(key="").values_list(*columns)
    }


def lower_state(
    client_id: int | None,
    state: TradingState,
    reason: str,
    *,
    account_key: str = "",
    latch_day: date | None,
    wall: datetime,
) -> ControlRow:
    """Lower a control row. With a latch day it holds for that market day only, beside the state.

    What is already as strict stays as it is, with its first reason.
    """
    row = control_row(client_id, account_key)
    if latch_day is not None:
        known = TradingState(row.latched_state) if row.latched_day == latch_day else None
        row.latched_reason = reason[:REASON_LENGTH] if known is None else row.latched_reason
        row.latched_day, row.latched_state = latch_day, strictest(state, known or state)
        row.save(update_fields=["latched_day", "latched_state", "latched_reason"])
    elif strictest(TradingState(row.state), state) != row.state:
        row.state, row.state_reason, row.state_changed_at = state, reason[:REASON_LENGTH], wall
        row.save(update_fields=["state", "state_reason", "state_changed_at"])
    return row
