"""After-market orders: taken in the evening, sent to the exchange at the open."""

from datetime import time
from decimal import Decimal
from pathlib import Path

import pytest

from tests.exchange.fakes import DAY, INFY, Desk, FakeMarket, Times, limit, order, quote_of
from trading.domain.orders import Side
from trading.exchange.venue.refusals import Refusal
from trading.exchange.venue.rules import OrderRequest

BUY, SELL = Side.BUY, Side.SELL
NEXT = DAY.replace(day=24)


def evening(state_dir: Path | None = None) -> Desk:
    desk = Desk(state_dir, times=Times(time(16, 0)))
    desk.venue.end_of_day()
    return desk


def morning(desk: Desk, moment: time = time(9, 15)) -> None:
    desk.times.go_to(moment, NEXT)
    desk.market = FakeMarket(NEXT)
    desk.venue.begin_day(desk.market)


def amo(price: int = 1500, **more: object) -> OrderRequest:
    return limit(BUY, int(str(more.pop("quantity", 10))), price, variety="amo", **({"tag": "AMO"} | more))


def test_an_order_of_the_evening_waits_and_nobody_is_told() -> None:
    desk = evening()

    placed = desk.venue.books.orders[desk.place(amo())]

    assert [line.status.value for line in placed.history] == ["AMO REQ RECEIVED"]
    assert not desk.venue.has_pending()
    assert desk.words == []


def test_it_outlives_the_roll_and_trades_at_the_open() -> None:
    desk = evening()
    order_id = desk.place(amo())
    desk.venue.end_of_day()

    morning(desk, time(9, 14))
    desk.tick(quote_of(INFY, 1490))
    waiting = desk.venue.books.orders[order_id].status.value
    desk.times.go_to(time(9, 15), NEXT)
    desk.tick(quote_of(INFY, 1490))
    desk.venue.match_pending()

    placed = desk.venue.books.orders[order_id]
    assert waiting == "AMO REQ RECEIVED"
    assert [line.status.value for line in placed.history] == [
        "AMO REQ RECEIVED",
        "VALIDATION PENDING",
        "OPEN PENDING",
        "OPEN",
        "COMPLETE",
    ]
    assert desk.words == [("AMO", "COMPLETE")]


def test_it_is_on_disk_over_the_day_roll_and_its_id_is_not_given_again(tmp_path: Path) -> None:
    desk = evening(tmp_path)
    order_id = desk.place(amo(1400))
    later = desk.place(amo(1401, tag="B"))
    desk.venue.cancel(desk.venue.books.orders[later])
    desk.venue.close()

    once = Desk(tmp_path, market=FakeMarket(NEXT), times=Times(time(9, 5), NEXT))
    once.venue.close()
    again = Desk(tmp_path, market=FakeMarket(NEXT), times=Times(time(9, 15), NEXT))

    assert list(again.venue.books.orders) == [order_id]
    assert again.venue.has_pending()
    again.venue.match_pending()
    assert again.venue.books.orders[order_id].status == "OPEN"
    sequences = (
        desk.venue.books.orders[later].sequence,
        again.venue.books.orders[again.place(limit(BUY, 1, 1400))].sequence,
    )
    assert sequences == (2, 3)


def test_it_can_be_changed_and_cancelled_before_the_open() -> None:
    desk = evening()
    placed = desk.venue.books.orders[desk.place(amo())]

    desk.venue.modify(placed, amo(1450, quantity=20))
    changed = placed.status.value, placed.terms.quantity, placed.terms.price
    desk.venue.cancel(placed)
    morning(desk)

    assert changed == ("MODIFY AMO REQ RECEIVED", 20, 14_500_000)
    assert placed.status == "CANCELLED"
    assert desk.words == [("AMO", "CANCELLED")]
    assert desk.venue.books.orders == {}


