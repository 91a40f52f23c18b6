"""Exits that were sent by the journal while the database was away, taken in afterwards, safely again and again."""

from datetime import datetime
from typing import Any

from trading.domain.exit_journal import JournaledExit, gate_verdicts, is_news
from trading.domain.orders import IntentState
from trading.models import OrderIntentRow
from trading.ports import EngineEvent
from trading.stores.accounts import AccountIds
from trading.stores.chain import append_events
from trading.stores.intents import OUTCOME_LENGTH, close, learn_order_id, row_of

TERMS = ("side", "quantity", "order_type", "price", "trigger_price", "protection_percent", "product", "algo_id",
         "reason", "decided_at")  # fmt: skip
"""What an order was decided as."""


def import_exit(exit_: JournaledExit, ids: AccountIds, *, at: datetime, wall: datetime) -> bool:
    """Bring one exit's row to the state that the journal has, with its events; False when nothing was new.

    A row that no order of the broker's is known of becomes what was sent: a standby that did not know of it may have
    decided the same purpose anew, for other units.
    """
    row = OrderIntentRow.objects.select_for_update(no_key=True).filter(tag=exit_.tag).first()
    was = None if row is None else IntentState(row.state)
    if not is_news(was, exit_.state):
        return False
    sent = row_of(exit_.intent, ids, decided_at=exit_.decided_at, reason=exit_.reason, wall=wall)
    if row is None:
        row = sent
    elif not row.order_status:
        for name in TERMS:
            setattr(row, name, getattr(sent, name))
    row.state, row.outcome = exit_.state, exit_.words[:OUTCOME_LENGTH] or row.outcome
    row.gate, row.shard, row.epoch = gate_verdicts(exit_), exit_.shard, exit_.epoch
    row.claimed_at, row.resolved_at = row.claimed_at or wall, wall
    row.closed_at = None if was is IntentState.DENIED else row.closed_at
    if exit_.state.is_final_without_order:
        close(row, wall)
    else:
        row.holds_exit_slot = row.closed_at is None and not _is_slot_taken(row)
    row.save()
    learn_order_id(row, exit_.order_id)
    row.save(update_fields=["order_id"])
    append_events(_events(exit_, ids, was, at), wall=wall)
    return True


def _is_slot_taken(row: OrderIntentRow) -> bool:
    """Say whether another exit still counts as live here; its end is known to the broker and follows by itself."""
    slots = OrderIntentRow.objects.filter(account=row.account_id, instrument=row.instrument, holds_exit_slot=True)
    return slots.exclude(pk=row.pk).exists()


def _events(exit_: JournaledExit, ids: AccountIds, was: IntentState | None, at: datetime) -> list[EngineEvent]:
    """Give the gate's verdicts, once, and what the journal told."""
    key = exit_.intent.key
    gate = {"purpose": key.purpose.value, "verdicts": gate_verdicts(exit_)}
    told = {
        "text": f"sent by the exit journal at {exit_.sent_at.isoformat()} while the database was away",
        "was": was.value if was else "unknown",
        "state": exit_.state.value,
        "order_id": exit_.order_id,
        "quantity": exit_.intent.quantity,
    }
    is_first = was in (None, IntentState.NEW, IntentState.DENIED)
    kinds: list[tuple[str, dict[str, Any]]] = [("GATE", gate)] if is_first else []
    return [
        EngineEvent(ids.client_id, kind, at, data, key.account, key.instrument, exit_.tag)
        for kind, data in [*kinds, ("EXIT_IMPORTED", told)]
    ]
