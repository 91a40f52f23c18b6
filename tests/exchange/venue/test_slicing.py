"""An order above the freeze quantity, sliced by the broker."""

from pathlib import Path

import pytest

from tests.exchange.fakes import FUTURE, Desk, limit, scaled
from trading.domain.orders import Side
from trading.exchange.venue.orders import Order
from trading.exchange.venue.refusals import Refusal
from trading.exchange.venue.rules import OrderRequest
from trading.exchange.venue.slicing import plan_slices

BUY, SELL = Side.BUY, Side.SELL


def place(desk: Desk, request: OrderRequest) -> list[Order | Refusal]:
    key = desk.venue.users["AB1001"].api_key
    return list(desk.venue.place_slices("AB1001", key, plan_slices(request)).children)


def rich(desk: Desk) -> Desk:
    desk.venue.books.accounts["AB1001"].cash = scaled(10_000_000)
    return desk


def future(quantity: int, **more: object) -> OrderRequest:
    return limit(BUY, quantity, 1500, instrument=FUTURE, product="NRML", **more)


def test_an_order_is_cut_into_slices_of_the_freeze_quantity_and_a_rest() -> None:
    desk = rich(Desk())

    children = place(desk, future(1800 * 2 + 75, tag="BIG"))
    desk.venue.match_pending()

    orders = [one for one in children if isinstance(one, Order)]
    assert [one.terms.quantity for one in orders] == [1800, 1800, 75]
    assert {one.status.value for one in orders} == {"COMPLETE"}
    assert desk.venue.books.accounts["AB1001"].net_quantity(FUTURE.token, "NRML") == 3675


def test_the_slices_share_an_id_that_is_no_order() -> None:
    desk = rich(Desk())

    orders = [one for one in place(desk, future(3675)) if isinstance(one, Order)]

    (parent,) = {one.kind.slice_of for one in orders}
    assert parent not in desk.venue.books.orders
    assert int(parent) < min(int(one.order_id) for one in orders)


def test_a_slice_that_cannot_be_paid_does_not_stop_the_ones_behind_it() -> None:
    desk = Desk()
    desk.venue.books.accounts["AB1001"].cash = scaled(600_000)

    children = place(desk, future(1800 * 2 + 75))

    assert [isinstance(one, Order) for one in children] == [True, False, True]
    refusal = children[1]
    assert isinstance(refusal, Refusal)
    assert (refusal.error_type, refusal.status) == ("MarginException", 400)
    assert refusal.message == "Insufficient funds. Required margin is 540000.00 but available margin is 60000.00."
    desk.venue.match_pending()
    assert {one.status.value for one in desk.venue.books.orders.values()} == {"COMPLETE"}


def test_slices_that_close_a_position_need_no_money_but_those_beyond_it_do() -> None:
    desk = Desk()
    desk.venue.books.accounts["AB1001"].cash = scaled(1_100_000)
    for one in place(desk, future(3600)):
        assert isinstance(one, Order)
    desk.venue.match_pending()

    closing = limit(SELL, 1800 * 3, 1500, instrument=FUTURE, product="NRML")
    children = place(desk, closing)

    assert [isinstance(one, Order) for one in children] == [True, True, False]


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (future(1725), "Quantity should be greater than or equal to 1800 for order slicing."),
        (future(1800 * 10 + 75), "Maximum 10 slices"),
        (future(1801), "multiples of the lot size 75"),
        (future(3600, variety="amo"), "regular orders only"),
        (limit(BUY, 150_000, "1500.03"), "Tick size"),
    ],
)
def test_what_cannot_be_sliced_is_refused_whole(request_: OrderRequest, words: str) -> None:
    desk = rich(Desk())

    with pytest.raises(Refusal, match=words):
        place(desk, request_)
    assert desk.venue.books.orders == {}


def test_slices_are_kept_and_look_the_same_after_a_restart(tmp_path: Path) -> None:
    desk = rich(Desk(tmp_path))
    place(desk, future(3600))
    desk.venue.close()

    again = Desk(tmp_path)

    assert [one.kind for one in again.venue.books.orders.values()] == [
        one.kind for one in desk.venue.books.orders.values()
    ]
