"""Orders with a life in minutes, and disclosed quantities."""

from datetime import time
from pathlib import Path

import pytest

from tests.exchange.fakes import INFY, SBIN, Desk, limit, quote_of
from trading.domain.orders import Side
from trading.exchange.venue.refusals import Refusal

BUY = Side.BUY
TTL = {"validity": "TTL", "validity_ttl": 2}


def test_an_order_lapses_when_its_minutes_of_market_time_are_over() -> None:
    desk = Desk()
    placed = desk.venue.books.orders[desk.trade(limit(BUY, 10, 1490, tag="T", **TTL))]
    desk.times.go_to(time(10, 1, 59))
    desk.tick(quote_of(SBIN, 1501))
    before = placed.status.value

    desk.times.go_to(time(10, 2))
    desk.tick(quote_of(SBIN, 1502))

    assert (before, placed.status, placed.cancelled) == ("OPEN", "CANCELLED", 10)
    assert desk.words == [("T", "CANCELLED")]


def test_an_order_that_lapses_does_not_trade_at_that_moments_price() -> None:
    desk = Desk()
    placed = desk.venue.books.orders[desk.trade(limit(BUY, 10, 1490, **TTL))]
    desk.times.go_to(time(10, 2))

    desk.tick(quote_of(INFY, 1480))

    assert (placed.status, placed.filled) == ("CANCELLED", 0)


def test_what_has_filled_stays_filled() -> None:
    desk = Desk()
    desk.tick(quote_of(INFY, 1500, asks=((1500, 4),)))
    placed = desk.venue.books.orders[desk.trade(limit(BUY, 10, 1500, **TTL))]
    desk.times.go_to(time(10, 5))

    desk.tick(quote_of(SBIN, 1500))

    assert (placed.status, placed.filled, placed.cancelled) == ("CANCELLED", 4, 6)


def test_an_order_that_became_a_day_order_stays() -> None:
    desk = Desk()
    placed = desk.venue.books.orders[desk.trade(limit(BUY, 10, 1490, **TTL))]
    desk.venue.modify(placed, limit(BUY, 10, 1489))
    desk.venue.match_pending()
    desk.times.go_to(time(10, 30))

    desk.tick(quote_of(SBIN, 1500))

    assert (placed.status, placed.terms.ttl) == ("OPEN", 0)


def test_minutes_go_on_after_a_restart(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    order_id = desk.trade(limit(BUY, 10, 1490, **TTL))
    desk.venue.close()

    again = Desk(tmp_path)
    again.times.go_to(time(10, 2))
    again.tick(quote_of(SBIN, 1500))

    assert again.venue.books.orders[order_id].status == "CANCELLED"


@pytest.mark.parametrize("minutes", [0, -1, 376])
def test_minutes_out_of_range_are_refused(minutes: int) -> None:
    with pytest.raises(Refusal, match="Invalid `validity_ttl`"):
        Desk().place(limit(BUY, 10, 1490, validity="TTL", validity_ttl=minutes))


@pytest.mark.parametrize(("disclosed", "is_taken"), [(-1, False), (9, False), (10, True), (100, True), (101, False)])
def test_a_disclosed_quantity_is_a_tenth_to_the_whole(disclosed: int, is_taken: bool) -> None:
    desk = Desk()
    request = limit(BUY, 100, 1490, disclosed_quantity=disclosed)

    if is_taken:
        assert desk.venue.books.orders[desk.trade(request)].terms.disclosed_quantity == disclosed
    else:
        with pytest.raises(Refusal, match="Disclosed quantity"):
            desk.place(request)
