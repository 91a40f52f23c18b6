"""An order at the venue, its states, and the trades it made. Prices and values are scaled integers."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from trading.domain.instruments import Instrument
from trading.domain.orders import Side
from trading.exchange.venue.kinds import PLAIN, Kind

MINUTE_MS = 60_000
LONG_AGO = float("-inf")
"""Wire time of whatever happened in an earlier process."""


class Status(StrEnum):
    """Kite's status words in the order in which they can come."""

    AMO_RECEIVED = "AMO REQ RECEIVED"
    AMO_MODIFIED = "MODIFY AMO REQ RECEIVED"
    RECEIVED = "PUT ORDER REQ RECEIVED"
    VALIDATION_PENDING = "VALIDATION PENDING"
    OPEN_PENDING = "OPEN PENDING"
    TRIGGER_PENDING = "TRIGGER PENDING"
    OPEN = "OPEN"
    MODIFY_VALIDATION_PENDING = "MODIFY VALIDATION PENDING"
    MODIFY_PENDING = "MODIFY PENDING"
    MODIFIED = "MODIFIED"
    CANCEL_PENDING = "CANCEL PENDING"
    COMPLETE = "COMPLETE"
    CANCELLED = "CANCELLED"
    REJECTED = "REJECTED"


FINAL = frozenset({Status.COMPLETE, Status.CANCELLED, Status.REJECTED})
NEW = frozenset({Status.RECEIVED, Status.VALIDATION_PENDING})
"""Taken from the client, not yet seen by the matching engine."""

AFTER_HOURS = frozenset({Status.AMO_RECEIVED, Status.AMO_MODIFIED})
"""Kept by the broker until the market opens."""

UPDATE = "UPDATE"
"""The word of an order message for a partial fill or a modification; never a status of the book."""


class Terms(NamedTuple):
    """What a client may ask for and change. `percent` is the market protection in force, None for none.

    `order_type` is LIMIT, SL or SL-M: a protected MARKET order lives as the LIMIT that it became. `ttl` is the
    life in minutes of validity TTL, 0 for another validity. `at_market`: a MARKET order of a call auction, which
    takes whatever price that finds.
    """

    quantity: int
    order_type: str
    price: int
    trigger_price: int
    validity: str
    disclosed_quantity: int
    percent: str | None
    ttl: int = 0
    at_market: bool = False


class Snapshot(NamedTuple):
    """One line of an order's history. `wire_s` is monotonic and belongs to this process only."""

    status: Status
    at_ms: int
    wire_s: float
    terms: Terms
    filled: int
    filled_value: int
    cancelled: int
    message: str | None
    raw: str | None
    exchange_ms: int | None
    modified: bool


@dataclass(slots=True)
class Order:
    """One order. `sequence` numbers the orders of the venue; `filled_value` is the sum of price times quantity.

    `opening` is the part of the quantity that increases the position: it needs margin. `passive` says that the
    order stood in the book without crossing it, so that it trades at its own price. `mark` is its place among the
    street's units at its price (see `SharedBook.mark`), None while its limit is better than every price since it
    waits. `attempts` counts matchings under a fill schedule.
    `blocked` and `closing` are what the account counts for it now (see `margin`).
    """

    order_id: str
    sequence: int
    user_id: str
    api_key: str
    instrument: Instrument
    side: Side
    product: str
    tag: str
    terms: Terms
    placed_ms: int
    kind: Kind = PLAIN
    status: Status = Status.RECEIVED
    filled: int = 0
    filled_value: int = 0
    cancelled: int = 0
    opening: int = 0
    blocked: int = 0
    closing: int = 0
    passive: bool = False
    mark: int | None = None
    triggered: bool = False
    attempts: int = 0
    modifications: int = 0
    resting_since_ms: int = 0
    message: str | None = None
    raw: str | None = None
    exchange_ms: int | None = None
    wants: Terms | None = None
    """A modification that was accepted and not yet applied."""
    wants_cancel: bool = False
    history: list[Snapshot] = field(default_factory=list)
    lines_kept: int = 0
    """How many lines of the history are on disk."""

    @property
    def remaining(self) -> int:
        """Units that may still fill."""
        return 0 if self.status in FINAL else self.terms.quantity - self.filled

    @property
    def is_live(self) -> bool:
        """True until the order is final."""
        return self.status not in FINAL

    @property
    def is_new(self) -> bool:
        """True until the matching has seen the order."""
        return self.status in NEW

    @property
    def is_after_hours(self) -> bool:
        """True while the broker keeps the order for the next open."""
        return self.status in AFTER_HOURS

    @property
    def is_in_book(self) -> bool:
        """True while the exchange has the order: admitted and not final."""
        return self.exchange_ms is not None and self.is_live

    @property
    def lapses_ms(self) -> int | None:
        """When a TTL order's minutes are over, None for any other."""
        return self.placed_ms + self.terms.ttl * MINUTE_MS if self.terms.ttl else None

    @property
    def exchange_order_id(self) -> str:
        """The exchange's number, made from ours."""
        return f"13{self.sequence:014d}"

    def enter(self, status: Status, at_ms: int, wire_s: float) -> None:
        """Go to a status and write the history line."""
        self.status = status
        self.history.append(
            Snapshot(
                status, at_ms, wire_s, self.terms, self.filled, self.filled_value, self.cancelled,
                self.message, self.raw, self.exchange_ms, self.modifications > 0,
            )
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Trade:
    """One fill. `price` is scaled; `sequence` numbers the trades of the venue."""

    trade_id: str
    sequence: int
    order_id: str
    user_id: str
    token: int
    side: Side
    product: str
    quantity: int
    price: int
    at_ms: int
    wire_s: float = 0.0
