"""The book behind a quote."""

from itertools import pairwise

import pytest

from tests.exchange.walked_book import Book
from trading.domain.orders import Side
from trading.exchange.market import Depth, Market, Quote


def quote(**changes: object) -> Quote:
    fields: dict[str, object] = {
        "token": 1, "ltp": 1_000_000, "last_quantity": 5, "average_price": 1_000_000, "volume": 100, "open": 1_000_000,
        "high": 1_000_000, "low": 1_000_000, "close": 990_000, "last_trade_ms": 0, "at_ms": 0, "lower_circuit": 900_000,
        "upper_circuit": 1_100_000, "oi": 0, "depth": Depth(500, 100, 2), "serial": 7, "is_bought": True,
    }  # fmt: skip
    return Quote(**{**fields, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize("serial", range(40))
def test_five_levels_stand_in_order_on_the_grid_with_a_spread_between(serial: int) -> None:
    present = quote(serial=serial, is_bought=bool(serial % 2))

    bids, asks = [level.price for level in present.bids], [level.price for level in present.asks]

    assert len(bids) == len(asks) == 5
    assert all(higher > lower for higher, lower in pairwise(bids))
    assert all(lower < higher for lower, higher in pairwise(asks))
    assert 500 <= asks[0] - bids[0] <= 3 * 500
    assert all(price % 500 == 0 for price in bids + asks)
    assert all(level.quantity >= level.orders >= 1 for level in present.bids + present.asks)


def test_the_last_price_is_the_offer_after_a_buy_and_the_bid_after_a_sale() -> None:
    assert quote(is_bought=True).asks[0].price == 1_000_000
    assert quote(is_bought=False).bids[0].price == 1_000_000


def test_the_totals_hold_more_than_the_five_levels() -> None:
    present = quote()

    assert present.buy_quantity > sum(level.quantity for level in present.bids)
    assert present.sell_quantity > sum(level.quantity for level in present.asks)


def test_an_order_walks_the_shown_levels_from_the_touch() -> None:
    present = quote()
    first, second = present.asks[:2]

    fills = Book(present).walk(Side.BUY, first.quantity + 1, None)

    assert fills == [(first.price, first.quantity), (second.price, 1)]


def test_a_limit_stops_the_walk_at_its_price() -> None:
    present = quote()

    bought = Book(present).walk(Side.BUY, 10_000_000, present.asks[2].price)
    sold = Book(present).walk(Side.SELL, 10_000_000, present.bids[1].price)

    assert bought == [(level.price, level.quantity) for level in present.asks[:3]]
    assert sold == [(level.price, level.quantity) for level in present.bids[:2]]


def test_a_limit_short_of_the_touch_takes_nothing() -> None:
    present = quote()

    assert Book(present).walk(Side.BUY, 10, present.asks[0].price - 500) == []
    assert Book(present).walk(Side.SELL, 10, present.bids[0].price + 500) == []


def test_what_was_taken_is_gone_until_the_next_quote() -> None:
    present = quote()
    book = Book(present)
    first, second = present.asks[:2]

    book.walk(Side.BUY, first.quantity - 1, None)
    rest = book.walk(Side.BUY, 3, None)

    assert rest == [(first.price, 1), (second.price, 2)]
    assert book.best(Side.SELL) == second.price
    assert book.best(Side.BUY) == present.bids[0].price
    assert Book(present).best(Side.SELL) == first.price


def test_a_large_order_slips_beyond_the_five_levels_but_never_through_a_circuit() -> None:
    present = quote(upper_circuit=1_010_000)

    fills = Book(present).walk(Side.BUY, 10_000_000, None)

    assert len(fills) > 5
    assert max(price for price, _ in fills) <= 1_010_000
    assert sum(units for _, units in fills) < 10_000_000


def test_at_the_upper_circuit_nobody_offers() -> None:
    locked = quote(upper_circuit=1_000_000, is_bought=False)

    assert Book(locked).walk(Side.BUY, 1, None) == []
    assert all(level == (0, 0, 0) for level in locked.asks)
    assert locked.sell_quantity == 0


def test_an_index_has_no_book(finished: Market) -> None:
    nifty = finished.quote(256265)

    assert Book(nifty).walk(Side.SELL, 1, None) == []
    assert nifty.buy_quantity == nifty.sell_quantity == 0


def test_a_quantity_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="must be positive, was 0"):
        Book(quote()).walk(Side.BUY, 0, None)


def test_the_book_of_an_illiquid_share_is_thin(finished: Market) -> None:
    thin = sum(level.quantity for level in finished.quote(4583169).asks)
    thick = sum(level.quantity for level in finished.quote(341249).asks)

    assert thin < 50
    assert thick > 5_000


def test_a_touch_apart_from_the_last_price_is_where_the_book_stands() -> None:
    present = quote(touch=(980_000, 985_000))

    assert (present.bids[0].price, present.asks[0].price) == (980_000, 985_000)
    assert all(higher > lower for higher, lower in pairwise([level.price for level in present.bids]))


@pytest.mark.parametrize(("touch", "missing"), [((1_100_000, 0), Side.SELL), ((0, 900_000), Side.BUY)])
def test_at_a_circuit_one_side_of_the_book_is_empty(touch: tuple[int, int], missing: Side) -> None:
    locked = quote(ltp=max(touch), touch=touch)

    assert list(locked.levels(missing)) == []
    assert Book(locked).walk(missing.opposite, 10, None) == []
    assert next(locked.levels(missing.opposite)).price == max(touch)
    assert {locked.buy_quantity, locked.sell_quantity} > {0}


def test_every_order_in_a_book_of_lots_is_whole_lots() -> None:
    present = quote(depth=Depth(500, 100, 2, lot=75))

    assert all(level.quantity % 75 == 0 and level.quantity >= level.orders for level in present.bids + present.asks)
    assert present.buy_quantity % 75 == 0
