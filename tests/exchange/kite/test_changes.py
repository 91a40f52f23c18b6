"""Our adapter changes orders at the simulated exchange: limits, protection, stops, and the end of all changes."""

from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal

import pytest

from tests.exchange.fakes import DAY, INFY, quote_of
from tests.exchange.kite.served import Served, serving
from tests.exchange.kite.test_round_trips import adapter_at
from trading.brokers.kite.client import KiteBroker
from trading.domain.errors import BrokerRejected
from trading.domain.orders import (
    BrokerOrder,
    OrderChange,
    OrderIntent,
    OrderStatus,
    OrderType,
    Purpose,
    PurposeKey,
    Side,
)
from trading.domain.repricing import PriceQuote

KEY = PurposeKey(DAY, "kite:AB1001", INFY.key, 1, Purpose.MANUAL_EXIT)
EXIT = OrderIntent(key=KEY, side=Side.SELL, quantity=100)
STOP = replace(EXIT, order_type=OrderType.SL, price=Decimal("1440"), trigger_price=Decimal("1470"))


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    async with serving() as made:
        yield made


@pytest.fixture
async def broker(served: Served) -> AsyncIterator[KiteBroker]:
    made = adapter_at(served.rest, served.kite())
    yield made
    await made.close()


async def resting(served: Served, broker: KiteBroker, intent: OrderIntent = EXIT) -> str:
    """Place an order that nobody takes."""
    served.desk.market.put(quote_of(INFY, 1500, bids=()))
    return await broker.place(intent)


async def row(broker: KiteBroker) -> BrokerOrder:
    (order,) = await broker.orders()
    return order


async def test_a_resting_exit_goes_where_it_is_changed_to_and_fills_there(served: Served, broker: KiteBroker) -> None:
    order_id = await resting(served, broker)
    assert (await row(broker)).price == Decimal("1492.5"), "half a percent, the broker's own protection"

    await broker.modify(order_id, OrderChange(OrderType.LIMIT, price=Decimal("1470.05")))
    assert (await row(broker)).price == Decimal("1470.05")
    served.desk.tick(quote_of(INFY, 1471))

    assert ((await row(broker)).status, (await row(broker)).filled_quantity) == (OrderStatus.COMPLETE, 100)


async def test_wider_protection_is_a_limit_further_away_and_stays_inside_the_circuit(
    served: Served, broker: KiteBroker
) -> None:
    order_id = await resting(served, broker)

    await broker.modify(order_id, OrderChange(OrderType.MARKET, protection_percent=Decimal(3)))
    assert (await row(broker)).price == Decimal(1455)
    served.desk.market.put(quote_of(INFY, 1360, bids=()))
    await broker.modify(order_id, OrderChange(OrderType.MARKET, protection_percent=Decimal(5)))

    assert (await row(broker)).price == Decimal(1350)
    assert await broker.quotes([INFY.key]) == {INFY.key: PriceQuote(Decimal(1360), Decimal(1350), Decimal(1650))}


async def test_a_limit_outside_the_circuit_is_refused_for_certain(served: Served, broker: KiteBroker) -> None:
    order_id = await resting(served, broker)

    with pytest.raises(BrokerRejected, match="circuit limit"):
        await broker.modify(order_id, OrderChange(OrderType.LIMIT, price=Decimal(1349)))

    assert (await row(broker)).price == Decimal("1492.5")


async def test_a_stop_rests_with_its_trigger_moves_shrinks_and_fills(served: Served, broker: KiteBroker) -> None:
    order_id = await broker.place(STOP)
    placed = await row(broker)
    assert (placed.status, placed.trigger_price, placed.price) == (
        OrderStatus.TRIGGER_PENDING,
        Decimal(1470),
        Decimal(1440),
    )

    change = OrderChange(OrderType.SL, price=Decimal("1450"), trigger_price=Decimal("1480"), quantity=60)
    await broker.modify(order_id, change)
    assert change.is_seen_in(await row(broker))
    served.desk.tick(quote_of(INFY, 1479))

    assert ((await row(broker)).status, (await row(broker)).filled_quantity) == (OrderStatus.COMPLETE, 60)


async def test_a_final_order_is_not_changed(served: Served, broker: KiteBroker) -> None:
    order_id = await broker.place(EXIT)
    assert (await row(broker)).status is OrderStatus.COMPLETE

    with pytest.raises(BrokerRejected, match="being processed"):
        await broker.modify(order_id, OrderChange(OrderType.LIMIT, price=Decimal(1400)))


async def test_the_26th_change_is_refused_for_certain(served: Served, broker: KiteBroker) -> None:
    order_id = await resting(served, broker)
    for number in range(25):
        served.desk.times.wire_s += 1
        await broker.modify(order_id, OrderChange(OrderType.LIMIT, price=Decimal(1490 - number)))

    with pytest.raises(BrokerRejected, match="Maximum allowed order modifications"):
        await broker.modify(order_id, OrderChange(OrderType.LIMIT, price=Decimal(1400)))
