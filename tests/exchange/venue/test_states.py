"""The life of an order: history, fills, cancels, modifications, and the words that go out."""

from datetime import time
from decimal import Decimal

import pytest

from tests.exchange.fakes import INFY, Desk, limit, order, quote_of
from trading.domain.orders import Side
from trading.exchange.venue.orders import Order
from trading.exchange.venue.refusals import Refusal

BUY, SELL = Side.BUY, Side.SELL


def statuses(order_: Order) -> list[str]:
    return [line.status.value for line in order_.history]


def test_a_market_order_goes_through_every_state_and_completes() -> None:
    desk = Desk()

    order_id = desk.trade(order(tag="T1"))

    placed = desk.venue.books.orders[order_id]
    assert statuses(placed) == ["PUT ORDER REQ RECEIVED", "VALIDATION PENDING", "OPEN PENDING", "OPEN", "COMPLETE"]
    assert desk.words == [("T1", "COMPLETE")]
    assert len(order_id) == 19
    assert order_id.isdecimal()


def test_an_order_is_not_matched_before_the_market_asks_for_it() -> None:
    desk = Desk()
    woken: list[int] = []
    desk.venue.wake = lambda: woken.append(1)

    order_id = desk.place(order())

    assert woken == [1]
    assert desk.venue.has_pending()
    assert desk.venue.books.orders[order_id].status == "VALIDATION PENDING"


def test_a_large_order_walks_the_book_and_pays_for_each_level() -> None:
    desk = Desk()
    desk.tick(quote_of(INFY, 1500, asks=((1500, 4), ("1500.50", 3), (1501, 50))))

    order_id = desk.trade(order(quantity=10))

    trades = desk.venue.books.accounts["AB1001"].trades
    assert [(trade.quantity, trade.price) for trade in trades] == [(4, 15_000_000), (3, 15_005_000), (3, 15_010_000)]
    assert desk.venue.books.orders[order_id].filled_value == 4 * 15_000_000 + 3 * 15_005_000 + 3 * 15_010_000


def test_a_partial_fill_is_open_with_a_filled_quantity_and_is_told_as_an_update() -> None:
    desk = Desk()
    desk.tick(quote_of(INFY, 1500, asks=((1500, 4),)))

    order_id = desk.trade(order(quantity=10, tag="P"))

    placed = desk.venue.books.orders[order_id]
    assert (placed.status, placed.filled, placed.remaining) == ("OPEN", 4, 6)
    assert desk.words == [("P", "UPDATE")]


def test_what_one_account_took_is_not_there_for_the_next_one_and_comes_back_later() -> None:
    desk = Desk()
    desk.tick(quote_of(INFY, 1500, asks=((1500, 10),)))

    first = desk.trade(limit(BUY, 10, 1500))
    second = desk.trade(limit(BUY, 10, 1500))
    other = desk.trade(limit(BUY, 10, 1500), user_id="AB1002")
    before = [desk.venue.books.orders[one].filled for one in (first, second, other)]
    desk.tick(quote_of(INFY, 1500, asks=((1500, 10),)))

    assert before == [10, 0, 0]
    assert [desk.venue.books.orders[one].filled for one in (second, other)] == [10, 0]


def test_an_order_that_waited_in_the_book_trades_at_its_own_price() -> None:
    desk = Desk()
    order_id = desk.trade(limit(BUY, 10, 1490))
    assert desk.venue.books.orders[order_id].status == "OPEN"
    assert desk.words == []

    desk.tick(quote_of(INFY, 1485))

    assert desk.venue.books.accounts["AB1001"].trades[0].price == 14_900_000


def test_of_two_resting_orders_the_better_price_fills_first_whatever_came_first() -> None:
    desk = Desk()
    worse = desk.trade(limit(BUY, 10, 1490, tag="A"))
    better = desk.trade(limit(BUY, 10, 1495, tag="B"))

    desk.tick(quote_of(INFY, 1495, asks=((1490, 15),)))

    assert desk.venue.books.orders[better].filled == 10
    assert desk.venue.books.orders[worse].filled == 5


def test_an_ioc_order_fills_what_it_can_and_cancels_the_rest() -> None:
    desk = Desk()
    desk.tick(quote_of(INFY, 1500, asks=((1500, 4),)))

    order_id = desk.trade(limit(BUY, 10, 1500, validity="IOC", tag="I"))

    placed = desk.venue.books.orders[order_id]
    assert (placed.status, placed.filled, placed.cancelled) == ("CANCELLED", 4, 6)
    assert desk.words == [("I", "CANCELLED")]


def test_a_stop_waits_for_its_trigger_and_then_trades_as_a_limit_order() -> None:
    desk = Desk()
    order_id = desk.trade(limit(SELL, 10, 1480, order_type="SL", trigger_price=Decimal(1490)))
    placed = desk.venue.books.orders[order_id]
    desk.tick(quote_of(INFY, "1490.05"))
    waiting = placed.status

    desk.tick(quote_of(INFY, 1490, bids=(("1489.50", 100),)))

    assert waiting == "TRIGGER PENDING"
    assert statuses(placed)[-4:] == ["TRIGGER PENDING", "OPEN PENDING", "OPEN", "COMPLETE"]
    assert desk.venue.books.accounts["AB1001"].trades[0].price == 14_895_000


def test_a_triggered_stop_whose_limit_is_beyond_the_market_rests() -> None:
    desk = Desk()
    order_id = desk.trade(limit(SELL, 10, 1489, order_type="SL", trigger_price=Decimal(1490)))

    desk.tick(quote_of(INFY, 1480))

    assert desk.venue.books.orders[order_id].status == "OPEN"


