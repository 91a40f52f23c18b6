"""What sets an order apart from a plain one: its variety, and its place among the orders of one wish."""

from collections.abc import Sequence
from typing import Any, NamedTuple

REGULAR, AMO, ICEBERG, COVER, AUCTION = "regular", "amo", "iceberg", "co", "auction"
VARIETIES = (REGULAR, AMO, ICEBERG, COVER, AUCTION)


class Iceberg(NamedTuple):
    """Which leg of an iceberg an order is. Legs count from 1, quantities are units."""

    leg: int
    legs: int
    leg_quantity: int
    total_quantity: int

    @property
    def remaining_quantity(self) -> int:
        """Units of the legs after this one."""
        return max(0, self.total_quantity - self.leg * self.leg_quantity)


class Kind(NamedTuple):
    """`parent_order_id` is the iceberg's or cover order's first leg, None for a first leg itself.

    `slice_of` is the id that an autosliced order's children share; `stop` the scaled trigger that a cover
    order's second leg gets; `auction_number` the auction session's number; `placed_by` is empty for a client's order.
    """

    variety: str = REGULAR
    parent_order_id: str | None = None
    iceberg: Iceberg | None = None
    slice_of: str = ""
    stop: int = 0
    auction_number: str = ""
    placed_by: str = ""


PLAIN = Kind()
BROKER_DESK = Kind(placed_by="RMS")
"""An order of the broker's risk desk."""


def kind_from(kept: Sequence[Any]) -> Kind:
    """Read a kind back from JSON."""
    variety, parent, iceberg, *rest = kept
    return Kind(variety, parent, None if iceberg is None else Iceberg(*iceberg), *rest)
