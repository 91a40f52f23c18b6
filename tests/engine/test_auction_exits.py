"""What continuous trading leaves over goes into the closing auction as a limit inside its band; a person is told."""

from decimal import Decimal

import pytest

from tests.engine.stage import GILLETTE, INFY, Stage
from tests.fakes.broker import REJECT, REST
from trading.domain.orders import OrderIntent, OrderType, Side


async def left_over(stage: Stage, side: Side = Side.SELL) -> Stage:
    """50 of a stock with a closing auction are still open at 15:15: its exits were refused from 15:10 on."""
    stage.client()
    stage.plan(INFY, quantity=50)
    stage.plan(GILLETTE, quantity=100)
    stage.broker.prices[INFY.key] = Decimal(1500)
    stage.broker.trade_by_hand(INFY.key, side, 50)
    stage.clock.set_ist("15:09:00")
    await stage.start()
    stage.broker.script.extend([REJECT] * 5)
    await stage.tick("15:09:30", "1500.00", INFY)
    for at in ("15:10:00", "15:10:02", "15:10:06", "15:10:14", "15:10:22", "15:10:30"):
        await stage.at(at, 0.3)
    assert stage.broker.net(INFY.key) == side.sign * 50
    return stage


def auction_orders(stage: Stage) -> list[OrderIntent]:
    return [intent for intent in stage.broker.placed if intent.order_type is OrderType.LIMIT]


@pytest.mark.proves("F35", "F61", "I6")
@pytest.mark.parametrize(("side", "limit"), [(Side.SELL, "1536.00"), (Side.BUY, "1464.00")])
async def test_nothing_is_sent_while_the_reference_price_is_made_and_then_a_limit_inside_the_band(
    stage: Stage, side: Side, limit: str
) -> None:
    await left_over(stage, side)
    before = len(stage.broker.placed)
    stage.broker.script.extend([REST] * 5)
    stage.clock.set_ist("15:15:00")
    stage.session.house.accounts["kite:AB1001"].desk.line(INFY.key).try_again()

    for minute in range(15, 20):
        await stage.at(f"15:{minute}:59", 0.5)
    assert len(stage.broker.placed) == before
    told = [text for _, code, text in stage.store.alarms if code == "LEFT_FOR_AUCTION"]
    assert told == [
        "50 NSE:INFY are left over from continuous trading: a limit order goes into the closing auction at 15:20:00"
    ]

    await stage.at("15:20:00", 0.5)
    for minute in range(20, 30):
        await stage.at(f"15:{minute}:59", 0.5)

    (order,) = auction_orders(stage)
    assert (order.side, order.quantity, order.price) == (side.opposite, 50, Decimal(limit))
    assert stage.broker.cancelled == []
    assert stage.broker.changed == [], "nothing fills before the match, so nobody goes further through the market"
    stage.broker.fill(stage.broker.live()[0].order_id)
    await stage.at("15:31:00", 20.0)
    assert stage.broker.net(INFY.key) == 0
    assert stage.events("SQUARED_OFF")


async def test_a_limit_that_the_auction_refuses_is_asked_for_again_nearer_to_the_last_price(stage: Stage) -> None:
    await left_over(stage)
    stage.broker.script.extend([REJECT, REJECT, REST])
    stage.clock.set_ist("15:15:00")
    stage.session.house.accounts["kite:AB1001"].desk.line(INFY.key).try_again()

    for at in ("15:20:00", "15:20:02", "15:20:06"):
        await stage.at(at, 0.5)

    assert [order.price for order in auction_orders(stage)] == [Decimal(1536), Decimal("1522.50"), Decimal(1509)]


async def test_what_has_no_auction_or_is_not_known_goes_on_as_always(stage: Stage) -> None:
    await left_over(stage)
    for key in (GILLETTE.key, "NSE:STRANGER"):
        stage.broker.prices[key] = Decimal(100)
        stage.broker.trade_by_hand(key, Side.BUY, 5)
    stage.clock.set_ist("15:15:00")

    await stage.at("15:15:30", 20.0)

    assert (stage.broker.net(GILLETTE.key), stage.broker.net("NSE:STRANGER")) == (0, 0)
