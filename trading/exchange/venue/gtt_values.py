"""What a GTT trigger is: its values, its orders, its states, and what became of it. Values, no behaviour."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from trading.domain.instruments import Instrument
from trading.domain.orders import Side


class GttType(StrEnum):
    """Kite's words: one trigger value, or a lower and an upper one of which the first that is met counts."""

    SINGLE = "single"
    TWO_LEG = "two-leg"

    @property
    def legs(self) -> int:
        """How many trigger values, and how many orders."""
        return 1 if self is GttType.SINGLE else 2


class GttStatus(StrEnum):
    """Kite's words. Disabled, cancelled and rejected are the broker's own doing (corporate action, delisting)."""

    ACTIVE = "active"
    TRIGGERED = "triggered"
    DISABLED = "disabled"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    DELETED = "deleted"


BY_THE_BROKER = (GttStatus.DISABLED, GttStatus.CANCELLED, GttStatus.REJECTED)


@dataclass(frozen=True, slots=True)
class GttOrder:
    """The LIMIT order of one leg; `price` is scaled."""

    side: Side
    quantity: int
    product: str
    price: int


@dataclass(frozen=True, slots=True)
class GttWish:
    """What a client asked for. `values` and `last_price` are scaled; `last_price` is what the client believes it is."""

    type: GttType
    instrument: Instrument
    values: tuple[int, ...]
    last_price: int
    orders: tuple[GttOrder, ...]


@dataclass(frozen=True, slots=True)
class GttResult:
    """What became of a leg that was met: `order_id` is empty when the order was refused, for the reason given."""

    leg: int
    at_ms: int
    triggered_at: int
    order_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Gtt:
    """One trigger. Prices are scaled, times market epoch milliseconds."""

    trigger_id: int
    user_id: str
    api_key: str
    type: GttType
    exchange: str
    tradingsymbol: str
    token: int
    values: tuple[int, ...]
    last_price: int
    orders: tuple[GttOrder, ...]
    created_ms: int
    updated_ms: int
    expires_ms: int
    status: GttStatus = GttStatus.ACTIVE
    result: GttResult | None = None

    @property
    def key(self) -> str:
        """The instrument, in the broker's spelling."""
        return f"{self.exchange}:{self.tradingsymbol}"

    def leg_met(self, ltp: int) -> int | None:
        """Give the number of the leg whose value the price has reached or jumped over, None for none."""
        for leg, value in enumerate(self.values):
            if ltp <= value if value < self.last_price else ltp >= value:
                return leg
        return None


def gtt_from(body: dict[str, Any]) -> Gtt:
    orders = tuple(GttOrder(**order | {"side": Side(order["side"])}) for order in body["orders"])
    known = {
        "type": GttType(body["type"]),
        "status": GttStatus(body["status"]),
        "values": tuple(body["values"]),
        "orders": orders,
        "result": None if body["result"] is None else GttResult(**body["result"]),
    }
    return Gtt(**body | known)
