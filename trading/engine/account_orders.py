"""All orders and trades of one account today, and what they add up to. No I/O, no time."""

from collections import defaultdict
from collections.abc import Iterable

from trading.domain.orders import BrokerTrade, Product
from trading.domain.positions import PositionBook
from trading.engine.orders import Working


class AccountOrders:
    """The account's book of the day.

    Quantities follow the broker's words of our orders at once, and its trades as they come; P&L follows
    the trades alone. Trades of orders that are not ours are external: the client's own hand.
    """

    def __init__(self) -> None:
        self.by_tag: dict[str, Working] = {}
        self.positions = PositionBook()
        self.others: set[str] = set()
        """Ids of orders that the broker's book has and that are not ours: the client's own hand."""
        self._by_instrument: dict[str, list[Working]] = defaultdict(list)
        self._trades: dict[str, list[BrokerTrade]] = defaultdict(list)
        self._traded: dict[str, int] = defaultdict(int)

    def add(self, working: Working) -> None:
        """Take in an order of ours."""
        self.by_tag[working.tag] = working
        self._by_instrument[working.intent.key.instrument].append(working)

    def of(self, instrument: str) -> list[Working]:
        """Give our orders of one instrument in the order in which they were decided."""
        return self._by_instrument.get(instrument, [])

    def by_order_id(self, order_id: str) -> Working | None:
        """Give our order that the broker knows under this id."""
        return next((working for working in self.by_tag.values() if working.order_id == order_id), None)

    def add_trades(self, trades: Iterable[BrokerTrade]) -> list[BrokerTrade]:
        """Count the trades not counted before and give those, oldest first."""
        new = []
        for trade in sorted(trades, key=_when):
            if self.positions.apply(trade):
                self._trades[trade.instrument].append(trade)
                self._traded[trade.order_id] += trade.quantity
                new.append(trade)
        return new

    def instruments(self) -> set[str]:
        """Give every instrument with an order or a trade."""
        return {name for name, found in (*self._by_instrument.items(), *self._trades.items()) if found}

    def lacks_trades(self) -> bool:
        """True while the broker said of an order that more filled than its trades show."""
        return any(w.filled > self._traded[w.order_id] for w in self.by_tag.values() if w.order_id)

    def has_unseen(self, instrument: str) -> bool:
        """True while a trade of the instrument belongs to an order that the broker's book never showed: it lags."""
        seen = self.others | {working.order_id for working in self.of(instrument)}
        return any(trade.order_id not in seen for trade in self._trades.get(instrument, ()))

    def lot(self, instrument: str) -> int:
        """Give the strategy's own signed units: our fills, less what the client closed by hand."""
        return self._fold(instrument)[0]

    def net(self, instrument: str) -> int:
        """Give the account's signed intraday units: ours and the client's own."""
        return sum(self._fold(instrument))

    def remaining(self, working: Working) -> int:
        """Give the units that an order may still fill, by its last word and by its trades, whichever is further."""
        traded = self._traded[working.order_id] if working.order_id else 0
        return min(working.remaining, max(0, working.intent.quantity - traded))

    def working_exit_units(self, instrument: str, *, besides: Working) -> int:
        """Give the units that other live exits of the instrument may still close."""
        return sum(self.remaining(w) for w in self.of(instrument) if w is not besides and w.purpose.is_exit)

    def _fold(self, instrument: str) -> tuple[int, int]:
        """Give (own, external) signed units. A trade by hand closes first what was opened by hand, then ours."""
        ours = {w.order_id: w for w in self.of(instrument) if w.order_id}
        own = external = 0
        for trade in sorted(self._trades.get(instrument, ()), key=_when):
            if trade.product != Product.MIS:
                continue
            if trade.order_id in ours:
                own += trade.side.sign * trade.quantity
            else:
                external += trade.side.sign * trade.quantity
            own, external = _offset(own, external)
        for order_id, working in ours.items():
            own += working.intent.side.sign * max(0, working.filled - self._traded[order_id])
        return _offset(own, external)


def _offset(own: int, external: int) -> tuple[int, int]:
    """Let opposite own and external units close each other."""
    if own * external >= 0:
        return own, external
    closed = min(abs(own), abs(external))
    own_sign = 1 if own > 0 else -1
    return own - own_sign * closed, external + own_sign * closed


def _when(trade: BrokerTrade) -> tuple[object, str, str]:
    return trade.filled_at, trade.order_id, trade.trade_id
