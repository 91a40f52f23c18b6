"""Our count of a position beside the broker's: what the difference is, in words, and what may be done about it.

Fills and positions only ever leave things out (they lag, come in part, or come empty), they do not invent. So units
that the broker shows beyond our count are news, and units it does not show yet are no proof that they are gone.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from trading.domain.money import signed
from trading.domain.orders import BrokerPosition
from trading.domain.positions import PositionKey


class Units(NamedTuple):
    """Units of one position bought and sold today."""

    bought: int = 0
    sold: int = 0

    @property
    def net(self) -> int:
        """Signed units: what was bought less what was sold."""
        return self.bought - self.sold


class DriftCause(StrEnum):
    """Why our count and the broker's differ."""

    FILL_NOT_LISTED = "fill_not_listed"
    LOST_INTENT = "lost_intent"
    LATE_TWIN = "late_twin"
    HAND_TRADE = "hand_trade"
    BROKER_SQUARE_OFF = "broker_square_off"
    CONVERTED = "converted"
    OVERNIGHT = "overnight"
    POSITIONS_LAG = "positions_lag"
    ROW_LOST = "row_lost"
    UNEXPLAINED = "unexplained"

    @property
    def may_be_adopted(self) -> bool:
        """True where a person may have the broker's word believed; elsewhere it settles by itself, or is no proof."""
        return self in (DriftCause.HAND_TRADE, DriftCause.BROKER_SQUARE_OFF, DriftCause.UNEXPLAINED)


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What else is known of a position: orders of ours there, and whether the broker closes positions by now."""

    has_doubt: bool = False
    has_working: bool = False
    has_late: bool = False
    broker_squares_off: bool = False
    has_lasted: bool = False
    """The difference stood for so long that it is no lag any more."""


@dataclass(frozen=True, slots=True)
class Drift:
    """One difference. `ours` and `theirs` are signed units; `theirs` is None where the broker showed no row."""

    instrument: str
    product: str
    ours: int
    theirs: int | None
    cause: DriftCause
    text: str

    @property
    def may_be_adopted(self) -> bool:
        """True where a person may have the broker's word believed."""
        return self.theirs is not None and self.cause.may_be_adopted


def one_row_each(rows: Iterable[BrokerPosition]) -> dict[PositionKey, BrokerPosition]:
    """Give the rows by position; of two rows of one position the one that shows more."""
    found: dict[PositionKey, BrokerPosition] = {}
    for row in rows:
        key = PositionKey(row.instrument, row.product)
        known = found.get(key)
        if known is None or _shown(row) > _shown(known):
            found[key] = row
    return found


def beyond(counted: Units, row: BrokerPosition | None) -> Units:
    """Give what the broker shows bought and sold today beyond our count; nothing where it does not tell them."""
    if row is None or row.bought is None or row.sold is None:
        return Units()
    return Units(max(0, row.bought - counted.bought), max(0, row.sold - counted.sold))


def behind(counted: Units, row: BrokerPosition) -> Units:
    """Give what we counted and the broker does not show."""
    if row.bought is None or row.sold is None:
        return Units()
    return Units(max(0, counted.bought - row.bought), max(0, counted.sold - row.sold))


def today_net(row: BrokerPosition) -> int:
    """Give the signed units of a row that today's trading made."""
    return row.net_quantity - row.overnight


def find_drift(
    key: PositionKey, counted: Units, ours: int, row: BrokerPosition | None, known: Circumstances
) -> Drift | None:
    """Judge one position; None while both agree. `ours` is today's net by our count, of whoever traded it.

    Where the broker shows no row at all, that is a read that lost something, unless we count nothing either.
    """
    if row is None:
        if not ours:
            return None
        text = (
            f"we count {signed(ours)}, and the broker's positions have no such row: a read that lost it proves nothing"
        )
        return Drift(key.instrument, key.product, ours, None, DriftCause.ROW_LOST, text)
    theirs = today_net(row)
    if theirs == ours:
        return None
    cause = _cause(counted, row, known)
    text = f"we count {signed(ours)}, the broker shows {signed(theirs)}: {WORDS[cause]}"
    return Drift(key.instrument, key.product, ours, theirs, cause, text)


def _cause(counted: Units, row: BrokerPosition, known: Circumstances) -> DriftCause:
    if known.has_late:
        return DriftCause.LATE_TWIN
    if known.has_doubt:
        return DriftCause.LOST_INTENT
    news = beyond(counted, row)
    if not any(news):
        is_lag = any(behind(counted, row)) and not known.has_lasted
        return DriftCause.POSITIONS_LAG if is_lag else DriftCause.UNEXPLAINED
    if known.has_working:
        return DriftCause.FILL_NOT_LISTED
    return DriftCause.BROKER_SQUARE_OFF if known.broker_squares_off else DriftCause.HAND_TRADE


WORDS = {
    DriftCause.FILL_NOT_LISTED: "an order of ours filled, and its fill is not in the list of trades yet",
    DriftCause.LOST_INTENT: "the answer to an order of ours was lost, and it is being looked up",
    DriftCause.LATE_TWIN: "an order of ours that counted as absent turned up; what it filled is being put right",
    DriftCause.HAND_TRADE: "it was traded outside of this system, and the trade is not in the list of trades yet",
    DriftCause.BROKER_SQUARE_OFF: "the broker squares off by itself at this hour, and its trade is not listed yet",
    DriftCause.CONVERTED: "the position was converted to another product in the broker's app",
    DriftCause.OVERNIGHT: "it was carried overnight",
    DriftCause.POSITIONS_LAG: "the broker's positions lag behind the fills",
    DriftCause.ROW_LOST: "a read that lost it proves nothing",
    DriftCause.UNEXPLAINED: "no fill and no order explains it",
}


def find_conversion(instrument: str, drifts: Iterable[Drift], moved: dict[str, int]) -> tuple[Drift, Drift] | None:
    """Find the pair of products between which units of one instrument moved without a trade, None when none did.

    `moved` is by product what the broker shows more (signed) than we count. (from, to).
    """
    of = {drift.product: drift for drift in drifts if drift.instrument == instrument}
    for here, there in ((a, b) for a in of for b in of if a != b):
        if moved.get(here) and moved[here] == -moved.get(there, 0):
            first, second = of[here], of[there]
            return (first, second) if abs(first.theirs or 0) < abs(first.ours) else (second, first)
    return None


def _shown(row: BrokerPosition) -> tuple[int, str]:
    return (row.bought or 0) + (row.sold or 0), repr(row)
