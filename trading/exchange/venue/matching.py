"""When an order may trade, how much of it, and which of two is the older. Pure; prices are scaled integers."""

from collections.abc import Sequence

from trading.domain.orders import Side
from trading.exchange.venue.orders import Order


def allowed_units(schedule: Sequence[int], attempt: int, remaining: int) -> int:
    """Give how many units the scripted fill schedule lets through at this attempt (from 0).

    Each entry is a percentage of what remains; the last one holds for ever; an empty schedule allows all.
    """
    if not schedule:
        return remaining
    percent = schedule[min(attempt, len(schedule) - 1)]
    return remaining * percent // 100


def is_triggered(side: Side, trigger: int, ltp: int) -> bool:
    """Say whether a stop with this trigger is due at this LTP."""
    return ltp >= trigger if side is Side.BUY else ltp <= trigger


def older(one: Order, other: Order) -> bool:
    """Say whether an order waits longer in the book than another, by tag where both came in one step."""
    return _age(one) < _age(other)


def _age(order: Order) -> tuple[int, str, str, int]:
    return order.resting_since_ms, order.tag, order.user_id, order.sequence
