"""The pre-open session at the desk: who may come in, one price for all, and how it goes on at 09:15."""

from dataclasses import replace
from datetime import time
from pathlib import Path

import pytest

from tests.exchange.fakes import DAY, FUTURE, INFY, SESSIONS, Desk, FakeMarket, Times, limit, order, quote_of, scaled
from trading.domain.orders import Side
from trading.domain.timezone import at_ist
from trading.exchange.market.prints import Print
from trading.exchange.venue.refusals import Refusal
from trading.exchange.venue.rules import OrderRequest

BUY, SELL = Side.BUY, Side.SELL
NEXT = DAY.replace(day=24)
OPENS_AT = SESSIONS.entry_ends_at(SESSIONS.auctions(INFY.instrument_class, DAY)[0])


def opened(price: str | int = 1510, quantity: int = 20_000, at: time = time(9, 11)) -> Print:
    return Print(scaled(price), quantity, int(at_ist(DAY, at).timestamp() * 1000))


def pre_open(moment: time = time(9, 2), state_dir: Path | None = None, market: FakeMarket | None = None) -> Desk:
    desk = Desk(state_dir, times=Times(moment), market=market)
    desk.venue.on_quotes([])
    return desk


def strike(desk: Desk, printed: Print | None = None, moment: time = time(9, 11)) -> None:
    printed = printed or opened()
    desk.market.prints[INFY.token] = [printed]
    desk.times.go_to(moment)
    desk.tick(quote_of(INFY, str(printed.price / 10_000)))


