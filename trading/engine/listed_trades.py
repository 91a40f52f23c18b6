"""The fills that the broker lists for one account, the adoptions among them, and the sums of both. No I/O, no time.

The sums are asked for far more often than a fill comes. They are kept until one does, or an adoption: both come in
here, by `add` and by `adopt`, and nowhere else.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable

from trading.domain.adoption import Adoption, rebased, when
from trading.domain.drift import Units
from trading.domain.orders import BrokerTrade, Side
from trading.domain.ownership import Share, share
from trading.domain.positions import PositionKey


class ListedTrades:
    """Nothing is ever taken back because a read lacks it. `adoptions` has the newest one of each position."""

    def __init__(self) -> None:
        self.adoptions: dict[PositionKey, Adoption] = {}
        self.by_instrument: dict[str, list[BrokerTrade]] = defaultdict(list)
        self.units: dict[str, int] = defaultdict(int)
        """Units that the trades show of an order, by its id."""
        self.ids: set[tuple[str, str]] = set()
        """(order id, trade id) of every trade."""
        self._counted: dict[PositionKey, Units] = {}
        self._nets: dict[PositionKey, int] = {}
        self._shares: dict[PositionKey, tuple[frozenset[str], Share]] = {}

    def add(self, trades: Iterable[BrokerTrade]) -> list[BrokerTrade]:
        """Take in the trades not known before and give those, oldest first."""
        new = []
        for trade in sorted(trades, key=when):
            if (trade.order_id, trade.trade_id) in self.ids:
                continue
            self.ids.add((trade.order_id, trade.trade_id))
            self.by_instrument[trade.instrument].append(trade)
            self.units[trade.order_id] += trade.quantity
            new.append(trade)
        if new:
            self._forget_sums()
        return new

    def adopt(self, adoption: Adoption) -> bool:
        """Take in an adoption; False for one that is known, or older than what is."""
        known = self.adoptions.get(adoption.position)
        if known is not None and (known.at, known.key) >= (adoption.at, adoption.key):
            return False
        self.adoptions[adoption.position] = adoption
        self._forget_sums()
        return True

    def _forget_sums(self) -> None:
        self._counted.clear()
        self._nets.clear()
        self._shares.clear()

    def everything(self) -> list[BrokerTrade]:
        """Give every trade of the day."""
        return [trade for trades in self.by_instrument.values() for trade in trades]

    # -- sums --------------------------------------------------------------------------------------------------

    def counted(self, key: PositionKey) -> Units:
        """Give what was bought and sold of a position, comparable to the broker's own row."""
        if key not in self._counted:
            base = self.adoptions.get(key)
            after = [t for t in self._of(key) if base is None or t.filled_at >= base.at]
            bought = (base.bought or 0 if base else 0) + sum(t.quantity for t in after if t.side is Side.BUY)
            sold = (base.sold or 0 if base else 0) + sum(t.quantity for t in after if t.side is Side.SELL)
            self._counted[key] = Units(bought, sold)
        return self._counted[key]

    def net(self, key: PositionKey) -> int:
        """Give the signed units that trades and adoption made of a position."""
        if key not in self._nets:
            self._nets[key] = sum(t.side.sign * t.quantity for t in self._rebased(key))
        return self._nets[key]

    def share(self, key: PositionKey, own_orders: Collection[str]) -> Share:
        """Give whose those units are; `own_orders` holds the ids of our orders."""
        known = self._shares.get(key)
        if known is None or known[0] != own_orders:
            known = self._shares[key] = frozenset(own_orders), share(self._rebased(key), own_orders)
        return known[1]

    def _rebased(self, key: PositionKey) -> list[BrokerTrade]:
        return rebased(self._of(key), [self.adoptions[key]] if key in self.adoptions else [])

    def _of(self, key: PositionKey) -> list[BrokerTrade]:
        return [trade for trade in self.by_instrument.get(key.instrument, ()) if trade.product == key.product]
