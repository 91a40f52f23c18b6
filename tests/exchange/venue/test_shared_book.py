"""One book an instrument for all accounts: price-time priority, queue positions, what comes back, what survives."""

from dataclasses import replace
from pathlib import Path

from tests.exchange.fakes import INFY, Desk, limit, order, quote_of, scaled
from trading.domain.orders import Side
from trading.exchange.market.quotes import Quote
from trading.exchange.venue import refusals
from trading.exchange.venue.depletion import Depletion
from trading.exchange.venue.orders import Order

BUY, SELL = Side.BUY, Side.SELL
BOB = "AB1002"
FAR = ((1400, 100_000),)
NOBODY: tuple[tuple[int, int], ...] = ()


def filled(desk: Desk, *order_ids: str) -> list[int]:
    return [desk.venue.books.orders[one].filled for one in order_ids]


def placed(desk: Desk, order_id: str) -> Order:
    return desk.venue.books.orders[order_id]


def sold_at(price: int, units: int, *, bids: tuple[tuple[int, int], ...] = FAR, before: Quote) -> Quote:
    """Make the quote of a trade in which so many units hit the bids at a price."""
    quote = quote_of(INFY, price, bids=bids, asks=((price + 10, 1000),))
    return replace(quote, is_bought=False, volume=before.volume + units)


def test_two_accounts_of_one_step_share_the_depth_by_tag() -> None:
    desk = Desk()
    desk.tick(quote_of(INFY, 1500, asks=((1500, 15),)))
    late = desk.place(limit(BUY, 10, 1500, tag="B"))
    early = desk.place(limit(BUY, 10, 1500, tag="A"), BOB)

    desk.venue.match_pending()

    assert filled(desk, early, late) == [10, 5]


def test_orders_of_two_accounts_that_cross_trade_with_each_other_at_the_older_price() -> None:
    desk = Desk()
    desk.tick(quote_of(INFY, 1500, asks=((1510, 100),), bids=((1490, 100),)))
    offer = desk.trade(limit(SELL, 10, 1505, tag="S"))

    bid = desk.trade(limit(BUY, 4, 1507, tag="B"), BOB)

    mine, theirs = desk.venue.books.accounts["AB1001"].trades, desk.venue.books.accounts[BOB].trades
    assert [(one.price, one.quantity) for one in mine + theirs] == [(scaled(1505), 4)] * 2
    assert mine[0].trade_id == theirs[0].trade_id
    assert filled(desk, offer, bid) == [4, 4]
    assert desk.words == [("S", "UPDATE"), ("B", "COMPLETE")]


def test_an_account_that_offers_more_cheaply_than_the_street_sells_first() -> None:
    desk = Desk()
    desk.tick(quote_of(INFY, 1500, asks=((1501, 100),), bids=((1490, 100),)))
    offer = desk.trade(limit(SELL, 10, 1500))

    desk.trade(limit(BUY, 25, 1502), BOB)

    prices = [(one.price, one.quantity) for one in desk.venue.books.accounts[BOB].trades]
    assert prices == [(scaled(1500), 10), (scaled(1501), 15)]
    assert filled(desk, offer) == [10]


def test_at_one_price_the_street_that_was_there_before_trades_first_and_what_came_later_behind() -> None:
    desk = Desk()
    desk.tick(quote_of(INFY, 1500, asks=((1500, 30),), bids=((1490, 100),)))
    offer = desk.trade(limit(SELL, 10, 1505))  # nobody is there yet
    second = desk.trade(limit(SELL, 10, 1500))  # behind 30

    desk.trade(limit(BUY, 30, 1500), BOB)
    after_thirty = filled(desk, second)
    desk.trade(limit(BUY, 3, 1500, tag="B"), BOB)

    assert after_thirty == [0]
    assert filled(desk, offer, second) == [0, 3]


