"""How often an account is read. All are wire seconds, and all fit into the budget of `reads`."""

from trading.engine.desk import AccountDesk
from trading.engine.tools import Tools

IN_FLIGHT_EVERY_S = 2.0
ORDERS_EVERY_S = 5.0
CLOSED_EVERY_S = 30.0
POSITIONS_EVERY_S = 30.0
POSITIONS_EVERY_S_NEAR_END = 5.0


def orders_every_s(tools: Tools, desk: AccountDesk) -> float:
    """Give how long to wait for the next look at order book and fills: less while an order of ours may fill.

    On a day of trading it is always looked: what is traded by hand rests nowhere and is told by nobody.
    """
    if any(working.may_fill for working in desk.orders.by_tag.values()):
        return IN_FLIGHT_EVERY_S
    return ORDERS_EVERY_S if _may_trade(tools) else CLOSED_EVERY_S


def positions_every_s(desk: AccountDesk, *, is_near_end: bool) -> float:
    """Give how long to wait for the next look at the positions."""
    is_close = is_near_end or not desk.is_reconciled
    return POSITIONS_EVERY_S_NEAR_END if is_close else POSITIONS_EVERY_S


def _may_trade(tools: Tools) -> bool:
    """Say whether anybody can trade now: from the day's first phase to its last; on an unknown day, always."""
    calendar = tools.deps.calendar
    begins = calendar.day_begins_at(tools.day)
    if begins is None:
        return not calendar.is_known_closed(tools.day)
    return begins <= tools.now() <= calendar.day_ends_at(tools.day)
