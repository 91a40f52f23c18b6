"""What we ask a broker for, and what the broker says of it.

An intent is ours and made before sending; a `BrokerOrder` is the broker's row. The two meet by `tag`.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from hashlib import sha256

from trading.domain.errors import IllegalTransition

TAG_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
TAG_LENGTH = 14


class Side(StrEnum):
    """Kite's transaction_type words."""

    BUY = "BUY"
    SELL = "SELL"

    @property
    def sign(self) -> int:
        """+1 for a buy, -1 for a sell."""
        return 1 if self is Side.BUY else -1

    @property
    def opposite(self) -> "Side":
        """The side that closes this one."""
        return Side.SELL if self is Side.BUY else Side.BUY


class Product(StrEnum):
    """MIS is intraday, NRML carries F&O overnight, CNC is delivery."""

    MIS = "MIS"
    NRML = "NRML"
    CNC = "CNC"


class OrderType(StrEnum):
    """Kite's order_type words. MARKET always goes out with market protection."""

    MARKET = "MARKET"
    LIMIT = "LIMIT"
    SL = "SL"


class Purpose(StrEnum):
    """Why an order exists. Everything but ENTRY only ever reduces a position."""

    ENTRY = "ENTRY"
    TARGET = "TARGET"
    STOP = "STOP"
    SQUARE_OFF = "SQUARE_OFF"
    KILL = "KILL"
    LIMIT_REACHED = "LIMIT_REACHED"
    MANUAL_EXIT = "MANUAL_EXIT"
    DISASTER_STOP = "DISASTER_STOP"

    @property
    def is_exit(self) -> bool:
        """True for every purpose that may only shrink a position."""
        return self is not Purpose.ENTRY

    @property
    def outranks_ladder(self) -> bool:
        """True for an exit that no ladder decided: it closes whatever is open, whoever opened it."""
        return self not in (Purpose.ENTRY, Purpose.TARGET, Purpose.STOP)


class IntentState(StrEnum):
    """The life of an intent. See `NEXT_STATES`."""

    NEW = "NEW"
    DENIED = "DENIED"
    SENDING = "SENDING"
    ACKED = "ACKED"
    REFUSED = "REFUSED"
    IN_DOUBT = "IN_DOUBT"
    ADOPTED = "ADOPTED"
    ABSENT = "ABSENT"

    @property
    def is_final_without_order(self) -> bool:
        """True when no order exists at the broker and none will come from this intent."""
        return self in (IntentState.DENIED, IntentState.REFUSED, IntentState.ABSENT)


NEXT_STATES: dict[IntentState, frozenset[IntentState]] = {
    IntentState.NEW: frozenset({IntentState.SENDING, IntentState.DENIED}),
    IntentState.SENDING: frozenset({IntentState.ACKED, IntentState.REFUSED, IntentState.IN_DOUBT, IntentState.ADOPTED}),
    IntentState.IN_DOUBT: frozenset({IntentState.ADOPTED, IntentState.ABSENT}),
    # A book that lagged behind: the order we had proved absent turned up after all.
    IntentState.ABSENT: frozenset({IntentState.ADOPTED}),
    IntentState.ACKED: frozenset(),
    IntentState.ADOPTED: frozenset(),
    IntentState.REFUSED: frozenset({IntentState.ADOPTED}),
    IntentState.DENIED: frozenset(),
}


NEVER_SENT = {IntentState.NEW: IntentState.DENIED, IntentState.SENDING: IntentState.REFUSED}
"""What an intent becomes of which is known for certain that it never left; every other state knows better."""


def check_transition(present: IntentState, wanted: IntentState) -> bool:
    """Say whether an intent changes; False when it is there already. Raises IllegalTransition against NEXT_STATES."""
    if wanted is present:
        return False
    if wanted not in NEXT_STATES[present]:
        raise IllegalTransition(f"an intent that was {present} cannot become {wanted}")
    return True


class OrderStatus(StrEnum):
    """A broker's order states, normalised. UNKNOWN is a word we do not know: treated as live."""

    PENDING = "PENDING"
    OPEN = "OPEN"
    TRIGGER_PENDING = "TRIGGER_PENDING"
    COMPLETE = "COMPLETE"
    CANCELLED = "CANCELLED"
    REJECTED = "REJECTED"
    UNKNOWN = "UNKNOWN"

    @property
    def is_final(self) -> bool:
        """True when no more fills are expected."""
        return self in (OrderStatus.COMPLETE, OrderStatus.CANCELLED, OrderStatus.REJECTED)


@dataclass(frozen=True, slots=True)
class PurposeKey:
    """What makes an order unique for ever: two paths that want the same thing compute the same key.

    `account` is the stable account key (`kite:AB1001`), `position` counts positions of that
    instrument and account today from 1, `round` counts attempts of one purpose, `slice` from 0.
    """

    day: date
    account: str
    instrument: str
    position: int
    purpose: Purpose
    round: int = 0
    slice: int = 0

    def text(self) -> str:
        """Give the key as one line, the form that is stored and hashed."""
        parts = (
            self.day.isoformat(),
            self.account,
            self.instrument,
            self.position,
            self.purpose,
            self.round,
            self.slice,
        )
        return "|".join(str(part) for part in parts)

    def tag(self) -> str:
        """Derive the broker tag: 14 letters and digits, the same on every path and machine."""
        return _tag_of(self.text())


@lru_cache(maxsize=4096)
def _tag_of(text: str) -> str:
    number = int.from_bytes(sha256(text.encode()).digest(), "big")
    letters = []
    for _ in range(TAG_LENGTH):
        number, rest = divmod(number, len(TAG_ALPHABET))
        letters.append(TAG_ALPHABET[rest])
    return "".join(letters)


