"""When an order may trade, and how much of it. Pure; prices are scaled integers.

The book itself is `market.quotes.Book`: every user walks an own one, so one account's fills never depend on
another's; what a user took stays taken until the next quote.
"""

from collections.abc import Sequence

from trading.domain.orders import Side


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