def test_a_changed_one_waits_for_the_open_too(tmp_path: Path) -> None:
    desk = evening(tmp_path)
    placed = desk.venue.books.orders[desk.place(amo())]
    desk.venue.modify(placed, amo(1450))
    desk.venue.close()

    again = Desk(tmp_path, market=FakeMarket(NEXT), times=Times(time(9, 15), NEXT))
    again.venue.match_pending()

    assert again.venue.books.orders[placed.order_id].terms.price == 14_500_000
    assert again.venue.books.orders[placed.order_id].status == "OPEN"


@pytest.mark.parametrize("moment", [time(8, 58), time(9, 15), time(12), time(15, 59)])
def test_the_market_hours_refuse_it(moment: time) -> None:
    desk = Desk(times=Times(moment))

    with pytest.raises(Refusal, match=r"After market orders \(AMO\) are accepted only between 16:00 and 08:58"):
        desk.place(amo())


def test_a_moment_before_the_open_it_can_neither_be_changed_nor_cancelled() -> None:
    desk = evening()
    placed = desk.venue.books.orders[desk.place(amo())]
    morning(desk, time(9, 5))

    with pytest.raises(Refusal, match="AMO"):
        desk.venue.modify(placed, amo(1450))
    with pytest.raises(Refusal, match="AMO"):
        desk.venue.cancel(placed)


def test_a_market_order_of_the_evening_is_protected_around_the_mornings_price() -> None:
    desk = evening()
    placed = desk.venue.books.orders[desk.place(order(BUY, 10, variety="amo"))]

    market = FakeMarket(NEXT)
    market.put(quote_of(INFY, 1600))
    desk.times.go_to(time(9, 15), NEXT)
    desk.venue.begin_day(market)
    desk.venue.on_quotes([])
    desk.venue.match_pending()

    assert (placed.status, placed.terms.price) == ("COMPLETE", 16_080_000)


def test_a_price_outside_the_new_days_range_is_rejected_at_the_open() -> None:
    desk = evening()
    placed = desk.venue.books.orders[desk.place(amo(1360))]

    market = FakeMarket(NEXT)
    market.put(quote_of(INFY, 1500, circuits=(1400, 1700)))
    desk.times.go_to(time(9, 15), NEXT)
    desk.venue.begin_day(market)
    desk.venue.on_quotes([])
    desk.venue.match_pending()

    assert placed.status == "REJECTED"
    assert placed.message is not None
    assert "lower than the current lower circuit limit of 1400.00" in placed.message


def test_funds_are_asked_for_at_the_open() -> None:
    desk = evening()
    placed = desk.venue.books.orders[desk.place(amo(1500, quantity=9000))]
    morning(desk)
    desk.venue.on_quotes([])
    desk.venue.match_pending()

    assert placed.status == "REJECTED"
    assert placed.message is not None
    assert placed.message.startswith("Insufficient funds.")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"validity": "TTL", "validity_ttl": 5}, "TTL is not allowed"),
        ({"product": "CO"}, "Invalid `product`"),
        ({"price": Decimal("1500.03")}, "Tick size"),
    ],
)
def test_a_bad_one_is_refused_in_the_evening_already(change: dict[str, object], words: str) -> None:
    with pytest.raises(Refusal, match=words):
        evening().place(amo(**change))  # type: ignore[arg-type]


def test_the_roll_gives_the_same_ledger_with_and_without_a_restart(tmp_path: Path) -> None:
    def night(desk: Desk) -> None:
        for number in (3, 1, 2):
            desk.place(amo(1500 - number, tag=f"A{number}"))

    def day(desk: Desk) -> str:
        desk.venue.on_quotes([])
        desk.tick(quote_of(INFY, 1498, asks=((1498, 15),)))
        desk.venue.match_pending()
        desk.venue.end_of_day()
        return desk.venue.ledger_hash()

    one, other = evening(tmp_path), evening()
    night(one)
    night(other)
    one.venue.close()
    morning(other)

    restarted = Desk(tmp_path, market=FakeMarket(NEXT), times=Times(time(9, 15), NEXT))

    assert day(restarted) == day(other)