def test_of_two_accounts_at_one_price_the_one_that_came_first_sells_first() -> None:
    desk = Desk()
    desk.tick(quote_of(INFY, 1500, asks=(), bids=((1490, 100),)))
    first = desk.trade(limit(SELL, 10, 1500, tag="Z"))
    desk.times.market = desk.times.market.replace(second=1)
    second = desk.trade(limit(SELL, 10, 1500, tag="A"), BOB)

    desk.trade(limit(BUY, 12, 1500), "AB1003")

    assert filled(desk, first, second) == [10, 2]


def test_at_its_price_an_order_gets_only_what_is_traded_beyond_its_place_in_the_queue() -> None:
    desk = Desk()
    start = desk.market.put(quote_of(INFY, 1500, bids=((1500, 50), (1490, 60)), asks=((1505, 10),)))
    waiting = desk.trade(limit(BUY, 10, 1490))

    got = []
    for units in (40, 15, 8, 100):
        start = desk.market.put(sold_at(1490, units, bids=((1490, 500),), before=start))
        desk.venue.on_quotes([start])
        got += filled(desk, waiting)

    assert got == [0, 0, 3, 10]  # 60 units stood before it


def test_the_volume_at_a_price_is_shared_by_all_who_wait_there() -> None:
    desk = Desk()
    start = desk.market.put(quote_of(INFY, 1500, bids=((1490, 20),), asks=((1505, 10),)))
    first = desk.trade(limit(BUY, 10, 1490, tag="A"))
    second = desk.trade(limit(BUY, 10, 1490, tag="B"), BOB)

    desk.tick(sold_at(1490, 34, bids=((1490, 500),), before=start))

    assert filled(desk, first, second) == [10, 4]


def test_a_price_that_trades_through_an_order_fills_it_whole_at_its_own_price() -> None:
    desk = Desk()
    start = desk.market.put(quote_of(INFY, 1500, bids=((1490, 60),), asks=((1505, 10),)))
    waiting = desk.trade(limit(BUY, 100, 1490))

    desk.tick(sold_at(1489, 1, before=start))

    assert filled(desk, waiting) == [100]
    assert placed(desk, waiting).filled_value == 100 * scaled(1490)


def test_a_limit_better_than_the_last_price_is_met_by_what_is_traded_and_not_as_traded_through() -> None:
    desk = Desk()
    start = desk.market.put(quote_of(INFY, 1500, bids=((1500, 50),), asks=((1505, 10),)))
    waiting = desk.trade(limit(BUY, 30, 1502))

    desk.tick(sold_at(1500, 12, bids=((1500, 50),), before=start))

    assert filled(desk, waiting) == [12]


def test_what_would_trade_with_the_own_account_is_cancelled_and_what_waits_stays() -> None:
    desk = Desk()
    desk.tick(quote_of(INFY, 1500, asks=((1499, 4), (1510, 100)), bids=((1490, 100),)))
    offer = desk.trade(limit(SELL, 10, 1500, tag="S"))

    bid = desk.trade(limit(BUY, 10, 1505, tag="B"))

    assert (placed(desk, bid).status, filled(desk, bid), placed(desk, bid).cancelled) == ("CANCELLED", [4], 6)
    assert placed(desk, bid).message == refusals.SELF_TRADE
    assert (placed(desk, offer).status, filled(desk, offer)) == ("OPEN", [0])


def test_fewer_units_keep_the_place_and_another_price_loses_it() -> None:
    desk = Desk()
    desk.tick(quote_of(INFY, 1500, asks=(), bids=((1490, 100),)))
    first, second, third = (
        desk.trade(limit(SELL, 10, 1500, tag=tag), user) for tag, user in (("C", "AB1001"), ("B", BOB), ("A", BOB))
    )
    desk.times.market = desk.times.market.replace(second=5)
    for order_id, units, price in ((first, 6, 1500), (second, 10, 1501)):
        desk.venue.modify(placed(desk, order_id), limit(SELL, units, price))
        desk.venue.match_pending()
    desk.venue.modify(placed(desk, second), limit(SELL, 10, 1500))
    desk.venue.match_pending()

    desk.trade(limit(BUY, 17, 1500), "AB1003")

    assert filled(desk, third, first, second) == [10, 6, 1]


