"""Cover orders: an entry, and the stop that the broker places behind it."""

from decimal import Decimal
from pathlib import Path

import pytest

from tests.exchange.fakes import FUTURE, INFY, Desk, limit, order, quote_of
from trading.domain.orders import Side
from trading.exchange.venue.cover import trigger_range
from trading.exchange.venue.orders import Order
from trading.exchange.venue.refusals import Refusal
from trading.exchange.venue.rules import OrderRequest

BUY, SELL = Side.BUY, Side.SELL


def cover(side: Side = BUY, trigger: int = 1480, **more: object) -> OrderRequest:
    words: dict[str, object] = {"variety": "co", "trigger_price": Decimal(trigger), "tag": "CO"}
    return order(side, 10, **(words | more))


def cover_limit(price: int, trigger: int = 1480) -> OrderRequest:
    return cover(trigger=trigger, order_type="LIMIT", price=Decimal(price), protection=None)


def orders(desk: Desk) -> list[Order]:
    return list(desk.venue.books.orders.values())


def match_all(desk: Desk) -> None:
    while desk.venue.has_pending():
        desk.venue.match_pending()


def entered(desk: Desk, request: OrderRequest | None = None) -> tuple[Order, Order]:
    desk.place(request or cover())
    match_all(desk)
    entry, stop = orders(desk)
    return entry, stop


def net(desk: Desk) -> int:
    return desk.venue.books.accounts["AB1001"].net_quantity(INFY.token, "CO")


def test_a_filled_entry_gets_a_stop_on_the_other_side() -> None:
    desk = Desk()

    entry, stop = entered(desk)

    assert (entry.status, entry.product, entry.kind.variety) == ("COMPLETE", "CO", "co")
    assert (stop.status, stop.side, stop.terms.order_type) == ("TRIGGER PENDING", SELL, "SL-M")
    assert (stop.terms.trigger_price, stop.terms.quantity) == (14_800_000, 10)
    assert (stop.kind.parent_order_id, stop.tag, stop.product) == (entry.order_id, "CO", "CO")
    assert stop.blocked == 0


def test_the_stop_closes_the_position_when_the_market_turns() -> None:
    desk = Desk()
    _, stop = entered(desk)

    desk.tick(quote_of(INFY, 1479))

    assert (stop.status, stop.filled_value) == ("COMPLETE", 10 * 14_790_000)
    assert net(desk) == 0


def test_a_short_cover_order_is_the_mirror() -> None:
    desk = Desk()
    _, stop = entered(desk, cover(SELL, 1520))

    desk.tick(quote_of(INFY, 1521))

    assert (stop.side, stop.status, net(desk)) == (BUY, "COMPLETE", 0)


def test_an_entry_that_rests_has_no_stop_and_can_be_cancelled() -> None:
    desk = Desk()
    desk.trade(cover_limit(1490))
    (entry,) = orders(desk)

    desk.venue.cancel(entry)
    match_all(desk)

    assert [one.status.value for one in orders(desk)] == ["CANCELLED"]


def test_the_stop_grows_with_the_fills_of_its_entry() -> None:
    desk = Desk()
    desk.tick(quote_of(INFY, 1500, asks=((1500, 4),)))
    entry, stop = entered(desk)
    first = stop.terms.quantity

    desk.tick(quote_of(INFY, 1500, asks=((1500, 3),)))
    second = stop.terms.quantity
    desk.tick(quote_of(INFY, 1500))

    assert (first, second, stop.terms.quantity) == (4, 7, 10)
    assert (entry.status, stop.status, len(orders(desk))) == ("COMPLETE", "TRIGGER PENDING", 2)
    assert ("CO", "UPDATE") in desk.words


def test_a_stop_that_is_hit_ends_what_is_left_of_the_entry() -> None:
    desk = Desk()
    desk.tick(quote_of(INFY, 1500, asks=((1500, 4),)))
    entry, stop = entered(desk)

    desk.tick(quote_of(INFY, 1480, asks=()))
    desk.tick(quote_of(INFY, 1470))

    assert (stop.status, stop.filled) == ("COMPLETE", 4)
    assert (entry.status, entry.filled, entry.cancelled) == ("CANCELLED", 4, 6)
    assert net(desk) == 0


def test_an_exit_turns_the_stop_into_a_market_order() -> None:
    desk = Desk()
    entry, stop = entered(desk)

    desk.venue.cancel(stop, parent_order_id=entry.order_id)
    match_all(desk)

    assert (stop.status, stop.filled_value, stop.terms.order_type) == ("COMPLETE", 10 * 15_000_000, "LIMIT")
    assert net(desk) == 0


def test_an_exit_ends_the_rest_of_the_entry_first() -> None:
    desk = Desk()
    desk.tick(quote_of(INFY, 1500, asks=((1500, 4),)))
    entry, stop = entered(desk, cover_limit(1500))

    desk.venue.cancel(stop, parent_order_id=entry.order_id)
    match_all(desk)

    assert (entry.status, entry.filled, stop.status, stop.filled) == ("CANCELLED", 4, "COMPLETE", 4)
    assert net(desk) == 0


