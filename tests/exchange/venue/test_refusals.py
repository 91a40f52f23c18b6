"""What is refused before it is an order, and in which words."""

from datetime import time
from decimal import Decimal

import pytest

from tests.exchange.fakes import FUTURE, INFY, NIFTY, Desk, Times, limit, order, quote_of
from trading.domain.orders import Side
from trading.exchange.venue.refusals import Refusal
from trading.exchange.venue.rules import OrderRequest

BUY, SELL = Side.BUY, Side.SELL

REFUSED: list[tuple[OrderRequest, str]] = [
    (order(protection=None), "Market orders without market protection are not allowed via API. Please set"),
    (order(protection=Decimal(101)), "Invalid `market_protection`"),
    (order(order_type="SL-M", trigger_price=Decimal(1510), protection=None), "Market orders without market protection"),
    (limit(BUY, 10, "1500.03"), "Tick size for this script is 0.05. Kindly enter price in the multiple"),
    (
        limit(BUY, 10, 1349),
        "lower than the current lower circuit limit of 1350.00. Place an order within the",
    ),
    (limit(SELL, 10, 1651), "higher than the current upper circuit limit of 1650.00"),
    (limit(BUY, 10, 0), "Invalid `price`"),
    (order(quantity=0), "Invalid `quantity`"),
    (order(quantity=100_001), "is higher than the maximum quantity of 100000 (100000 lots) allowed by the exchanges"),
    (order(instrument=FUTURE, product="NRML", quantity=76), "multiples of the lot size 75"),
    (
        order(instrument=FUTURE, product="NRML", quantity=1875),
        "The order quantity 1875 (25 lots) is higher than the maximum quantity of 1800 (24 lots) allowed",
    ),
    (order(instrument=NIFTY), "cannot be traded"),
    (order(product="NRML"), "Invalid `product`"),
    (order(order_type="STOP"), "Invalid `order_type`"),
    (order(validity="GTD"), "Invalid `validity`"),
    (order(tag="x" * 21), "Invalid `tag`"),
    (limit(BUY, 100, 1500, disclosed_quantity=9), "Disclosed quantity should be at least 10%"),
    (
        limit(BUY, 10, 1500, order_type="SL", trigger_price=Decimal(1499)),
        "Trigger price for stoploss buy orders should be higher than the last traded price",
    ),
    (
        limit(SELL, 10, 1490, order_type="SL", trigger_price=Decimal(1501)),
        "Trigger price for stoploss sell orders should be lower than the last traded price",
    ),
    (
        limit(BUY, 10, 1505, order_type="SL", trigger_price=Decimal(1510)),
        "Trigger price should be lower than or equal to the limit price",
    ),
]


@pytest.mark.parametrize(("request_", "words"), REFUSED, ids=[words[:40] for _, words in REFUSED])
def test_a_bad_order_is_refused_in_the_brokers_words_and_leaves_nothing_in_the_book(
    request_: OrderRequest, words: str
) -> None:
    desk = Desk()

    with pytest.raises(Refusal) as refused:
        desk.place(request_)

    assert words in refused.value.message
    assert (refused.value.status, refused.value.error_type) == (400, "InputException")
    assert desk.venue.books.orders == {}
    assert not desk.venue.has_pending()


def test_the_automatic_band_depends_on_the_price() -> None:
    desk = Desk()
    for ltp, percent in ((99, "2.00"), (100, "1.00"), (499, "1.00"), (500, "0.50")):
        desk.tick(quote_of(INFY, ltp, circuits=(1, 5000)))

        placed = desk.venue.books.orders[desk.place(order())]

        assert placed.terms.percent == percent


def test_a_protected_price_is_on_the_tick_and_inside_the_circuits() -> None:
    desk = Desk()
    desk.tick(quote_of(INFY, "1648.05"))

    bought = desk.venue.books.orders[desk.place(order(BUY))]
    sold = desk.venue.books.orders[desk.place(order(SELL))]

    assert bought.terms.price == 16_500_000
    assert sold.terms.price == 16_398_000  # 1648.05 less 0.5 % is 1639.80975


@pytest.mark.parametrize("moment", [time(8, 59, 59), time(15, 35), time(16)])
def test_outside_every_session_an_order_is_refused_with_the_closed_market_text(moment: time) -> None:
    desk = Desk(times=Times(moment))

    with pytest.raises(Refusal, match="are blocked as the markets are not open for trading today"):
        desk.place(order())


def test_a_stock_without_derivatives_still_trades_when_the_others_are_in_their_closing_auction() -> None:
    desk = Desk(times=Times(time(15, 19, 59)))
    plain = INFY.__class__("NSE", "GILLETTE", 378625, INFY.tick_size, 1)
    desk.market.instruments[plain.token] = plain
    desk.market.put(quote_of(plain, 1500))

    order_id = desk.trade(order(instrument=plain))

    assert desk.venue.books.orders[order_id].status == "COMPLETE"


def test_an_unknown_or_foreign_order_is_not_found() -> None:
    desk = Desk()
    order_id = desk.trade(order())

    with pytest.raises(Refusal, match="Couldn't find that `order_id`"):
        desk.venue.order_of("AB1002", order_id)
