"""The end of a day: delivered shares come a day late, cash takes what was earned, charges stay apart."""

from datetime import date, time
from decimal import Decimal
from pathlib import Path

import pytest

from tests.exchange.fakes import DAY, INFY, SBIN, Desk, FakeMarket, limit, order, quote_of, scaled
from trading.domain.orders import Side
from trading.exchange.venue.accounts import Account, Holding

BUY, SELL = Side.BUY, Side.SELL


def account(desk: Desk) -> Account:
    return desk.venue.books.accounts["AB1001"]


def begin(desk: Desk, day: int) -> None:
    """Open another day of the month at 1500."""
    desk.market = FakeMarket(DAY.replace(day=day))
    desk.venue.begin_day(desk.market)
    desk.times.go_to(time(10, 0), date(2026, 11, day))


def test_a_purchase_is_t1_the_day_after_and_settled_the_day_after_that() -> None:
    desk = Desk()
    desk.trade(order(quantity=10, instrument=SBIN, product="CNC"))

    begin(desk, 24)
    next_day = account(desk).holdings[SBIN.token]
    assert (next_day.quantity, next_day.t1_quantity, next_day.average_price) == (0, 10, scaled(1500))

    begin(desk, 25)
    assert (next_day.quantity, next_day.t1_quantity) == (10, 0)


def test_what_is_added_to_a_holding_settles_apart_at_the_common_average() -> None:
    desk = Desk()
    desk.tick(quote_of(INFY, 1600))
    desk.trade(order(quantity=30, product="CNC"))

    begin(desk, 24)

    held = account(desk).holdings[INFY.token]
    assert (held.quantity, held.t1_quantity, held.total) == (10, 30, 40)
    assert held.average_price == (10 * scaled(1500) + 30 * scaled(1600)) // 40


def test_t1_shares_can_be_sold_and_leave_after_the_settled_ones() -> None:
    desk = Desk()
    desk.trade(order(quantity=30, product="CNC"))
    begin(desk, 24)

    placed = desk.trade(order(SELL, 25, product="CNC"))
    assert desk.venue.books.orders[placed].status == "COMPLETE"
    assert account(desk).sold_from_holding(INFY.token) == 25
    assert account(desk).deliverable(INFY.token) == 15

    begin(desk, 25)
    held = account(desk).holdings[INFY.token]
    assert (held.quantity, held.t1_quantity) == (15, 0)


def test_a_holding_that_was_sold_out_is_gone() -> None:
    desk = Desk()
    desk.trade(order(SELL, 10, product="CNC"))

    begin(desk, 24)

    assert account(desk).holdings == {}
    assert account(desk).cash == scaled(1_000_000) + 10 * scaled(1500)


def test_cash_takes_the_days_realised_pnl_and_no_charges() -> None:
    desk = Desk()
    desk.trade(order(quantity=100))
    desk.tick(quote_of(INFY, "1507.05"))
    desk.trade(order(SELL, 100))

    begin(desk, 24)

    assert account(desk).cash == scaled(1_000_000) + 100 * scaled("7.05")
    assert account(desk).realised == 0


def test_a_days_charges_are_those_of_its_executed_orders() -> None:
    desk = Desk()
    desk.trade(order(quantity=100))
    desk.tick(quote_of(INFY, 1510, asks=((1510, 40),)))
    desk.trade(limit(BUY, 100, 1510, validity="IOC"))
    desk.trade(limit(BUY, 5, 1400))

    shown = desk.venue.charges_of_the_day()["AB1001"]

    # 150,000 and 60,400 of turnover: 0.03 % brokerage below and at the cap of 20
    assert Decimal(shown["brokerage"]) == Decimal("20") + Decimal("18.12")
    assert Decimal(shown["stamp_duty"]) == 5 + 2
    assert Decimal(shown["total"]) == sum(Decimal(value) for name, value in shown.items() if name != "total")
    assert desk.venue.charges_of_the_day()["AB1002"]["total"] == "0"


def test_a_day_without_known_rates_says_so() -> None:
    desk = Desk(market=FakeMarket(DAY.replace(year=2022)))
    desk.trade(order(quantity=1))

    with pytest.raises(ValueError, match="no charges are known for equity_intraday on NSE on 2022-11-23"):
        desk.venue.charges_of_the_day()


def test_charges_are_no_part_of_the_ledgers_hash() -> None:
    desk = Desk()
    desk.trade(order(quantity=100))

    assert not any("charges" in kept for kept in desk.venue.ledger_truth().values())


def test_t1_shares_survive_a_restart_and_old_ledgers_are_read(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.trade(order(quantity=30, product="CNC"))
    begin(desk, 24)
    desk.venue.close()

    again = Desk(tmp_path, market=FakeMarket(DAY.replace(day=24)))

    assert account(again).holdings == {INFY.token: Holding(INFY, 10, scaled(1500), 30)}
