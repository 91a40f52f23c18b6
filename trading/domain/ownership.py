"""Whose units they are: the strategy's own, and those that the client traded by hand."""

from collections.abc import Container, Iterable
from typing import NamedTuple

from trading.domain.orders import BrokerTrade


class Share(NamedTuple):
    """Signed units of one position. Own and external are never open against each other: they close each other."""

    own: int
    external: int


def offset(own: int, external: int) -> Share:
    """Let opposite own and external units close each other."""
    if own * external >= 0:
        return Share(own, external)
    closed = min(abs(own), abs(external))
    own_sign = 1 if own > 0 else -1
    return Share(own - own_sign * closed, external + own_sign * closed)


def share(trades: Iterable[BrokerTrade], own_orders: Container[str]) -> Share:
    """Fold one position's trades, in the order of their times. `own_orders` holds the ids of our orders.

    A trade by hand closes first what was opened by hand, then ours.
    """
    found = Share(0, 0)
    for trade in trades:
        units = trade.side.sign * trade.quantity
        if trade.order_id in own_orders:
            found = offset(found.own + units, found.external)
        else:
            found = offset(found.own, found.external + units)
    return found
