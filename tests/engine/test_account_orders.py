"""What an account's orders and trades add up to."""

from datetime import timedelta
from decimal import Decimal

import pytest

from tests.engine.stage import DAY, GILLETTE
from trading.domain.orders import (
    BrokerOrder,
    BrokerTrade,
    IntentState,
    OrderIntent,
    OrderStatus,
    Purpose,
    PurposeKey,
    Side,
)
from trading.domain.timezone import at_ist, time_of
from trading.engine.account_orders import AccountOrders
from trading.engine.orders import Working

KEY = GILLETTE.key
START = at_ist(DAY, time_of(33_300))


def ours(orders: AccountOrders, order_id: str, side: Side, filled: int, purpose: Purpose = Purpose.ENTRY) -> None:
    """Add an order of ours whose order message says `filled` of 100."""
    intent = OrderIntent(PurposeKey(DAY, "kite:AB1001", KEY, 1, purpose), side, 100)
    order = BrokerOrder(order_id, intent.tag, OrderStatus.OPEN, KEY, side, "MIS", 100, filled, Decimal(100))
    orders.add(Working(intent, START, state=IntentState.ACKED, order=order, order_id=order_id))


def trade(number: int, order_id: str, side: Side, quantity: int, product: str = "MIS") -> BrokerTrade:
    at = START + timedelta(seconds=number)
    return BrokerTrade(f"T{number}", order_id, KEY, side, product, quantity, Decimal(100), at)


@pytest.mark.proves("F26", "I10")
def test_an_order_message_counts_before_its_trades_come_and_only_once() -> None:
    orders = AccountOrders()
    ours(orders, "1", Side.BUY, 40)
    assert (orders.lot(KEY), orders.net(KEY), orders.lacks_trades()) == (40, 40, True)

    orders.add_trades([trade(1, "1", Side.BUY, 40)])
    assert (orders.lot(KEY), orders.net(KEY), orders.lacks_trades()) == (40, 40, False)


@pytest.mark.proves("I10")
def test_a_trade_counts_once_however_often_it_comes() -> None:
    orders = AccountOrders()
    ours(orders, "1", Side.BUY, 100)

    new = [orders.add_trades([trade(1, "1", Side.BUY, 100)]) for _ in range(3)]

    assert [len(found) for found in new] == [1, 0, 0]
    assert orders.net(KEY) == 100


@pytest.mark.proves("F29", "I4")
@pytest.mark.parametrize(
    ("by_hand", "lot", "net"),
    [
        ([(Side.SELL, 60)], 40, 40),
        ([(Side.BUY, 50)], 100, 150),
        ([(Side.BUY, 50), (Side.SELL, 120)], 30, 30),
        ([(Side.SELL, 130)], 0, -30),
        ([(Side.SELL, 100), (Side.BUY, 50)], 0, 50),
    ],
)
def test_what_the_client_trades_by_hand_never_makes_our_lot_larger_than_what_is_open(
    by_hand: list[tuple[Side, int]], lot: int, net: int
) -> None:
    orders = AccountOrders()
    ours(orders, "1", Side.BUY, 100)
    orders.add_trades([trade(1, "1", Side.BUY, 100)])

    orders.add_trades([trade(n, f"hand{n}", side, quantity) for n, (side, quantity) in enumerate(by_hand, 2)])

    assert (orders.lot(KEY), orders.net(KEY)) == (lot, net)


@pytest.mark.proves("I10")
def test_one_number_of_two_orders_are_two_trades() -> None:
    """Each exchange counts its own trades, and begins anew every day."""
    orders = AccountOrders()

    orders.add_trades([trade(1, "hand1", Side.BUY, 10), trade(1, "hand2", Side.BUY, 5)])

    assert orders.net(KEY) == 15
    assert orders.positions.net_quantity(KEY, "MIS") == 15


def test_delivery_trades_are_no_intraday_position() -> None:
    orders = AccountOrders()

    orders.add_trades([trade(1, "hand", Side.BUY, 10, product="CNC")])

    assert orders.net(KEY) == 0


def test_units_that_a_live_exit_may_still_close_are_counted() -> None:
    orders = AccountOrders()
    ours(orders, "1", Side.BUY, 100)
    ours(orders, "2", Side.SELL, 30, Purpose.TARGET)
    other = Working(OrderIntent(PurposeKey(DAY, "kite:AB1001", KEY, 1, Purpose.STOP), Side.SELL, 70), START)

    assert orders.working_exit_units(KEY, besides=other) == 70
