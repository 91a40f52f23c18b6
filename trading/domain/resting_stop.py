"""Where a stop that rests at the exchange stands: the last net beyond the ladder's own stop, where a client wants it.

It is a stop-limit order (SL), the kind that shares, futures and options all take; a stop-market one is refused for
options and becomes a limit with protection all the same (protocol notes, section 5).
"""

from dataclasses import dataclass
from decimal import Decimal

from trading.domain.money import round_to_tick
from trading.domain.orders import Side

LIMIT_BEYOND_PERCENT = Decimal(3)
"""The limit lies so far beyond the trigger; a fall through both leaves it resting, and the engine's exits to work."""
MOVES_BY_PARTS = 4
"""It follows the ladder's stop only in steps of at least this part of its distance: changes of an order are few."""


@dataclass(frozen=True, slots=True)
class StopPrices:
    """Rupees, on the tick."""

    trigger: Decimal
    limit: Decimal


def resting_stop(side: Side, ladder_stop: Decimal, percent: Decimal, tick_size: Decimal) -> StopPrices:
    """Give the prices of a stop of this (closing) side, `percent` of the ladder's stop beyond it."""
    trigger = round_to_tick(ladder_stop * (1 + side.sign * percent / 100), tick_size)
    return StopPrices(trigger, round_to_tick(trigger * (1 + side.sign * LIMIT_BEYOND_PERCENT / 100), tick_size))


def follows(side: Side, wanted: Decimal, present: Decimal, percent: Decimal) -> bool:
    """Say whether a trigger moves: only nearer to the market, and only by a step worth a change."""
    nearer = (present - wanted) * side.sign
    return nearer * MOVES_BY_PARTS * 100 >= percent * present
