"""The hand of broker and exchange: what happens to an order although no rule of the market asks for it.

An order may be rejected some seconds after it was taken, stand still on its way, fill by a schedule of its own, fill
instead of being cancelled, or fill after it was cancelled. A `Script` decides; what it decided is kept by order,
written with the orders, and done at its moment of market time. Without a script nothing happens.

A part of the floor in a file of its own: it moves orders by the floor's own inner methods.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

from trading.domain.orders import Side
from trading.exchange.venue import margin
from trading.exchange.venue.matching import allowed_units
from trading.exchange.venue.orders import Order, Status
from trading.exchange.venue.refusals import Refusal
from trading.exchange.venue.rules import OrderRequest
from trading.exchange.venue.shelf import Shelf

if TYPE_CHECKING:
    from trading.exchange.venue.floor import Floor

REJECT, FREEZE, FILL, RESURRECT = "reject", "freeze", "fill", "resurrect"


@dataclass(frozen=True, slots=True)
class Fate:
    """What will happen to one order: `word` at `due_ms` of market time, or to each matching by `schedule` (percent)."""

    order_id: str
    word: str
    due_ms: int = 0
    message: str = ""
    schedule: tuple[int, ...] = ()
    is_done: bool = False


class Script(Protocol):
    """Decides. Each call counts as one chance; `due_ms` of an answer is market time."""

    def on_order(self, order: Order, *, is_exit: bool) -> Fate | None:
        """Say what happens to an order that reaches the exchange."""

    def on_cancel(self, order: Order) -> Fate | None:
        """Say what happens instead of, or after, a cancellation."""

    def on_slice(self, user_id: str, api_key: str, request: OrderRequest) -> str:
        """Give why a slice fails, nothing when it does not."""

    def lag_s(self, user_id: str, screen: str) -> float:
        """Give by how many wire seconds a screen (orders, trades, positions) is late."""


class NoScript:
    """Everything takes its course."""

    def on_order(self, order: Order, *, is_exit: bool) -> Fate | None:
        return None

    def on_cancel(self, order: Order) -> Fate | None:
        return None

    def on_slice(self, user_id: str, api_key: str, request: OrderRequest) -> str:
        return ""

    def lag_s(self, user_id: str, screen: str) -> float:
        return 0.0


@dataclass(slots=True)
class Hand:
    """Fates by order id. The floor asks; every method returns at once."""

    script: Script = field(default_factory=NoScript)
    shelf: Shelf[Fate] = field(default_factory=lambda: Shelf("fates", _packed, _unpacked))

    def holds(self, floor: "Floor", order: Order) -> bool:
        """Say whether a new order is kept from the book now; it may have been rejected for good."""
        fate = self.shelf.get(order.order_id)
        if fate is None:
            is_delivery_sale = order.product == "CNC" and order.side is Side.SELL
            opens = 0 if is_delivery_sale else margin.opening_part(floor.books.accounts[order.user_id], order)
            fate = self.script.on_order(order, is_exit=opens == 0)
            if fate is None:
                return False
            self.shelf.put(order.order_id, fate)
        if fate.is_done or fate.word == FILL:
            return False
        if fate.word == FREEZE:
            floor._enter(order, Status.OPEN_PENDING)
        elif fate.due_ms <= floor.now_ms():
            self._reject(floor, order, fate)
        return True

    def schedule(self, order: Order) -> tuple[int, ...]:
        """Give the fill schedule of one order, empty when it has none."""
        fate = self.shelf.get(order.order_id)
        return fate.schedule if fate is not None and fate.word == FILL else ()

    def cancel(self, floor: "Floor", order: Order) -> None:
        """Cancel an order that the client wants cancelled, unless a fill outruns it."""
        fate = self.script.on_cancel(order)
        if fate is not None and fate.word == FILL:
            self._fill(floor, order, allowed_units(fate.schedule, 0, order.remaining))
        if order.is_live:
            floor._cancel(order)
        if fate is not None and fate.word == RESURRECT:
            self.shelf.put(order.order_id, fate)

    def on_time(self, floor: "Floor") -> None:
        """Do what is due by now, sorted by tag like everything else."""
        now = floor.now_ms()
        due = [one for one in self.shelf.rows() if not one.is_done and one.due_ms <= now]
        orders = floor.books.orders
        for fate in sorted((one for one in due if one.order_id in orders), key=lambda one: _key(orders[one.order_id])):
            order = orders[fate.order_id]
            if fate.word == REJECT and order.is_live:
                self._reject(floor, order, fate)
            elif fate.word == RESURRECT and order.status is Status.CANCELLED:
                self.shelf.put(fate.order_id, replace(fate, is_done=True))
                order.cancelled = 0
                floor._enter(order, Status.OPEN)
                self._fill(floor, order, order.remaining)

    def _reject(self, floor: "Floor", order: Order, fate: Fate) -> None:
        self.shelf.put(order.order_id, replace(fate, is_done=True))
        order.message, order.raw, order.opening = fate.message, fate.message, 0
        order.wants, order.wants_cancel = None, False
        floor._finish(order, Status.REJECTED)

    def _fill(self, floor: "Floor", order: Order, units: int) -> None:
        """Fill units at the order's own price, a stop's at the last one."""
        if not units:
            return
        price = order.terms.price or floor.market.quote(order.instrument.token).ltp
        floor._book(order, units, price)
        if order.terms.quantity == order.filled:
            order.wants, order.wants_cancel = None, False
            floor._finish(order, Status.COMPLETE)

    def require_reachable(self, order: Order, text: str) -> None:
        """Raise Refusal with this text for an order that stands still: neither change nor cancel reaches it."""
        fate = self.shelf.get(order.order_id)
        if fate is not None and fate.word == FREEZE and not fate.is_done:
            raise Refusal(text)

    def thaw(self, floor: "Floor", user_id: str) -> list[Order]:
        """Let the frozen orders of a user (of all when empty) go on to the book, and give them."""
        orders = floor.books.orders
        frozen = [one for one in self.shelf.rows() if one.word == FREEZE and not one.is_done and one.order_id in orders]
        freed = [orders[one.order_id] for one in frozen if user_id in ("", orders[one.order_id].user_id)]
        for fate in frozen:
            order = orders[fate.order_id]
            if order in freed:
                self.shelf.put(order.order_id, replace(fate, is_done=True))
        for order in sorted((one for one in freed if one.is_live), key=_key):
            floor._admit(order)
        return freed


def _key(order: Order) -> tuple[str, str, int]:
    return order.tag, order.user_id, order.sequence


def _packed(fate: Fate) -> list[Any]:
    return [fate.order_id, fate.word, fate.due_ms, fate.message, list(fate.schedule), fate.is_done]


def _unpacked(row: Iterable[Any]) -> Fate:
    order_id, word, due_ms, message, schedule, is_done = row
    return Fate(order_id, word, due_ms, message, tuple(schedule), is_done)
