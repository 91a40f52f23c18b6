"""The steps that the contract tests share, and the values they pass about."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

from tests.factories import DAY, TEN_O_CLOCK
from tests.stores.worlds import World
from trading.domain.orders import BrokerOrder, BrokerTrade, OrderIntent, OrderStatus, Side
from trading.ports import Claim, StoredIntent

SHARD = "main"


async def create(world: World, intent: OrderIntent) -> bool:
    return await world.store.create_intent(intent, decided_at=TEN_O_CLOCK, reason={"rule": "test"})


async def claim(world: World, intent: OrderIntent, epoch: int = 1) -> Claim:
    return await world.store.claim(intent.tag, shard=SHARD, epoch=epoch, verdicts=[{"check": "clock", "ok": True}])


async def create_and_claim(world: World, intent: OrderIntent) -> Claim:
    assert await create(world, intent)
    return await claim(world, intent)


async def hold_lease(world: World) -> None:
    assert await world.leases.acquire(SHARD, "engine", seen=None) == 1


async def stored(world: World, intent: OrderIntent) -> StoredIntent:
    book = await world.store.load_book(DAY)
    return next(found for found in book.intents if found.intent.tag == intent.tag)


def order_of(intent: OrderIntent, status: OrderStatus, filled: int = 0, **parts: Any) -> BrokerOrder:
    order = BrokerOrder(
        order_id="260000001",
        tag=intent.tag,
        status=status,
        instrument=intent.key.instrument,
        side=intent.side,
        product="MIS",
        quantity=intent.quantity,
        filled_quantity=filled,
        average_price=Decimal("1490.5500") if filled else Decimal(0),
        status_message="",
        broker_status="OPEN",
        placed_at=TEN_O_CLOCK,
        updated_at=TEN_O_CLOCK,
    )
    return replace(order, **parts)


def trade_of(trade_id: str, instrument: str = "NSE:INFY", **parts: Any) -> BrokerTrade:
    trade = BrokerTrade(trade_id, "260000001", instrument, Side.BUY, "MIS", 10, Decimal("1490.5500"), TEN_O_CLOCK)
    return replace(trade, **parts)