def test_an_exit_that_finds_no_buyer_lets_nothing_more_be_bought() -> None:
    desk = Desk()
    desk.tick(quote_of(INFY, 1500, asks=((1500, 4),), bids=()))
    entry, stop = entered(desk, cover_limit(1500))

    desk.venue.cancel(stop, parent_order_id=entry.order_id)
    match_all(desk)
    desk.tick(quote_of(INFY, 1500, bids=()))

    assert (entry.status, entry.filled) == ("CANCELLED", 4)
    assert (stop.status, stop.terms.quantity, net(desk)) == ("OPEN", 4, 4)


@pytest.mark.parametrize("parent", ["", "1900000000000000000"])
def test_the_stop_cannot_be_cancelled(parent: str) -> None:
    desk = Desk()
    _, stop = entered(desk)

    with pytest.raises(Refusal, match="stop loss of a cover order cannot be cancelled"):
        desk.venue.cancel(stop, parent_order_id=parent)
    assert stop.status == "TRIGGER PENDING"


def test_the_trigger_of_the_stop_can_be_moved_within_the_range() -> None:
    desk = Desk()
    _, stop = entered(desk)

    moved = order(SELL, 10, order_type="SL-M", trigger_price=Decimal(1490), product="CO", variety="co")
    desk.venue.modify(stop, moved)
    match_all(desk)
    with pytest.raises(Refusal, match=r"between 1350\.00 and 1500\.00"):
        desk.venue.modify(stop, order(SELL, 10, order_type="SL-M", trigger_price=Decimal(1349), variety="co"))
    with pytest.raises(Refusal, match="Only the price"):
        desk.venue.modify(stop, order(SELL, 5, order_type="SL-M", trigger_price=Decimal(1490), variety="co"))

    assert (stop.status, stop.terms.trigger_price) == ("TRIGGER PENDING", 14_900_000)


def test_the_limit_of_the_entry_can_be_moved_but_not_its_stop() -> None:
    desk = Desk()
    desk.trade(cover_limit(1490))
    (entry,) = orders(desk)

    desk.venue.modify(entry, limit(BUY, 10, 1495, product="CO", variety="co"))
    match_all(desk)
    wish = limit(BUY, 10, 1495, product="CO", variety="co", trigger_price=Decimal(1470))
    with pytest.raises(Refusal, match="on the second leg"):
        desk.venue.modify(entry, wish)
    with pytest.raises(Refusal, match="should be higher than its trigger price"):
        desk.venue.modify(entry, limit(BUY, 10, 1480, product="CO", variety="co"))

    assert (entry.status, entry.terms.price) == ("OPEN", 14_950_000)


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (cover(trigger=1349), r"between 1350\.00 and 1500\.00"),
        (cover(trigger=1500), r"between 1350\.00 and 1500\.00"),
        (cover(SELL, 1499), r"between 1500\.00 and 1650\.00"),
        (cover(trigger=0), "Invalid `trigger_price`"),
        (cover_limit(1480), "should be higher than its trigger price"),
        (cover(instrument=FUTURE), "Cover orders are not allowed for NFO:NIFTY26NOVFUT"),
        (cover(product="CNC"), "CNC is not allowed for cover orders"),
        (cover(validity="IOC"), "MARKET or LIMIT orders with DAY validity"),
        (cover(order_type="SL", price=Decimal(1500)), "MARKET or LIMIT orders with DAY validity"),
        (cover(protection=None), "Market orders without market protection"),
        (order(product="CO"), "Invalid `product`"),
    ],
)
def test_a_bad_cover_order_is_refused(request_: OrderRequest, words: str) -> None:
    desk = Desk()

    with pytest.raises(Refusal, match=words):
        desk.place(request_)
    assert orders(desk) == []


def test_the_trigger_range_is_ten_percent_on_the_losing_side() -> None:
    assert trigger_range(BUY, 15_000_000) == (13_500_000, 15_000_000)
    assert trigger_range(SELL, 15_000_000) == (15_000_000, 16_500_000)


def test_a_stop_survives_a_restart_and_still_knows_its_entry(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    entered(desk)
    desk.venue.close()

    again = Desk(tmp_path)
    again.tick(quote_of(INFY, 1470))

    assert [one.status.value for one in orders(again)] == ["COMPLETE", "COMPLETE"]
    assert net(again) == 0


def test_the_end_of_the_day_ends_entry_and_stop_once(tmp_path: Path) -> None:
    desk = Desk()
    desk.tick(quote_of(INFY, 1500, asks=((1500, 4),)))
    entry, stop = entered(desk, cover_limit(1500))

    desk.venue.end_of_day()

    assert (entry.status, stop.status) == ("CANCELLED", "CANCELLED")
    assert desk.words.count(("CO", "CANCELLED")) == 2
