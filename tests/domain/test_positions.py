"""P&L from fills: conservation of money, flips through zero, duplicates."""

from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.domain.orders import BrokerTrade, Side
from trading.domain.positions import Position, PositionBook, PositionKey, fold_trades

KEY = PositionKey("NSE:INFY", "MIS")
BUY, SELL = Side.BUY, Side.SELL
Fill = tuple[Side, int, str]


def after(*fills: Fill) -> Position:
    position = Position(KEY)
    for side, quantity, price in fills:
        position = position.after(side, quantity, Decimal(price))
    return position


def trade(
    number: int, side: Side, quantity: int, price: Decimal, *, product: str = "MIS", minute: int = 0
) -> BrokerTrade:
    at = datetime(2026, 11, 23, 4, minute, tzinfo=UTC)
    return BrokerTrade(f"T{number}", f"O{number}", "NSE:INFY", side, product, quantity, price, at)


prices = st.integers(1, 10**9).map(lambda n: Decimal(n) / 10_000)
fills = st.lists(st.tuples(st.sampled_from(Side), st.integers(1, 1000), prices), max_size=30)


def test_a_round_trip_earns_sells_less_buys() -> None:
    position = after((BUY, 10, "100"), (SELL, 10, "101.50"))

    assert (position.net_quantity, position.realised_pnl, position.average_price) == (0, Decimal("15.00"), None)
    assert position.unrealised_pnl(Decimal(5000)) == 0


def test_a_short_position_earns_when_the_price_falls() -> None:
    position = after((SELL, 10, "100"), (BUY, 4, "98"))

    assert position.net_quantity == -6
    assert position.realised_pnl == 8
    assert position.average_price == 100
    assert position.unrealised_pnl(Decimal(97)) == 18


def test_a_partial_close_leaves_the_average_cost_as_it_was() -> None:
    position = after((BUY, 1, "100"), (BUY, 2, "103"), (SELL, 2, "110"))

    assert position.average_price == 102
    assert position.realised_pnl == 16


def test_a_fill_through_zero_closes_all_and_opens_the_rest_at_its_price() -> None:
    position = after((BUY, 10, "100"), (SELL, 25, "90"))

    assert position.net_quantity == -15
    assert position.realised_pnl == -100
    assert position.average_price == 90
    assert position.unrealised_pnl(Decimal(80)) == 150


def test_an_average_that_is_no_finite_decimal_costs_no_paisa() -> None:
    # 100 rupees for 3 units: the average is 33.333..., yet at flat the P&L is exact.
    position = after((BUY, 1, "33"), (BUY, 2, "33.5"), (SELL, 1, "34"), (SELL, 1, "34"), (SELL, 1, "34"))

    assert position.realised_pnl == Decimal(2)


def test_a_fill_without_quantity_is_refused() -> None:
    with pytest.raises(ValueError, match="must be positive, was 0"):
        after((BUY, 0, "100"))


@pytest.mark.proves("I11")
@given(fills)
def test_realised_less_open_cost_is_always_the_money_that_came_in_less_what_went_out(
    moves: list[tuple[Side, int, Decimal]],
) -> None:
    position, cash = Position(KEY), Fraction(0)

    for side, quantity, price in moves:
        position = position.after(side, quantity, price)
        cash -= side.sign * quantity * Fraction(price)
        assert position.exact_realised_pnl - position.exact_open_cost == cash
        assert position.net_quantity != 0 or position.exact_open_cost == 0
        assert position.exact_open_cost * position.net_quantity >= 0


@pytest.mark.proves("I11")
@given(fills, prices)
def test_at_flat_the_profit_is_exactly_sells_less_buys(moves: list[tuple[Side, int, Decimal]], last: Decimal) -> None:
    position = Position(KEY)
    for side, quantity, price in moves:
        position = position.after(side, quantity, price)

    net = position.net_quantity
    flat = position.after(BUY if net < 0 else SELL, abs(net), last) if net else position

    assert flat.net_quantity == 0
    assert flat.exact_realised_pnl == Fraction(flat.sell_value) - Fraction(flat.buy_value)


@pytest.mark.proves("I10", "I11")
@given(fills, prices)
def test_realised_and_unrealised_together_do_not_depend_on_the_order_of_fills(
    moves: list[tuple[Side, int, Decimal]], ltp: Decimal
) -> None:
    def total(ordered: list[tuple[Side, int, Decimal]]) -> Fraction:
        position = Position(KEY)
        for side, quantity, price in ordered:
            position = position.after(side, quantity, price)
        return position.exact_realised_pnl + Fraction(ltp) * position.net_quantity - position.exact_open_cost

    assert total(moves) == total(moves[::-1]) == total(sorted(moves))


@given(st.permutations([(1, Decimal("99.95")), (2, Decimal("100.05")), (7, Decimal("100.1")), (3, Decimal("98"))]))
def test_fills_of_one_side_give_the_same_position_in_any_order(moves: list[tuple[int, Decimal]]) -> None:
    position = Position(KEY)
    for quantity, price in moves:
        position = position.after(SELL, quantity, price)

    assert position.exact_open_cost == -Fraction("1294.75")
    assert position.exact_realised_pnl == 0


# -- the book ------------------------------------------------------------------------------------------------------


@pytest.mark.proves("I10")
def test_a_trade_counts_once_however_often_it_comes() -> None:
    book = PositionBook()
    fill = trade(1, BUY, 10, Decimal(100))

    assert [book.apply(fill), book.apply(fill)] == [True, False]
    assert book.net_quantity("NSE:INFY", "MIS") == 10


def test_products_are_kept_apart() -> None:
    book = fold_trades([trade(1, BUY, 10, Decimal(100)), trade(2, SELL, 10, Decimal(101), product="CNC")])

    assert book.net_quantity("NSE:INFY", "MIS") == 10
    assert book.net_quantity("NSE:INFY", "CNC") == -10
    assert len(book.open_positions()) == 2
    assert book.realised_pnl() == 0


@pytest.mark.proves("I10")
@given(st.lists(st.integers(0, 5), max_size=20), st.randoms(use_true_random=False))
def test_folding_does_not_depend_on_order_or_duplicates(repeats: list[int], random: object) -> None:
    once = [trade(n, [BUY, SELL][n % 2], n + 1, Decimal(100 + n), minute=n) for n in range(6)]
    shuffled = once + [once[n] for n in repeats]
    random.shuffle(shuffled)  # type: ignore[attr-defined]

    assert fold_trades(shuffled).positions == fold_trades(once).positions


def test_an_unknown_position_is_flat() -> None:
    book = PositionBook()

    assert book.position(KEY).net_quantity == 0
    assert book.open_positions() == []
    assert book.realised_pnl() == 0
