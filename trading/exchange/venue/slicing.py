"""Autoslice: an order above the exchange's freeze quantity becomes several orders, taken one by one.

Source: protocol notes, sections 3.1 and 5. The slices share an id of their own that is no order; a slice that cannot
be paid is told beside the others and does not stop them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from trading.exchange.venue import margin, refusals
from trading.exchange.venue.books import Books
from trading.exchange.venue.hand import Hand
from trading.exchange.venue.kinds import REGULAR, Kind
from trading.exchange.venue.orders import Order, Terms
from trading.exchange.venue.refusals import Refusal
from trading.exchange.venue.rules import OrderRequest, freeze_quantity

MOST_SLICES = 10
"""Sources name 10 and 50; a program that keeps to the lower one passes at the broker too."""


class Taker(Protocol):
    """What slicing asks of the desk."""

    books: Books
    hand: Hand

    def checked(self, request: OrderRequest) -> Terms:
        """Check a request that may be placed now, or raise Refusal."""

    def take(self, user_id: str, api_key: str, request: OrderRequest, terms: Terms, kind: Kind) -> Order: ...


@dataclass(frozen=True, slots=True)
class Sliced:
    """What came of an autosliced order: in order of the slices, each an order or why it is none."""

    parent_id: str
    children: Sequence[Order | Refusal]


def plan_slices(request: OrderRequest) -> list[OrderRequest]:
    """Cut a request into slices of at most the freeze quantity, in whole lots, or raise Refusal."""
    lot = max(1, request.instrument.lot_size)
    most = freeze_quantity(request.instrument) // lot * lot
    if request.variety != REGULAR:
        raise Refusal("Order slicing is allowed for regular orders only.")
    if request.quantity < most:
        raise Refusal(refusals.below_slicing(most))
    if request.quantity > most * MOST_SLICES:
        raise Refusal(f"Maximum {MOST_SLICES} slices are allowed in an order.")
    sizes = [min(most, request.quantity - begun) for begun in range(0, request.quantity, most)]
    return [replace(request, quantity=size, disclosed_quantity=min(size, request.disclosed_quantity)) for size in sizes]


def place_slices(desk: Taker, user_id: str, api_key: str, slices: Sequence[OrderRequest]) -> Sliced:
    """Place every slice that the account can pay beside those before it. Raises Refusal for a bad order."""
    terms = [desk.checked(one) for one in slices]
    parent_id, _ = desk.books.next_id()
    purse = _Purse(desk.books, user_id)
    children: list[Order | Refusal] = []
    for request, wanted in zip(slices, terms, strict=True):
        broken = desk.hand.script.on_slice(user_id, api_key, request)
        refusal = Refusal(broken, error_type="MarginException") if broken else purse.pay(request, wanted)
        if refusal is None:
            children.append(desk.take(user_id, api_key, request, wanted, Kind(slice_of=parent_id)))
        else:
            children.append(refusal)
    return Sliced(parent_id, children)


class _Purse:
    """What the account can still pay while its slices are taken; they block nothing before they are matched."""

    def __init__(self, books: Books, user_id: str) -> None:
        self._account = books.accounts[user_id]
        self._promised_money = 0
        self._promised_closing = 0

    def pay(self, request: OrderRequest, terms: Terms) -> Refusal | None:
        """Promise a slice's margin, or give why it cannot be paid."""
        behind = terms._replace(quantity=self._promised_closing + terms.quantity)
        slice_ = Order(
            order_id="", sequence=0, user_id=self._account.user_id, api_key="", instrument=request.instrument,
            side=request.side, product=request.product, tag=request.tag, terms=behind, placed_ms=0,
        )  # fmt: skip
        slice_.opening = min(terms.quantity, margin.opening_part(self._account, slice_))
        slice_.terms = terms
        required, free = margin.order_margin(slice_), margin.available(self._account) - self._promised_money
        if required > 0 and required > free:
            return refusals.slice_unpaid(required, free)
        self._promised_money += required
        self._promised_closing += terms.quantity - slice_.opening
        return None