@dataclass(frozen=True, slots=True)
class OrderIntent:
    """One order we want. `quantity` is units; `protection_percent` belongs to MARKET (-1 is the broker's own band)."""

    key: PurposeKey
    side: Side
    quantity: int
    order_type: OrderType = OrderType.MARKET
    price: Decimal | None = None
    protection_percent: Decimal = Decimal(-1)
    product: Product = Product.MIS
    algo_id: str = ""
    trigger_price: Decimal | None = None

    def __post_init__(self) -> None:
        if self.quantity <= 0:
            raise ValueError(f"quantity must be positive, was {self.quantity}")
        if (self.price is None) != (self.order_type is OrderType.MARKET):
            raise ValueError(f"a {self.order_type} order had price {self.price}")
        if (self.trigger_price is None) != (self.order_type is not OrderType.SL):
            raise ValueError(f"a {self.order_type} order had trigger price {self.trigger_price}")

    @property
    def tag(self) -> str:
        """The tag under which the broker will know this order."""
        return self.key.tag()


@dataclass(frozen=True, slots=True)
class OrderChange:
    """What of an order that rests is to be another; None leaves a field as it is. Quantity is the whole order's units.

    `protection_percent` belongs to MARKET, as in an intent.
    """

    order_type: OrderType
    price: Decimal | None = None
    trigger_price: Decimal | None = None
    quantity: int | None = None
    protection_percent: Decimal = Decimal(-1)

    def as_dict(self) -> dict[str, object]:
        """Give it for the event log."""
        return {
            "order_type": self.order_type.value,
            "price": self.price and str(self.price),
            "trigger_price": self.trigger_price and str(self.trigger_price),
            "quantity": self.quantity,
            "protection_percent": str(self.protection_percent) if self.order_type is OrderType.MARKET else None,
        }

    def is_seen_in(self, order: "BrokerOrder") -> bool:
        """Say whether the broker's row shows this change. Protection cannot be seen: the row has its limit only."""
        asked = ((self.price, order.price), (self.trigger_price, order.trigger_price), (self.quantity, order.quantity))
        return all(wanted is None or wanted == there for wanted, there in asked)


@dataclass(frozen=True, slots=True)
class BrokerOrder:
    """One row of a broker's order book, or one order update. Times are aware UTC.

    `price` is the limit at which it stands, `trigger_price` that of a stop; None where the broker says none.
    """

    order_id: str
    tag: str
    status: OrderStatus
    instrument: str
    side: Side
    product: str
    quantity: int
    filled_quantity: int
    average_price: Decimal
    status_message: str = ""
    broker_status: str = ""
    placed_at: datetime | None = None
    updated_at: datetime | None = None
    price: Decimal | None = None
    trigger_price: Decimal | None = None

    @property
    def is_live(self) -> bool:
        """True while fills may still come."""
        return not self.status.is_final


def merge_order(known: BrokerOrder | None, heard: BrokerOrder) -> BrokerOrder:
    """Give what to believe after hearing an order message: the one that carries more news.

    The order in which messages come, and how often, does not matter. Filled quantity never falls, and a final
    order stays final but for more fills (an order reported cancelled may still fill: a broker's late truth is
    never refused, see `is_late_fill`).
    """
    if known is None:
        return heard
    if heard is known or heard == known:
        return known
    ours, theirs = _news(known), _news(heard)
    if ours == theirs:  # nothing tells them apart but their words; some order there must be
        return heard if repr(heard) > repr(known) else known
    return heard if theirs > ours else known


def is_stale_word(heard: BrokerOrder, *, known: BrokerOrder | None) -> bool:
    """Say whether `heard` is older than what is known of the same order, or the same."""
    return known is not None and merge_order(known, heard) is known


def is_late_fill(heard: BrokerOrder, *, known: BrokerOrder | None) -> bool:
    """Say whether an order reported cancelled or rejected filled after all: to be adopted, with an alarm."""
    return known is not None and known.status.is_final and heard.filled_quantity > known.filled_quantity


def _news(order: BrokerOrder) -> tuple[int, bool, float, int]:
    """Rank what a message says of an order."""
    at = order.updated_at.timestamp() if order.updated_at else 0.0
    return order.filled_quantity, order.status.is_final, at, _STATUS_RANK[order.status]


_STATUS_RANK = {
    status: rank
    for rank, status in enumerate(
        (
            OrderStatus.UNKNOWN,
            OrderStatus.PENDING,
            OrderStatus.TRIGGER_PENDING,
            OrderStatus.OPEN,
            OrderStatus.REJECTED,
            OrderStatus.CANCELLED,
            OrderStatus.COMPLETE,
        )
    )
}
"""Breaks a tie between two messages of the same second."""


@dataclass(frozen=True, slots=True)
class BrokerTrade:
    """One fill as the broker lists it. `quantity` is units, `price` rupees, `filled_at` aware UTC."""

    trade_id: str
    order_id: str
    instrument: str
    side: Side
    product: str
    quantity: int
    price: Decimal
    filled_at: datetime


@dataclass(frozen=True, slots=True)
class BrokerPosition:
    """One net position as the broker sees it; `net_quantity` is signed units, `overnight` the part carried into today.

    `bought` and `sold` are today's units, None where the broker does not tell them. `pnl` is rupees at `last_price`.
    """

    instrument: str
    product: str
    net_quantity: int
    average_price: Decimal
    last_price: Decimal
    pnl: Decimal
    bought: int | None = None
    sold: int | None = None
    overnight: int = 0
