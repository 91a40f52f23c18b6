"""What is owed to the database comes to it whole and in order."""

from decimal import Decimal
from types import SimpleNamespace
from typing import cast

from trading.domain.orders import BrokerOrder, OrderStatus, Side
from trading.engine.outcomes import Outcomes
from trading.engine.tools import Tools, Way


def order(number: int) -> BrokerOrder:
    return BrokerOrder(str(number), f"TAG{number}", OrderStatus.COMPLETE, "NSE:INFY", Side.BUY, "MIS", 5, 5, Decimal(1))


class Store:
    """Keeps the orders that it is told of."""

    def __init__(self) -> None:
        self.told: list[str] = []

    async def save_order(self, account: str, order: BrokerOrder) -> None:
        self.told.append(order.order_id)


async def test_everything_that_is_owed_is_told_in_its_order() -> None:
    store = Store()
    tools = SimpleNamespace(store=store, right=SimpleNamespace(way=lambda: Way.JOURNAL))
    outcomes = Outcomes(cast(Tools, tools), "kite:AB1001")
    for number in range(3):
        await outcomes.save_order(order(number))
    assert (store.told, outcomes.is_owing) == ([], True)

    await outcomes.pay()

    assert (store.told, outcomes.is_owing) == (["0", "1", "2"], False)