def test_a_stop_market_order_gets_its_limit_when_it_triggers() -> None:
    desk = Desk()
    order_id = desk.trade(order(SELL, order_type="SL-M", trigger_price=Decimal(1490), protection=Decimal(1)))

    desk.tick(quote_of(INFY, 1490))

    placed = desk.venue.books.orders[order_id]
    assert (placed.status, placed.terms.price) == ("COMPLETE", 14_751_000)


def test_a_cancel_is_done_before_the_order_it_would_race_with() -> None:
    desk = Desk()
    order_id = desk.place(order(tag="C"))

    desk.venue.cancel(desk.venue.order_of("AB1001", order_id))
    desk.venue.match_pending()

    placed = desk.venue.books.orders[order_id]
    assert (placed.status, placed.cancelled, placed.filled) == ("CANCELLED", 10, 0)
    assert desk.words == [("C", "CANCELLED")]


def test_a_final_order_can_neither_be_cancelled_nor_modified() -> None:
    desk = Desk()
    placed = desk.venue.books.orders[desk.trade(order())]

    with pytest.raises(Refusal, match="cannot be cancelled as it is being processed"):
        desk.venue.cancel(placed)
    with pytest.raises(Refusal, match="cannot be modified as it is being processed"):
        desk.venue.modify(placed, limit(BUY, 20, 1500))


def test_a_modified_order_trades_on_its_new_terms() -> None:
    desk = Desk()
    placed = desk.venue.books.orders[desk.trade(limit(BUY, 10, 1490, tag="M"))]

    desk.venue.modify(placed, limit(BUY, 20, 1500))
    desk.venue.match_pending()

    assert statuses(placed)[3:] == [
        "OPEN",
        "MODIFY VALIDATION PENDING",
        "MODIFY PENDING",
        "MODIFIED",
        "OPEN",
        "COMPLETE",
    ]
    assert placed.filled == 20
    assert desk.words == [("M", "UPDATE"), ("M", "COMPLETE")]


def test_an_order_that_is_still_being_processed_cannot_be_modified() -> None:
    desk = Desk()
    placed = desk.venue.books.orders[desk.place(limit(BUY, 10, 1490))]

    with pytest.raises(Refusal, match="Order cannot be modified as it is being processed"):
        desk.venue.modify(placed, limit(BUY, 20, 1490))


def test_the_26th_modification_is_refused() -> None:
    desk = Desk()
    placed = desk.venue.books.orders[desk.trade(limit(BUY, 10, 1490))]
    for number in range(25):
        desk.venue.modify(placed, limit(BUY, 10, 1480 + number % 2))
        desk.venue.match_pending()

    with pytest.raises(Refusal, match="Maximum allowed order modifications exceeded"):
        desk.venue.modify(placed, limit(BUY, 10, 1470))


def test_a_modification_that_costs_too_much_leaves_the_order_as_it_was() -> None:
    desk = Desk()
    placed = desk.venue.books.orders[desk.trade(limit(BUY, 10, 1400))]

    desk.venue.modify(placed, limit(BUY, 99_999, 1400))
    desk.venue.match_pending()

    assert (placed.status, placed.terms.quantity) == ("OPEN", 10)
    assert placed.message is not None
    assert placed.message.startswith("Insufficient funds.")


def test_an_order_taken_in_the_last_moment_is_rejected_when_the_session_is_over_at_matching() -> None:
    desk = Desk()
    order_id = desk.place(order(tag="L"))
    desk.times.go_to(time(15, 15))

    desk.venue.match_pending()

    placed = desk.venue.books.orders[order_id]
    assert placed.status == "REJECTED"
    assert placed.raw is not None
    assert placed.raw.startswith("16387")


def test_resting_orders_do_not_trade_after_the_continuous_session_and_lapse_at_the_end_of_the_day() -> None:
    desk = Desk()
    order_id = desk.trade(limit(BUY, 10, 1490, tag="D"))
    desk.times.go_to(time(15, 16))

    desk.tick(quote_of(INFY, 1400))
    desk.venue.end_of_day()
    desk.venue.end_of_day()

    assert desk.venue.books.orders[order_id].status == "CANCELLED"
    assert desk.words == [("D", "CANCELLED")]


def test_a_batch_gives_the_same_ledger_in_whatever_order_it_arrived() -> None:
    def day(requests: list[tuple[str, str]]) -> str:
        desk = Desk()
        desk.tick(quote_of(INFY, 1500, asks=((1500, 15), (1501, 100))))
        for user_id, tag in requests:
            desk.place(order(quantity=10, tag=tag), user_id)
        desk.venue.match_pending()
        return desk.venue.ledger_hash()

    batch = [("AB1001", "A"), ("AB1001", "B"), ("AB1002", "A"), ("AB1003", "Z")]

    assert day(batch) == day(batch[::-1])


def test_the_hash_does_not_see_which_account_came_first() -> None:
    hashes = set()
    for users in (("AB1001", "AB1002"), ("AB1002", "AB1001")):
        desk = Desk()
        for user_id in users:
            desk.trade(order(tag=user_id), user_id)
        hashes.add(desk.venue.ledger_hash())

    assert len(hashes) == 1


def test_the_hash_sees_a_different_price() -> None:
    one, other = Desk(), Desk()
    other.tick(quote_of(INFY, "1500.05"))

    one.trade(order(tag="A"))
    other.trade(order(tag="A"))

    assert one.venue.ledger_hash() != other.venue.ledger_hash()
