"""One broker account's parts put together: desk, gate, gateway, listener, reconciler, and the day so far."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from trading.engine.adopting import Adopter
from trading.engine.client import ClientBook
from trading.engine.comparing import Comparison
from trading.engine.desk import AccountDesk
from trading.engine.gate import Gate
from trading.engine.gateway import AccountGateway
from trading.engine.house import AccountParts, House
from trading.engine.in_doubt import DoubtResolver
from trading.engine.leftovers import Leftovers
from trading.engine.listener import AccountListener
from trading.engine.orders import Working
from trading.engine.picture import PictureKeeper
from trading.engine.reconcile import Reconciler
from trading.engine.sight import Sight
from trading.engine.tools import Tools
from trading.engine.unrecorded import UnrecordedOrders
from trading.ports import AccountRef, DayBook, StoredIntent


class AccountMaker:
    """Makes the parts of an account. `on_fills` and `on_order` are told what changed there."""

    def __init__(
        self,
        tools: Tools,
        house: House,
        *,
        is_near_end: Callable[[ClientBook], bool],
        on_fills: Callable[[ClientBook], None],
        on_order: Callable[[int, Working], None],
    ) -> None:
        self._tools = tools
        self._house = house
        self._is_near_end = is_near_end
        self._on_fills = on_fills
        self._on_order = on_order

    def make(self, ref: AccountRef, book: DayBook) -> AccountParts:
        """Make an account of a known client, with the orders and trades of the day so far."""
        client, tools = self._house.clients[ref.client_id], self._tools
        found = self._house.instruments
        desk = AccountDesk(tools, ref, found.find, found.last_price)
        doubts = DoubtResolver(tools, desk)
        listener = AccountListener(tools, desk)
        leftovers = Leftovers(tools, desk, doubts.resolve)
        gateway = AccountGateway(
            tools,
            desk,
            self._gate(client, desk),
            resolve_doubt=doubts.resolve,
            want_orders=listener.want_orders,
            take_over=leftovers.take_over,
        )
        desk.connect(gateway)
        desk.on_trades = lambda: self._on_fills(client)
        desk.on_order = lambda working: self._on_order(client.client_id, working)
        found = self._house.instruments
        adopter = Adopter(tools, desk, found)
        comparison = Comparison(tools, desk, found, adopter.convert)
        reconciler = Reconciler(
            tools,
            desk,
            leftovers=leftovers,
            restore_lines=lambda: self._restore_lines(desk),
            is_near_end=lambda: self._is_near_end(client),
            instruments=found,
            comparison=comparison,
        )
        if book.is_copy:
            unrecorded = UnrecordedOrders(tools, desk)
            desk.recognise, reconciler.until_all_show = unrecorded.recognise, unrecorded.until_all_show
        keeper = PictureKeeper(tools, desk, reconciler)
        reconciler.on_look = listener.on_read = keeper.look
        _take_history(desk, book, tools.now())
        return AccountParts(desk, gateway, listener, reconciler, adopter)

    def _gate(self, client: ClientBook, desk: AccountDesk) -> Gate:
        found = self._house.instruments
        return Gate(
            Sight(
                tools=self._tools,
                control=self._house.control,
                client=client,
                desk=desk,
                instrument_of=found.find,
                last_tick=found.last_tick,
                last_price=found.last_price,
                quoted=found.quoted,
                caps=lambda: self._house.caps,
            )
        )

    def _restore_lines(self, desk: AccountDesk) -> None:
        """The broker has told what became of earlier orders: let the lines go on from there."""
        for instrument in sorted(desk.orders.instruments()):
            line = desk.line(instrument)
            for working in desk.orders.of(instrument):
                line.adopt(working)
        for instrument, line in list(desk.lines.items()):
            runner = self._house.runners.get((desk.ref.key, instrument))
            if runner is not None:
                runner.settle_entry(_entered(desk.orders.of(instrument), line.position))
        desk.release_lines()


CALLS_AN_ORDER = 2
"""What an order of another life is taken to have cost of the day's calls: itself, and a change or a cancel."""


def _take_history(desk: AccountDesk, book: DayBook, now: datetime) -> None:
    """Put the day so far into an account's book."""
    for stored in book.intents:
        if stored.intent.key.account != desk.ref.key:
            continue
        order = stored.order
        order_id = order.order_id if order else ""
        desk.budget.today += CALLS_AN_ORDER
        decided_at = stored.decided_at or now
        working = Working(
            stored.intent, decided_at, state=stored.state, order=order, order_id=order_id, changes=stored.changes
        )
        desk.orders.add(working)
        _note_journal(desk, working, stored)
    desk.orders.add_trades(trade for key, trade in book.trades if key == desk.ref.key)
    for key, adoption in book.adoptions:
        if key == desk.ref.key:
            desk.orders.adopt(adoption)


def take_news(desk: AccountDesk, book: DayBook, now: datetime) -> None:
    """Bring an account's book up to date before anything of it is started: another process spoke for it meanwhile."""
    mine = [stored for stored in book.intents if stored.intent.key.account == desk.ref.key]
    for stored in mine:
        known = desk.orders.by_tag.get(stored.intent.tag)
        if known is not None:
            known.state, known.order = stored.state, stored.order or known.order
            known.order_id = known.order.order_id if known.order else known.order_id
            _note_journal(desk, known, stored)
    new = tuple(stored for stored in mine if stored.intent.tag not in desk.orders.by_tag)
    _take_history(desk, replace(book, intents=new), now)


def _note_journal(desk: AccountDesk, working: Working, stored: StoredIntent) -> None:
    """What another life sent by the exit journal goes on by it: its outcome is noted there."""
    if stored.by_journal:
        working.is_unstored = True
        desk.outcomes.went_by_journal(working)


def _entered(orders: list[Working], position: int) -> int | None:
    """Give what the entry of a position filled in all; None while it may still fill, 0 when it was never made."""
    entries = [w for w in orders if not w.purpose.is_exit and w.intent.key.position == position]
    if not entries:
        return 0
    return None if any(entry.may_fill for entry in entries) else sum(entry.filled for entry in entries)