def test_a_market_order_and_a_better_limit_trade_at_the_opening_price_a_worse_one_goes_on() -> None:
    desk = pre_open()
    ids = [
        desk.trade(order(BUY, 100, tag="MARKET")),
        desk.trade(limit(BUY, 100, 1515, tag="BETTER")),
        desk.trade(limit(BUY, 100, 1509, tag="WORSE")),
        desk.trade(limit(SELL, 100, 1500, tag="SELL")),
    ]
    resting = [desk.venue.books.orders[one].status.value for one in ids]

    strike(desk)

    found = [desk.venue.books.orders[one] for one in ids]
    assert resting == ["OPEN"] * 4
    assert [one.status.value for one in found] == ["COMPLETE", "COMPLETE", "OPEN", "COMPLETE"]
    assert {one.filled_value // one.filled for one in found if one.filled} == {scaled(1510)}


def test_what_was_not_matched_trades_at_its_limit_once_continuous_trading_begins() -> None:
    desk = pre_open()
    order_id = desk.trade(limit(BUY, 100, 1509))
    strike(desk)
    desk.times.go_to(time(9, 14, 59))
    desk.tick(quote_of(INFY, 1500))
    before = desk.venue.books.orders[order_id].status.value

    desk.times.go_to(time(9, 15))
    desk.tick(quote_of(INFY, 1505))

    found = desk.venue.books.orders[order_id]
    assert (before, found.status.value, found.filled_value) == ("OPEN", "COMPLETE", scaled(1509) * 100)


def test_an_order_that_is_larger_than_the_other_side_is_filled_in_part_and_goes_on_at_the_opening_price() -> None:
    desk = pre_open()
    order_id = desk.trade(order(BUY, 300, tag="BIG"))

    strike(desk, opened(quantity=200))

    found = desk.venue.books.orders[order_id]
    assert 0 < found.filled < 300
    assert (found.status.value, found.terms.price, found.terms.at_market) == ("OPEN", scaled(1510), False)
    assert desk.words == [("BIG", "UPDATE")]


def test_without_an_opening_price_a_market_order_goes_on_at_the_previous_close() -> None:
    desk = pre_open()
    order_id = desk.trade(order(BUY, 100))

    desk.times.go_to(time(9, 15))
    desk.venue.on_quotes([])

    found = desk.venue.books.orders[order_id]
    assert (found.status.value, found.terms.price, found.filled) == ("OPEN", scaled(1500), 0)


@pytest.mark.parametrize(
    ("moment", "request_", "words"),
    [
        (time(8, 59, 59), order(), "are blocked as the markets are not open for trading today"),
        (time(9, 5), order(), r"`order_type`. MARKET orders are not allowed in this part of the pre-open session"),
        (time(9, 2), limit(BUY, 1, 1500, order_type="SL", trigger_price=1499), "`order_type`. SL orders"),
        (time(9, 2), limit(BUY, 1, 1500, validity="IOC"), "Only DAY orders"),
        (time(9, 2), limit(BUY, 100, 1500, disclosed_quantity=50), "Disclosed quantity is not allowed in"),
        (time(9, 2), limit(BUY, 100, 1500, variety="iceberg", iceberg_legs=2, iceberg_quantity=50), "Only regular"),
        (time(9, 2), limit(BUY, 1, 1500, variety="co", product="MIS", trigger_price=1490), "Only regular"),
        (OPENS_AT.time(), limit(BUY, 1, 1500), r"not open for orders: the pre-open session takes none until 09:1"),
        (time(9, 12), limit(BUY, 1, 1500), r"the pre-open session takes none until 09:15"),
        (time(9, 2), limit(BUY, 75, 1500, instrument=FUTURE), "not open for trading today"),
    ],
)
def test_what_the_pre_open_does_not_take_is_refused_and_nothing_is_kept(
    moment: time, request_: OrderRequest, words: str
) -> None:
    desk = pre_open(moment)

    with pytest.raises(Refusal, match=words):
        desk.place(request_)
    assert desk.venue.books.orders == {}


def test_orders_are_changed_and_cancelled_while_the_entry_is_open_market_orders_only_while_such_are_taken() -> None:
    desk = pre_open()
    market, dear, cheap = (
        desk.venue.books.orders[desk.trade(one)]
        for one in (order(BUY, 10, tag="M"), limit(BUY, 10, 1520, tag="D"), limit(BUY, 10, 1400, tag="C"))
    )

    desk.times.go_to(time(9, 6))
    desk.venue.modify(dear, limit(BUY, 20, 1400))
    desk.venue.cancel(cheap)
    desk.venue.match_pending()
    with pytest.raises(Refusal, match="Market orders cannot be modified or cancelled in this part"):
        desk.venue.cancel(market)
    with pytest.raises(Refusal, match="Market orders cannot be modified or cancelled in this part"):
        desk.venue.modify(market, limit(BUY, 10, 1500))
    desk.times.go_to(time(9, 12))
    with pytest.raises(Refusal, match="takes none until 09:15"):
        desk.venue.cancel(dear)

    strike(desk, moment=time(9, 12))
    assert (market.status.value, dear.status.value, cheap.status.value) == ("COMPLETE", "OPEN", "CANCELLED")
    assert (dear.terms.quantity, dear.terms.price) == (20, scaled(1400))


def test_orders_of_the_evening_without_a_stop_take_part_and_a_stop_waits_for_continuous_trading() -> None:
    desk = Desk(times=Times(time(16, 0), DAY.replace(day=20)), market=FakeMarket(DAY.replace(day=20)))
    desk.venue.end_of_day()
    plain, market, stop = (
        desk.place(one)
        for one in (
            limit(BUY, 10, 1520, variety="amo", tag="A"),
            order(BUY, 10, variety="amo", tag="B"),
            limit(BUY, 10, 1530, variety="amo", order_type="SL", trigger_price=1520, tag="C"),
        )
    )
    desk.market = FakeMarket()
    desk.times.go_to(time(9, 0))
    desk.venue.begin_day(desk.market)
    desk.venue.on_quotes([])
    desk.venue.match_pending()

    orders = desk.venue.books.orders
    assert [orders[one].status.value for one in (plain, market, stop)] == ["OPEN", "OPEN", "AMO REQ RECEIVED"]
    strike(desk)
    desk.times.go_to(time(9, 15))
    desk.tick(quote_of(INFY, 1510))
    desk.venue.match_pending()
    assert [orders[one].status.value for one in (plain, market, stop)] == ["COMPLETE", "COMPLETE", "TRIGGER PENDING"]
    assert orders[plain].filled_value == orders[market].filled_value == scaled(1510) * 10


def morning(desk: Desk, *, kill_before: str = "") -> str:
    """Play a pre-open, with another process from a moment on, and give the ledger's hash."""
    for place, request in enumerate((order(BUY, 300), limit(BUY, 100, 1509), limit(SELL, 50, 1500))):
        desk.trade(replace(request, tag=f"T{place}"))
    for name, moment in (("strike", time(9, 11)), ("after", time(9, 12)), ("open", time(9, 15))):
        if name == kill_before:
            market = desk.market
            desk.venue.close()
            desk = Desk(desk.state_dir, times=Times(desk.times.market.time()), market=market)
        strike(desk, opened(quantity=200), moment)
    desk.venue.end_of_day()
    return desk.venue.ledger_hash()


@pytest.mark.parametrize("moment", ["strike", "after", "open"])
def test_a_restart_in_mid_auction_ends_in_the_same_ledger(tmp_path: Path, moment: str) -> None:
    undisturbed = morning(pre_open(state_dir=tmp_path / "one"))

    assert morning(pre_open(state_dir=tmp_path / "other"), kill_before=moment) == undisturbed
