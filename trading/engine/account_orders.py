"""All orders and trades of one account today, and what they add up to. No I/O, no time."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from trading.domain.adoption import Adoption, rebased
from trading.domain.drift import Units, beyond
from trading.domain.orders import BrokerOrder, BrokerPosition, BrokerTrade, Product, Side
from trading.domain.ownership import Share, offset
from trading.domain.positions import PositionBook, PositionKey, fold_trades
from trading.engine.listed_trades import ListedTrades
from trading.engine.orders import Working


class AccountOrders:
    """The account's book of the day.

    Quantities follow the broker's words of orders at once, its trades as they come, and its positions where they show
    more than both; P&L follows the trades alone. Trades of orders that are not ours are external: the client's own
    hand. Nothing here is ever taken back because a read lacks it.
    """

    def __init__(self) -> None:
        self.by_tag: dict[str, Working] = {}
        self.positions = PositionBook()
        self.others: dict[str, BrokerOrder] = {}
        """Orders that the broker's book has and that are not ours, by id: the client's own hand."""
        self.rows: dict[PositionKey, BrokerPosition] = {}
        """The broker's positions as last shown; a row that a read lacked stays as it was."""
        self._is_evidence = False
        self._by_instrument: dict[str, list[Working]] = defaultdict(list)
        self._listed = ListedTrades()

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

    # -- taking in ---------------------------------------------------------------------------------------------

    def add_trades(self, trades: Iterable[BrokerTrade]) -> list[BrokerTrade]:
        """Count the trades not counted before and give those, oldest first."""
        new = self._listed.add(trades)
        for trade in new:
            self.positions.apply(trade)
        if new and self.adoptions:
            self._fold_anew()
        return new

    def take_positions(self, rows: Mapping[PositionKey, BrokerPosition], *, is_evidence: bool) -> None:
        """Keep what the broker's positions show. Without `is_evidence` they may be those of the day before."""
        self.rows.update(rows)
        self._is_evidence = is_evidence

    def adopt(self, adoption: Adoption) -> None:
        """Believe the broker's word for a position from a moment on; the same one again changes nothing."""
        if self._listed.adopt(adoption):
            self._fold_anew()

    def _fold_anew(self) -> None:
        self.positions = fold_trades(rebased(self.trades(), list(self.adoptions.values())))

    # -- what is known -----------------------------------------------------------------------------------------

    @property
    def adoptions(self) -> Mapping[PositionKey, Adoption]:
        """The newest adoption of each position."""
        return self._listed.adoptions

    def instruments(self) -> set[str]:
        """Give every instrument with an order or a trade, or where the broker shows more than both."""
        ours = {name for name, found in (*self._by_instrument.items(), *self._listed.by_instrument.items()) if found}
        return ours | {key.instrument for key in self.rows if any(self._news(key))}

    def order_ids(self) -> set[str]:
        """Give the id of every order that the broker is known to have today."""
        return {w.order_id for w in self.by_tag.values() if w.order_id} | set(self.others)

    def trade_ids(self) -> set[tuple[str, str]]:
        """Give (order id, trade id) of every listed trade."""
        return set(self._listed.ids)

    def expected_rows(self) -> set[PositionKey]:
        """Give the positions of which the broker must show a row: what was traded, or shown, today.

        One that was adopted as nothing may be gone from the broker's list.
        """
        traded = {PositionKey(t.instrument, t.product) for t in self.trades()}
        traded |= {PositionKey(w.intent.key.instrument, w.intent.product) for w in self.by_tag.values() if w.filled}
        traded |= {PositionKey(o.instrument, o.product) for o in self.others.values() if o.filled_quantity}
        gone = {key for key, adoption in self.adoptions.items() if not adoption.net_quantity}
        return (traded | (set(self.rows) if self._is_evidence else set())) - gone

    def lacks_trades(self) -> bool:
        """True while the broker said of an order that more filled than its trades show."""
        units = self._listed.units
        ours = any(w.filled > units[w.order_id] for w in self.by_tag.values() if w.order_id)
        return ours or any(order.filled_quantity > units[key] for key, order in self.others.items())

    def trades(self) -> list[BrokerTrade]:
        """Give every listed trade of the day."""
        return self._listed.everything()

    def traded(self, order_id: str) -> int:
        """Give the units that the listed trades show of an order."""
        return self._listed.units.get(order_id, 0)

    def has_unseen(self, instrument: str) -> bool:
        """True while a trade of the instrument belongs to an order that the broker's book never showed: it lags."""
        seen = self.others.keys() | {working.order_id for working in self.of(instrument)}
        return any(trade.order_id not in seen for trade in self._listed.by_instrument.get(instrument, ()))

    def lot(self, instrument: str) -> int:
        """Give the strategy's own signed units: our fills, less what the client closed by hand."""
        return self._share(instrument).own

    def net(self, instrument: str) -> int:
        """Give the account's signed intraday units: ours and the client's own, also what only positions show."""
        return sum(self._share(instrument))

    def counted_net(self, instrument: str) -> int:
        """Give the signed intraday units by fills and by the broker's words of orders alone."""
        return sum(self._counted_share(instrument))

    def counted(self, key: PositionKey) -> Units:
        """Give what was bought and sold of a position today, comparable to the broker's own row."""
        bought, sold = self._listed.counted(key)
        for side, units in self._untraded(key):
            bought, sold = (bought + units, sold) if side is Side.BUY else (bought, sold + units)
        return Units(bought, sold)

    def today_net(self, key: PositionKey) -> int:
        """Give the signed units that today's trading made of a position of any product, by our count."""
        return self._listed.net(key) + sum(side.sign * units for side, units in self._untraded(key))

    def remaining(self, working: Working) -> int:
        """Give the units that an order may still fill, by its last word and by its trades, whichever is further."""
        traded = self._listed.units[working.order_id] if working.order_id else 0
        return min(working.remaining, max(0, working.units - traded))

    def working_exit_units(self, instrument: str, *, besides: Working) -> int:
        """Give the units that other live exits of the instrument may still close."""
        return sum(self.remaining(w) for w in self.of(instrument) if w is not besides and w.purpose.is_exit)

    # -- inside ------------------------------------------------------------------------------------------------

    def _share(self, instrument: str) -> Share:
        """Give (own, external) signed units, with what the positions alone show as external."""
        key = PositionKey(instrument, Product.MIS)
        own, external = self._counted_share(instrument)
        return offset(own, external + self._news(key).net + self._overnight(key))

    def _overnight(self, key: PositionKey) -> int:
        """Give what was carried into today: nothing of an intraday product, unless it was converted to one."""
        return self.rows[key].overnight if self._is_evidence and key in self.rows else 0

    def _news(self, key: PositionKey) -> Units:
        return beyond(self.counted(key), self.rows.get(key)) if self._is_evidence else Units()

    def _counted_share(self, instrument: str) -> Share:
        ours = {w.order_id: w for w in self.of(instrument) if w.order_id}
        key = PositionKey(instrument, Product.MIS)
        own, external = self._listed.share(key, ours.keys())
        units = self._listed.units
        for order_id, working in ours.items():
            own += working.intent.side.sign * max(0, working.filled - units[order_id])
        for order in self._others_of(key):
            external += order.side.sign * max(0, order.filled_quantity - units[order.order_id])
        return offset(own, external)

    def _untraded(self, key: PositionKey) -> list[tuple[Side, int]]:
        """Give (side, units) that the broker's words of orders are ahead of its trades."""
        traded = self._listed.units
        found = [
            (w.intent.side, w.filled - traded[w.order_id])
            for w in self.of(key.instrument)
            if w.order_id and w.intent.product == key.product
        ]
        found += [(o.side, o.filled_quantity - traded[o.order_id]) for o in self._others_of(key)]
        return [(side, units) for side, units in found if units > 0]

    def _others_of(self, key: PositionKey) -> list[BrokerOrder]:
        return [o for o in self.others.values() if (o.instrument, o.product) == key and o.filled_quantity]
