"""Positions, P&L, margin and delivery to the paisa."""

from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from tests.exchange.fakes import DAY, INFY, SBIN, Desk, FakeMarket, limit, order, quote_of, scaled
from trading.domain.orders import Side
from trading.exchange.venue import margin
from trading.exchange.venue.positions import Position

BUY, SELL = Side.BUY, Side.SELL

FILLS = st.lists(st.tuples(st.sampled_from([BUY, SELL]), st.integers(1, 500), st.integers(20_000, 40_000)), max_size=30)


@given(FILLS, st.integers(20_000, 40_000))
def test_total_pnl_is_cash_flow_plus_what_is_held_and_realised_plus_open(
    fills: list[tuple[Side, int, int]], ltp: int
) -> None:
    position = Position(INFY, "MIS")

    for side, quantity, price in fills:
        position.apply(side, quantity, price)

    cash_flow = sum(-side.sign * quantity * price for side, quantity, price in fills)
    open_pnl = sum(quantity * (ltp - price) for quantity, price in position.lots)
    assert position.pnl(ltp) == cash_flow + position.net_quantity * ltp
    assert position.realised + open_pnl == position.pnl(ltp)
    assert sum(quantity for quantity, _ in position.lots) == position.net_quantity


@given(FILLS)
def test_a_flat_position_has_realised_exactly_sells_less_buys(fills: list[tuple[Side, int, int]]) -> None:
    position = Position(INFY, "MIS")
    for side, quantity, price in fills:
        position.apply(side, quantity, price)
    net = position.net_quantity

    if net:
        position.apply(BUY if net < 0 else SELL, abs(net), 30_000)

    assert position.realised == position.sell_value - position.buy_value
    assert not position.lots


def test_intraday_needs_a_fifth_and_delivery_all() -> None:
    desk = Desk()
    desk.trade(order(quantity=10))
    desk.trade(order(quantity=10, product="CNC", instrument=SBIN), user_id="AB1002")

    blocked = [margin.used(desk.venue.books.accounts[user_id]) for user_id in ("AB1001", "AB1002")]

    assert blocked == [scaled(3000), scaled(15_000)]


def test_margin_is_rounded_up_to_the_paisa() -> None:
    desk = Desk()
    fine = replace(SBIN, tick_size=Decimal("0.01"))
    desk.trade(limit(BUY, 1, "1400.01", instrument=fine))

    assert margin.used(desk.venue.books.accounts["AB1001"]) == scaled("280.01")


def test_an_order_above_the_free_margin_is_rejected_in_the_book_with_both_numbers() -> None:
    desk = Desk()
    desk.trade(limit(BUY, 3000, 1500))  # 900,000 of 1,000,000

    order_id = desk.trade(limit(BUY, 334, 1500, tag="TOO"))

    rejected = desk.venue.books.orders[order_id]
    assert rejected.status == "REJECTED"
    assert rejected.message == (
        "Insufficient funds. Required margin is 100200.00 but available margin is 100000.00. "
        "Check the orderbook for open orders."
    )
    assert rejected.raw is not None
    assert rejected.raw.startswith(
        "RMS:Margin Exceeds,Required:100200.00, Available:100000.00 for entity account-AB1001"
    )
    assert desk.words[-1] == ("TOO", "REJECTED")


def test_the_last_paisa_of_margin_can_be_used_and_not_one_more() -> None:
    desk = Desk()

    all_of_it = desk.trade(limit(BUY, 3125, 1600))  # 3125 x 1600 / 5 is the whole cash
    one_more = desk.trade(limit(BUY, 3126, 1600), user_id="AB1002")

    assert desk.venue.books.orders[all_of_it].status == "COMPLETE"
    assert desk.venue.books.orders[one_more].status == "REJECTED"


def test_an_exit_passes_without_any_free_margin() -> None:
    desk = Desk()
    desk.trade(limit(BUY, 3333, 1500))
    desk.tick(quote_of(INFY, 1400))

    order_id = desk.trade(order(SELL, 3333))

    assert desk.venue.books.orders[order_id].status == "COMPLETE"
    assert desk.venue.books.accounts["AB1001"].realised == -3333 * scaled(100)


def test_only_the_part_beyond_the_position_needs_margin() -> None:
    desk = Desk()
    desk.trade(limit(BUY, 10, 1500))

    order_id = desk.trade(limit(SELL, 25, 1600))

    placed = desk.venue.books.orders[order_id]
    assert placed.opening == 15
    assert margin.order_margin(placed) == scaled(4800)


def test_a_second_exit_beyond_the_position_is_an_opening_order() -> None:
    desk = Desk()
    desk.trade(limit(BUY, 10, 1500))
    desk.trade(limit(SELL, 10, 1600))

    order_id = desk.trade(limit(SELL, 10, 1610))

    assert desk.venue.books.orders[order_id].opening == 10


def test_a_delivery_sell_beyond_the_holding_is_rejected() -> None:
    desk = Desk()

    sold = desk.trade(order(SELL, 10, product="CNC"))
    too_much = desk.trade(order(SELL, 1, product="CNC"))

    assert desk.venue.books.orders[sold].status == "COMPLETE"
    rejected = desk.venue.books.orders[too_much]
    assert rejected.status == "REJECTED"
    assert rejected.message is not None
    assert rejected.message.startswith("Insufficient stock holding")


def test_overnight_delivery_becomes_a_holding_and_realised_pnl_becomes_cash() -> None:
    desk = Desk()
    desk.trade(order(quantity=10, instrument=SBIN, product="CNC"))
    desk.trade(order(quantity=10))
    desk.tick(quote_of(INFY, "1500.50"))
    desk.trade(order(SELL, 10))

    desk.venue.begin_day(FakeMarket(DAY.replace(day=24)))

    account = desk.venue.books.accounts["AB1001"]
    assert account.cash == scaled(1_000_000) - 10 * scaled(1500) + 10 * scaled("0.50")
    assert (account.holdings[SBIN.token].t1_quantity, account.holdings[SBIN.token].average_price) == (10, scaled(1500))
    assert account.positions == {}
    assert account.orders == {}


def test_an_open_intraday_position_is_carried_at_its_cost() -> None:
    desk = Desk()
    desk.trade(order(quantity=10))
    desk.tick(quote_of(INFY, 1510))
    desk.trade(order(quantity=5))

    desk.venue.begin_day(FakeMarket(DAY.replace(day=24)))
    position = desk.venue.books.accounts["AB1001"].positions[INFY.token, "MIS"]

    assert (position.net_quantity, position.overnight_quantity) == (15, 15)
    assert position.pnl(scaled(1500)) == -5 * scaled(10)
    assert Decimal(position.overnight_value) == 10 * scaled(1500) + 5 * scaled(1510)
