"""The life of an intent row. Each function is one piece of work inside the caller's transaction."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F

from trading.domain.control import TradingState, state_denial
from trading.domain.errors import ExitAlreadyLive
from trading.domain.orders import (
    NEVER_SENT,
    BrokerOrder,
    IntentState,
    OrderIntent,
    Purpose,
    check_transition,
    is_stale_word,
)
from trading.domain.timezone import ist_day
from trading.models import Fill, Lease, OrderIntentRow
from trading.ports import Claim, EngineEvent
from trading.stores import ladder_stops
from trading.stores.accounts import AccountIds
from trading.stores.book import house_state
from trading.stores.chain import append_events
from trading.stores.controls import account_state

OUTCOME_LENGTH = 400
CLAIM_COLUMNS = [
    *("state", "gate", "shard", "epoch", "claimed_at", "resolved_at", "outcome"),
    *("holds_exit_slot", "closed_at"),
]


def create(
    intent: OrderIntent, ids: AccountIds, *, decided_at: datetime, reason: Mapping[str, Any], wall: datetime
) -> bool:
    """Insert a NEW intent. False when its purpose key exists; raises ExitAlreadyLive when its slot is taken."""
    key = intent.key
    row = row_of(intent, ids, decided_at=decided_at, reason=reason, wall=wall)
    slots = OrderIntentRow.objects.filter(account=ids.account_id, instrument=key.instrument, holds_exit_slot=True)
    try:
        _insert(row)
    except IntegrityError:
        if OrderIntentRow.objects.filter(purpose_key=row.purpose_key).exists():
            return False
        # Every order is for its day only: one that nobody saw end on an earlier day can fill no more.
        if key.purpose.is_exit and slots.filter(day__lt=key.day).update(holds_exit_slot=False, closed_at=wall):
            _insert(row)
            return True
        live = slots.values_list("tag", flat=True).first()
        if live is None or not key.purpose.is_exit:
            raise
        raise ExitAlreadyLive(f"{key.account} {key.instrument} had the live exit {live}") from None
    return True


def row_of(
    intent: OrderIntent, ids: AccountIds, *, decided_at: datetime, reason: Mapping[str, Any], wall: datetime
) -> OrderIntentRow:
    """Give the row of a NEW intent, not saved yet."""
    key = intent.key
    return OrderIntentRow(
        purpose_key=key.text(),
        tag=intent.tag,
        client_id=ids.client_id,
        account_id=ids.account_id,
        day=key.day,
        instrument=key.instrument,
        position=key.position,
        purpose=key.purpose,
        round=key.round,
        slice=key.slice,
        side=intent.side,
        quantity=intent.quantity,
        order_type=intent.order_type,
        price=intent.price,
        trigger_price=intent.trigger_price,
        protection_percent=intent.protection_percent,
        product=intent.product,
        algo_id=intent.algo_id,
        is_exit=key.purpose.is_exit,
        holds_exit_slot=key.purpose.is_exit,
        reason=dict(reason),
        decided_at=decided_at,
        created_at=wall,
    )


def _insert(row: OrderIntentRow) -> None:
    with transaction.atomic():
        row.save(force_insert=True)


def claim(
    tag: str, *, shard: str, epoch: int, verdicts: Sequence[Mapping[str, Any]], at: datetime, wall: datetime
) -> Claim:
    """Set SENDING, or DENIED when the control rows refuse, and log all verdicts with the claim's own (GATE).

    `at` is market time. The caller holds the lease and control locks, so in a client's chain no GATE that let an
    entry pass can stand behind the kill that forbids it.
    """
    rows = OrderIntentRow.objects.select_for_update(no_key=True, of=("self",))
    row = rows.select_related("client", "account").get(tag=tag)
    day = ist_day(at)
    states = {
        "house": house_state(day),
        "client": row.client.state_on(day),
        "account": account_state(row.account_id, day),
    }
    answer = _claim_of(row, shard, epoch, states)
    verdict = {"check": "claim", "ok": not answer.denied, "facts": {"shard": shard, "epoch": epoch, **states}}
    if answer.denied:
        verdict |= {"code": answer.denied, "message": answer.message}
    told = [*(dict(one) for one in verdicts), verdict]
    if answer.denied not in ("LEASE_LOST", "NOT_NEW"):
        row.gate, row.shard, row.epoch = told, shard, epoch
        if answer.denied:
            row.state, row.resolved_at, row.outcome = IntentState.DENIED, wall, f"{answer.denied}: {answer.message}"
            close(row, wall)
        else:
            row.state, row.claimed_at = IntentState.SENDING, wall
        row.save(update_fields=CLAIM_COLUMNS)
    data = {"purpose": row.purpose, "verdicts": told}
    append_events([EngineEvent(row.client_id, "GATE", at, data, row.account.key, row.instrument, tag)], wall=wall)
    return answer


def claim_change(tag: str, *, shard: str, epoch: int) -> Claim:
    """Count one more change of an order. The caller holds the lease lock; its epoch decides."""
    if (denied := lease_lost(shard, epoch)) is not None:
        return denied
    OrderIntentRow.objects.filter(tag=tag).update(changes=F("changes") + 1)
    return Claim()


def lease_lost(shard: str, epoch: int) -> Claim | None:
    """Deny when the lease, which the caller has locked, is not held with this epoch."""
    if Lease.objects.filter(shard=shard, epoch=epoch).exclude(holder="").exists():
        return None
    return Claim("LEASE_LOST", f"the lease of {shard} was not held with epoch {epoch}")


def _claim_of(row: OrderIntentRow, shard: str, epoch: int, states: Mapping[str, TradingState]) -> Claim:
    """Judge under the locks: the lease's epoch, the intent's state, the control rows."""
    if (denied := lease_lost(shard, epoch)) is not None:
        return denied
    if row.state != IntentState.NEW:
        return Claim("NOT_NEW", f"the intent was {row.state}", IntentState(row.state))
    if not row.is_exit and not row.account.is_enabled:
        return Claim("ACCOUNT_DISABLED", f"{row.account} was disabled")
    if not row.is_exit and (stop := ladder_stops.standing(row.account_id, row.instrument)):
        return Claim("LADDER_STOPPED", f"stopped until a person lets it go on: {stop.reason}")
    denial = state_denial(Purpose(row.purpose), **states)
    return Claim(*denial) if denial else Claim()


def resolve(tag: str, state: IntentState, *, order_id: str, reason: str, wall: datetime) -> None:
    """Move an intent on. The same state again changes nothing; raises IllegalTransition against NEXT_STATES."""
    row = OrderIntentRow.objects.select_for_update(no_key=True).get(tag=tag)
    if check_transition(IntentState(row.state), state):
        learn_order_id(row, order_id)
        _move_on(row, state, reason, wall)


def never_sent(tag: str, *, shard: str, epoch: int, reason: str, wall: datetime) -> None:
    """Settle an intent that never left, if there is a row of it; see the port."""
    row = OrderIntentRow.objects.select_for_update(no_key=True).filter(tag=tag).first()
    if row is None or (row.state == IntentState.SENDING and (row.shard, row.epoch) != (shard, epoch)):
        return
    state = NEVER_SENT.get(IntentState(row.state))
    if state is not None:
        _move_on(row, state, reason, wall)


def _move_on(row: OrderIntentRow, state: IntentState, reason: str, wall: datetime) -> None:
    row.state, row.resolved_at = state, wall
    row.outcome = reason[:OUTCOME_LENGTH] or row.outcome
    if state.is_final_without_order:
        close(row, wall)
    row.save()


def save_order(account_key: str, order: BrokerOrder, *, wall: datetime) -> None:
    """Keep the broker's last word of an order of ours. Strangers' orders and stale words are passed over."""
    ours = OrderIntentRow.objects.select_for_update(no_key=True).filter(tag=order.tag, account__key=account_key)
    row = ours.first()
    if row is None or is_stale_word(order, known=row.to_order()):
        return
    learn_order_id(row, order.order_id)
    row.order_status = order.status
    row.broker_status = order.broker_status[:60]
    row.status_message = order.status_message[:OUTCOME_LENGTH]
    row.broker_product = order.product
    row.broker_quantity = order.quantity
    row.filled_quantity = order.filled_quantity
    row.average_price = order.average_price
    row.broker_price = order.price
    row.broker_trigger_price = order.trigger_price
    row.broker_placed_at = order.placed_at
    row.broker_updated_at = order.updated_at
    if order.status.is_final:
        close(row, wall)
    row.save()


def learn_order_id(row: OrderIntentRow, order_id: str) -> None:
    """Note the broker's id, and take over fills that came before it was known."""
    if order_id and order_id != row.order_id:
        row.order_id = order_id
        Fill.objects.filter(account_id=row.account_id, day=row.day, order_id=order_id, intent=None).update(intent=row)


def close(row: OrderIntentRow, wall: datetime) -> None:
    row.holds_exit_slot = False
    row.closed_at = row.closed_at or wall
