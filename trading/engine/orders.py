"""One order of ours while the engine knows it: the intent, its state, and the broker's last word."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from trading.domain.orders import BrokerOrder, IntentState, OrderIntent, Purpose

MOST_CHANGES = 20
"""An order changed so often is cancelled for a new one: the broker refuses the 26th change (protocol notes, 5)."""

UNSETTLED = frozenset({IntentState.NEW, IntentState.SENDING, IntentState.IN_DOUBT})


@dataclass(slots=True, eq=False)
class Working:
    """An intent and what became of it. `decided_at` is market time, `words` why it was denied or refused.

    `is_cleared`: the gate let it pass. `is_withdrawn`: nobody wants it any more; it is not sent, and cancelled as
    soon as the broker has it. `is_late`: it turned up after it was proved absent or refused. `whole_quantity` is what
    it is a slice of, in units; the whole order itself where it is none. `changes` counts what was asked to change it,
    `limit` is the last price that the broker took for it. `is_changing`: a change is under way. `is_locked`: a person
    was told that it stands at its circuit limit. `is_unstored`: it goes by the exit journal.
    """

    intent: OrderIntent
    decided_at: datetime
    reason: Mapping[str, Any] = field(default_factory=dict)
    state: IntentState = IntentState.NEW
    order: BrokerOrder | None = None
    order_id: str = ""
    words: str = ""
    cancels_asked: int = 0
    is_cancel_asked: bool = False
    is_cleared: bool = False
    is_withdrawn: bool = False
    is_late: bool = False
    is_unstored: bool = False
    is_changing: bool = False
    is_locked: bool = False
    changes: int = 0
    limit: Decimal | None = None
    whole_quantity: int = 0

    def __post_init__(self) -> None:
        self.whole_quantity = max(self.whole_quantity, self.intent.quantity)

    @property
    def tag(self) -> str:
        """The tag under which the broker knows it."""
        return self.intent.tag

    @property
    def purpose(self) -> Purpose:
        """Why it exists."""
        return self.intent.key.purpose

    @property
    def is_resting(self) -> bool:
        """True while the broker has it and may fill it."""
        return self.may_fill and self.state not in UNSETTLED

    @property
    def counts_as_entry(self) -> bool:
        """True for an entry that the gate let pass, whatever came of it, unless it was denied after all."""
        if self.purpose.is_exit or self.state is IntentState.DENIED:
            return False
        return self.is_cleared or self.state is not IntentState.NEW

    @property
    def filled(self) -> int:
        """Units filled by the broker's last word."""
        return self.order.filled_quantity if self.order else 0

    @property
    def units(self) -> int:
        """The whole order's units, as the broker has it: a change may have made it another size."""
        return self.order.quantity if self.order and self.changes else self.intent.quantity

    @property
    def remaining(self) -> int:
        """Units that may still fill; 0 once it is final."""
        return self.units - self.filled if self.may_fill else 0

    @property
    def may_fill(self) -> bool:
        """True until it is certain that no more fills come."""
        if self.state in UNSETTLED:
            return True
        if self.state.is_final_without_order:
            return False
        return self.order is None or self.order.is_live
