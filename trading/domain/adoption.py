"""What the fills of a day add up to where the broker's word was adopted for a position."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from trading.domain.orders import BrokerTrade, Side
from trading.domain.positions import PositionKey


@dataclass(frozen=True, slots=True)
class Adoption:
    """From `at` on (market time) a position is `net_quantity` signed units, whatever the fills before it say.

    `bought` and `sold` are the broker's day units at that moment, None where it does not tell them; `price` is in
    rupees a unit and values the difference. `cause` is a DriftCause or `by hand`, `by` who adopted it.
    """

    key: str
    instrument: str
    product: str
    net_quantity: int
    bought: int | None
    sold: int | None
    price: Decimal
    at: datetime
    cause: str
    by: str

    @property
    def position(self) -> PositionKey:
        """The position it is about."""
        return PositionKey(self.instrument, self.product)


def when(trade: BrokerTrade) -> tuple[datetime, str, str]:
    """Give the order in which trades count."""
    return trade.filled_at, trade.order_id, trade.trade_id


def rebased(trades: Iterable[BrokerTrade], adoptions: Sequence[Adoption]) -> list[BrokerTrade]:
    """Give the trades in the order of their times, and after each adoption the one that makes it true.

    A fill from before an adoption that is listed late changes nothing after it: it was part of what was adopted.
    What is put in has the adoption's key as its trade id and no order id.
    """
    found: list[BrokerTrade] = []
    waiting = sorted(adoptions, key=lambda adoption: (adoption.at, adoption.key))
    net: dict[PositionKey, int] = {}

    def put(trade: BrokerTrade) -> None:
        key = PositionKey(trade.instrument, trade.product)
        net[key] = net.get(key, 0) + trade.side.sign * trade.quantity
        found.append(trade)

    def adopt_until(moment: datetime | None) -> None:
        while waiting and (moment is None or waiting[0].at < moment):
            adoption = waiting.pop(0)
            missing = adoption.net_quantity - net.get(adoption.position, 0)
            if missing:
                put(_difference(adoption, missing))

    for trade in sorted(trades, key=when):
        adopt_until(trade.filled_at)
        put(trade)
    adopt_until(None)
    return found


def _difference(adoption: Adoption, missing: int) -> BrokerTrade:
    side = Side.BUY if missing > 0 else Side.SELL
    return BrokerTrade(
        trade_id=adoption.key,
        order_id="",
        instrument=adoption.instrument,
        side=side,
        product=adoption.product,
        quantity=abs(missing),
        price=adoption.price,
        filled_at=adoption.at,
    )
