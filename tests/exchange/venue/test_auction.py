"""Offers in the auction session."""

from datetime import time
from decimal import Decimal
from pathlib import Path

import pytest

from tests.exchange.fakes import DAY, INFY, SBIN, Desk, Times, limit, quote_of, scaled
from trading.domain.orders import Side
from trading.exchange.venue.auction import paid_price
from trading.exchange.venue.auction_list import auction_number
from trading.exchange.venue.orders import Order
from trading.exchange.venue.refusals import Refusal
from trading.exchange.venue.rules import OrderRequest

BUY, SELL = Side.BUY, Side.SELL
NUMBER = auction_number(DAY, INFY.token)


def session(state_dir: Path | None = None, moment: time = time(14, 30)) -> Desk:
    return Desk(state_dir, times=Times(moment))


def offer(price: Decimal | int, quantity: int = 10, **more: object) -> OrderRequest:
    words: dict[str, object] = {"variety": "auction", "product": "CNC", "auction_number": NUMBER, "tag": "AUC"}
    return limit(SELL, quantity, str(price), **(words | more))


def paid(desk: Desk) -> int:
    return paid_price(INFY, desk.market.quote(INFY.token), DAY)


def ended(desk: Desk, order_id: str) -> Order:
    desk.times.go_to(time(15))
    desk.tick(quote_of(SBIN, 1500))
    return desk.venue.books.orders[order_id]


def test_an_offer_waits_for_the_end_of_the_session_whatever_the_market_does() -> None:
    desk = session()

    placed = desk.venue.books.orders[desk.trade(offer(1400))]
    desk.tick(quote_of(INFY, 1600))

    assert (placed.status, placed.filled) == ("OPEN", 0)


def test_an_offer_at_or_below_the_price_is_bought_at_that_price() -> None:
    desk = session()
    order_id = desk.trade(offer(1400))

    placed = ended(desk, order_id)

    assert (placed.status, placed.filled_value) == ("COMPLETE", 10 * paid(desk))
    assert 1500 * 10_000 <= paid(desk) <= 1650 * 10_000
    assert desk.venue.books.accounts["AB1001"].net_quantity(INFY.token, "CNC") == -10


def test_a_dearer_offer_lapses() -> None:
    desk = session()
    price = Decimal(paid(desk)) / 10_000 + INFY.tick_size

    assert ended(desk, desk.trade(offer(price))).status == "CANCELLED"


def test_an_offer_can_be_cancelled_but_not_changed() -> None:
    desk = session()
    placed = desk.venue.books.orders[desk.trade(offer(1400))]

    with pytest.raises(Refusal, match="Auction orders cannot be modified"):
        desk.venue.modify(placed, offer(1410))
    desk.venue.cancel(placed)
    desk.venue.match_pending()

    assert placed.status == "CANCELLED"
    assert ended(desk, placed.order_id).filled == 0


def test_shares_on_offer_cannot_be_sold_twice() -> None:
    desk = session()
    desk.trade(offer(1400))

    again = desk.venue.books.orders[desk.trade(offer(1400, tag="B"))]
    plain = desk.venue.books.orders[desk.trade(limit(SELL, 10, 1500, product="CNC", tag="C"))]

    assert (again.status, plain.status) == ("REJECTED", "REJECTED")


def test_an_offer_survives_a_restart(tmp_path: Path) -> None:
    desk = session(tmp_path)
    order_id = desk.trade(offer(1400))
    desk.venue.close()

    assert ended(session(tmp_path), order_id).status == "COMPLETE"


@pytest.mark.parametrize("moment", [time(14, 29, 59), time(15)])
def test_outside_the_session_nothing_is_taken(moment: time) -> None:
    with pytest.raises(Refusal, match="between 14:30 and 15:00"):
        session(moment=moment).place(offer(1400))


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (offer(1400, auction_number="0"), "Invalid `auction_number`"),
        (offer(1400, auction_number=""), "Invalid `auction_number`"),
        (offer(1400, instrument=SBIN), "Invalid `auction_number`"),
        (offer(1400, tag="x" * 21), "Invalid `tag`"),
        (offer(1400, quantity=11), "Insufficient stock holding"),
        (offer(1400, quantity=0), "Insufficient stock holding"),
        (offer(1400, product="MIS"), "Only CNC SELL orders"),
        (offer(1400, validity="IOC"), "LIMIT orders with DAY validity"),
        (offer("1400.03"), "Tick size"),  # type: ignore[arg-type]
        (offer(1199), "lower circuit limit of 1200.00"),
        (offer(1801), "upper circuit limit of 1800.00"),
    ],
)
def test_a_bad_offer_is_refused(request_: OrderRequest, words: str) -> None:
    desk = session()

    with pytest.raises(Refusal, match=words):
        desk.place(request_)
    assert desk.venue.books.orders == {}


def test_the_price_paid_belongs_to_the_day_and_the_share() -> None:
    desk = session()
    quote = desk.market.quote(INFY.token)

    prices = {paid_price(INFY, quote, DAY.replace(day=day)) for day in range(1, 29)}

    assert len(prices) > 3
    assert all(price % scaled("0.05") == 0 for price in prices)
