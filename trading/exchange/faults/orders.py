"""The script of the venue's hand: rules about orders, cancellations, slices and the broker's screens."""

from collections.abc import Callable

from trading.exchange.faults.engine import Faults
from trading.exchange.faults.places import CANCEL, ORDER, READ, SLICE
from trading.exchange.faults.rules import Rule, Target
from trading.exchange.venue.hand import FILL, REJECT, RESURRECT, Fate
from trading.exchange.venue.orders import Order
from trading.exchange.venue.rules import OrderRequest

DUE_LATER = (REJECT, RESURRECT)
SECOND_MS = 1000


class OrderFaults:
    """Implements `venue.hand.Script`. A rule's seconds are market time here, but for the lag of a screen."""

    def __init__(self, faults: Faults, now_ms: Callable[[], int]) -> None:
        self._faults = faults
        self._now_ms = now_ms

    def on_order(self, order: Order, *, is_exit: bool) -> Fate | None:
        """Say what the rules do to a program's order that reaches the exchange; those of no app are not struck."""
        if not self._faults.rules or not order.api_key:
            return None
        return self._fate(self._faults.pick(_target(ORDER, order, is_exit=is_exit)), order)

    def on_cancel(self, order: Order) -> Fate | None:
        """Say what the rules do instead of, or after, a cancellation."""
        if not self._faults.rules:
            return None
        return self._fate(self._faults.pick(_target(CANCEL, order)), order)

    def on_slice(self, user_id: str, api_key: str, request: OrderRequest) -> str:
        """Give why the rules let a slice fail."""
        if not self._faults.rules:
            return ""
        target = Target(
            SLICE, "", user_id, api_key, instrument=request.instrument.key, side=request.side, tag=request.tag
        )
        rule = self._faults.pick(target)
        return "" if rule is None else rule.message

    def lag_s(self, user_id: str, screen: str) -> float:
        """Give the lag that the rules put on a screen."""
        if not self._faults.rules:
            return 0.0
        rule = self._faults.pick(Target(READ, screen, user_id))
        return 0.0 if rule is None else rule.seconds

    def _fate(self, rule: Rule | None, order: Order) -> Fate | None:
        if rule is None:
            return None
        due_ms = self._now_ms() + round(rule.seconds * SECOND_MS) if rule.action in DUE_LATER else 0
        schedule = rule.schedule if rule.action == FILL else ()
        return Fate(order.order_id, rule.action, due_ms, rule.message, schedule)


def _target(method: str, order: Order, *, is_exit: bool = False) -> Target:
    return Target(
        method,
        order.order_id,
        order.user_id,
        order.api_key,
        instrument=order.instrument.key,
        side=order.side,
        tag=order.tag,
        is_exit=is_exit,
    )