def test_what_was_taken_comes_back_within_the_next_quotes_by_chance_of_serial_and_price() -> None:
    one, other = Depletion(), Depletion()
    one.take(SELL, 15_000_000, 1000, 7)
    other.unpack(one.pack())  # type: ignore[arg-type]

    missing = [one.at(SELL, 15_000_000, serial) for serial in range(7, 60)]

    assert missing[0] == 1000
    assert 400 <= missing[1] < 800
    assert missing == sorted(missing, reverse=True)
    assert missing[-1] == 0
    assert [other.at(SELL, 15_000_000, serial) for serial in range(7, 60)] == missing


def test_places_and_taken_units_survive_a_kill(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    start = desk.market.put(quote_of(INFY, 1500, bids=((1490, 60),), asks=((1500, 40),)))
    waiting = desk.trade(limit(BUY, 10, 1490))
    start = desk.market.put(sold_at(1490, 25, bids=((1490, 500),), before=start))
    desk.venue.on_quotes([start])
    desk.trade(order(SELL, 5, tag="takes"), BOB)  # takes 5 of the bids, all of them before the one that waits
    desk.trade(limit(BUY, 600, 1500, validity="IOC"), "AB1003")

    again = Desk(tmp_path, market=desk.market)  # nothing was closed: as after a kill
    again.trade(limit(BUY, 500, 1500, validity="IOC", tag="more"), "AB1003")
    fills = []
    for units in (30, 5):
        start = again.market.put(sold_at(1490, units, bids=((1490, 500),), before=start))
        again.venue.on_quotes([start])
        fills += filled(again, waiting)

    assert fills == [0, 5]
    assert sum(one.quantity for one in again.venue.books.accounts["AB1003"].trades) == 1000


def shown(desk: Desk) -> Quote:
    return desk.venue.shown([desk.market.quote(INFY.token)])[0]


def test_the_shown_depth_has_the_orders_of_accounts_and_lacks_what_they_took() -> None:
    desk = Desk()
    desk.tick(quote_of(INFY, 1500, asks=((1500, 40), (1501, 50)), bids=((1499, 30),)))
    untouched = shown(desk)
    assert untouched is desk.market.quote(INFY.token)

    desk.trade(limit(BUY, 7, 1499))
    desk.trade(limit(BUY, 5, "1499.50"), BOB)
    desk.trade(limit(BUY, 45, 1501, validity="IOC"), BOB)

    picture = shown(desk).picture()
    assert [level[:2] for level in picture.bids[:3]] == [(scaled("1499.50"), 5), (scaled(1499), 37), (0, 0)]
    assert [level[:2] for level in picture.asks[:2]] == [(scaled(1501), 45), (0, 0)]
    assert picture.buy_quantity == untouched.buy_quantity + 12
    assert picture.sell_quantity == untouched.sell_quantity - 45


def test_the_shown_depth_is_the_same_after_a_kill(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.tick(quote_of(INFY, 1500, asks=((1500, 40), (1501, 50)), bids=((1499, 30),)))
    desk.trade(limit(BUY, 7, 1499))
    desk.trade(limit(BUY, 45, 1501, validity="IOC"), BOB)

    again = Desk(tmp_path, market=desk.market)

    assert shown(again).picture() == shown(desk).picture()


def test_a_new_quote_never_shows_the_street_across_an_order_that_waits() -> None:
    desk = Desk()
    desk.tick(quote_of(INFY, 1500, asks=((1502, 40),), bids=((1499, 30),)))
    desk.trade(limit(BUY, 7, 1501))

    quote = desk.market.put(quote_of(INFY, 1500, asks=((1500, 10), (1502, 5)), bids=((1499, 30),)))
    picture = desk.venue.shown([quote])[0].picture()

    assert picture.bids[0].price == scaled(1501)
    assert picture.asks[0].price == scaled(1502)
