"""At rest: what we kept is what the broker has. I1, I9, I10, I11, I12, I17."""

from collections import Counter
from decimal import Decimal

from trading.domain.money import from_scaled
from trading.domain.orders import BrokerOrder, IntentState
from trading.domain.positions import PositionBook, fold_trades
from trading.exchange.venue.accounts import Account
from trading.simulation.referee.case import Case, Judge

UNSETTLED = frozenset({IntentState.NEW, IntentState.SENDING, IntentState.IN_DOUBT})
QUIET_S = 45.0
"""Positions are read every 30 s; what was quiet for longer was compared."""


class Conservation(Judge):
    """Compares fills, positions and money with the exchange's ledger."""

    def stepped(self) -> None:
        """Compare where nothing moved and nothing was in the way for a while."""
        case = self.case
        quiet = all(case.now() - moment > QUIET_S for moment in case.moved_at.values())
        if case.moved_at and quiet and case.is_calm(QUIET_S):
            self._compare()

    def ended(self) -> None:
        """Compare everything, settle nothing more."""
        case = self.case
        self._compare()
        orders = Counter(order.tag for order in case.house.venue.books.orders.values() if order.tag)
        for tag, stored in case.store.intents.items():
            name, key = stored.intent.key.text(), stored.intent.key
            # An entry that a stale process wrote down after its lease was gone: no claim will ever let it out.
            is_dead = stored.state is IntentState.NEW and not key.purpose.is_exit
            settled = is_dead or stored.state not in UNSETTLED
            case.check("I17", holds=settled, otherwise=f"{name} is still {stored.state}")
            case.check("I1", holds=orders[tag] <= 1, otherwise=f"{name} has {orders[tag]} orders")
        for tag in orders:
            case.check("I1", holds=tag in case.store.intents, otherwise=f"nobody wrote down the order {tag}")
        self._orders_agree()
        for tag, sent in case.sent.items():
            kept = case.store.intents.get(tag)
            words = f"{sent.intent.key.text()} was sent as {sent.intent}, and is kept as {kept and kept.intent}"
            case.check("I2", holds=kept is not None and kept.intent == sent.intent, otherwise=words)

    def _compare(self) -> None:
        case = self.case
        for user_id, books in case.house.venue.books.accounts.items():
            name = case.account_of(user_id)
            if name not in case.store.accounts:
                continue
            mine = [trade for account, trade in case.store.trades if account == name]
            kept = Counter(trade.trade_id for trade in mine)
            real = {trade.trade_id for trade in books.trades}
            words = f"{name}: {len(real - kept.keys())} fills are not kept, {len(kept.keys() - real)} never were"
            case.check("I9", holds=kept.keys() == real, otherwise=words)
            twice = [trade_id for trade_id, times in kept.items() if times > 1]
            case.check("I10", holds=not twice, otherwise=f"{name}: the fills {twice} are kept twice")
            book = fold_trades(mine)
            for instrument in case.instruments.values():
                ours = sum(p.net_quantity for p in book.positions.values() if p.key.instrument == instrument.key)
                theirs = books.net_quantity(instrument.token, "MIS")
                words = f"{name} {instrument.key}: we count {ours}, the broker has {theirs}"
                case.check("I9", holds=ours == theirs, otherwise=words)
            if kept.keys() == real:
                self._money(name, book, books)

    def _money(self, name: str, ours: PositionBook, theirs: Account) -> None:
        """What came in and went out is the same; so is what was made wherever nothing is open.

        Fills of one second have no order among themselves: while something is open they decide what counts as made.
        """
        paid = sum((p.sell_value - p.buy_value for p in ours.positions.values()), Decimal(0))
        known = from_scaled(sum(p.sell_value - p.buy_value for p in theirs.positions.values()))
        self.case.check("I11", holds=paid == known, otherwise=f"{name}: {paid} came in by our fills, {known} by theirs")
        if not ours.open_positions():
            made, told = ours.realised_pnl(), from_scaled(theirs.realised)
            words = f"{name}: we made {made}, the broker says {told}"
            self.case.check("I11", holds=abs(made - told) <= Decimal("0.01"), otherwise=words)

    def _orders_agree(self) -> None:
        """What we last heard of each order is how it ended."""
        orders = {order.tag: order for order in self.case.house.venue.books.orders.values() if order.tag}
        for tag, stored in self.case.store.intents.items():
            order = orders.get(tag)
            if order is None or stored.order is None or order.is_live:
                continue
            words = f"{stored.intent.key.text()}: we heard {stored.order.filled_quantity}, {order.filled} filled"
            self.case.check("I12", holds=stored.order.filled_quantity == order.filled, otherwise=words)


def judge_word(case: Case, known: BrokerOrder | None, heard: BrokerOrder | None, name: str) -> None:
    """See that what is kept of an order only grows: filled never falls, a final one stays final."""
    if known is None or heard is None or heard is known:
        return
    grows = known.filled_quantity <= heard.filled_quantity <= heard.quantity
    stays = not known.status.is_final or heard.status.is_final or heard.filled_quantity > known.filled_quantity
    words = f"{name} went from {known.status} {known.filled_quantity} to {heard.status} {heard.filled_quantity}"
    case.check("I12", holds=grows and stays, otherwise=words)
