"""Iceberg orders: one leg after another."""

from pathlib import Path

import pytest

from tests.exchange.fakes import INFY, Desk, limit, order, quote_of
from trading.domain.orders import Side
from trading.exchange.venue.orders import Order
from trading.exchange.venue.refusals import Refusal
from trading.exchange.venue.rules import OrderRequest

BUY = Side.BUY


def iceberg(price: int = 1500, **more: object) -> OrderRequest:
    words: dict[str, object] = {"variety": "iceberg", "iceberg_legs": 3, "iceberg_quantity": 40, "tag": "ICE"}
    words.update(more)
    return limit(BUY, int(str(words.pop("quantity", 100))), price, **words)


def legs(desk: Desk) -> list[Order]:
    return list(desk.venue.books.orders.values())


def match_all(desk: Desk) -> None:
    while desk.venue.has_pending():
        desk.venue.match_pending()


def test_each_leg_is_placed_when_the_one_before_is_complete() -> None:
    desk = Desk()

    first = desk.trade(iceberg())
    after_one = [(one.status.value, one.terms.quantity) for one in legs(desk)]
    match_all(desk)

    assert after_one == [("COMPLETE", 40), ("VALIDATION PENDING", 40)]
    assert [(one.status.value, one.terms.quantity) for one in legs(desk)] == [
        ("COMPLETE", 40),
        ("COMPLETE", 40),
        ("COMPLETE", 20),
    ]
    assert [one.kind.parent_order_id for one in legs(desk)] == [None, first, first]
    assert [one.kind.iceberg.remaining_quantity for one in legs(desk) if one.kind.iceberg] == [60, 20, 0]
    assert {one.tag for one in legs(desk)} == {"ICE"}


def test_a_leg_that_rests_holds_the_others_back() -> None:
    desk = Desk()
    desk.tick(quote_of(INFY, 1500, asks=((1500, 30),)))

    desk.trade(iceberg())
    one_leg = len(legs(desk))
    desk.tick(quote_of(INFY, 1500))

    assert one_leg == 1
    assert len(legs(desk)) == 2
    assert desk.venue.has_pending()


def test_a_cancelled_leg_ends_the_iceberg() -> None:
    desk = Desk()
    leg = desk.venue.books.orders[desk.trade(iceberg(1490))]

    desk.venue.cancel(leg)
    match_all(desk)
    desk.tick(quote_of(INFY, 1480))

    assert [one.status.value for one in legs(desk)] == ["CANCELLED"]


def test_a_rejected_leg_ends_the_iceberg() -> None:
    desk = Desk()

    desk.trade(iceberg(iceberg_quantity=9000, quantity=18_000, iceberg_legs=2))
    match_all(desk)

    (leg,) = legs(desk)
    assert leg.status == "REJECTED"


def test_a_new_price_holds_for_the_legs_to_come() -> None:
    desk = Desk()
    leg = desk.venue.books.orders[desk.trade(iceberg(1490))]

    desk.venue.modify(leg, limit(BUY, 40, 1495, variety="iceberg"))
    match_all(desk)
    desk.tick(quote_of(INFY, 1495))
    match_all(desk)

    assert [one.terms.price for one in legs(desk)] == [14_950_000] * 3


def test_the_quantity_of_a_leg_cannot_be_changed() -> None:
    desk = Desk()
    leg = desk.venue.books.orders[desk.trade(iceberg(1490))]

    with pytest.raises(Refusal, match="Quantity of an iceberg leg"):
        desk.venue.modify(leg, limit(BUY, 50, 1490, variety="iceberg"))


def test_the_legs_of_a_market_iceberg_follow_the_market() -> None:
    desk = Desk()
    words = {"variety": "iceberg", "iceberg_legs": 2, "iceberg_quantity": 50}
    desk.tick(quote_of(INFY, 1500, asks=((1500, 30),)))
    desk.trade(order(BUY, 100, **words))

    desk.tick(quote_of(INFY, 1506))

    match_all(desk)
    first, second = legs(desk)
    assert (first.terms.price, second.terms.price) == (15_075_000, 15_135_500)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"iceberg_legs": 1, "iceberg_quantity": 100}, "Invalid `iceberg_legs`. It should be between 2 and 50."),
        ({"iceberg_legs": 51}, "Invalid `iceberg_legs`"),
        ({"iceberg_legs": 0, "iceberg_quantity": 0}, "Invalid `iceberg_legs`"),
        ({"iceberg_quantity": 0}, "Invalid `iceberg_quantity`"),
        ({"iceberg_quantity": 50}, "Invalid `iceberg_quantity`"),
        ({"iceberg_quantity": 33}, "Invalid `iceberg_quantity`"),
        ({"validity": "IOC"}, "Iceberg orders cannot have IOC validity"),
        ({"disclosed_quantity": 10}, "Iceberg orders cannot have IOC validity or a disclosed quantity"),
    ],
)
def test_a_bad_iceberg_is_refused(change: dict[str, object], words: str) -> None:
    desk = Desk()

    with pytest.raises(Refusal, match=words):
        desk.place(iceberg(**change))  # type: ignore[arg-type]
    assert legs(desk) == []


def test_an_iceberg_goes_on_after_a_restart(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.trade(iceberg(1490))
    desk.venue.close()

    again = Desk(tmp_path)
    again.tick(quote_of(INFY, 1490))
    match_all(again)

    assert [(one.status.value, one.filled) for one in legs(again)] == [
        ("COMPLETE", 40),
        ("COMPLETE", 40),
        ("COMPLETE", 20),
    ]
