"""The contract of every store (in memory, SQLite, PostgreSQL): events, alarms and P&L points."""

from decimal import Decimal

from tests.factories import TEN_O_CLOCK
from tests.stores.worlds import ALICE, World
from trading.ports import EngineEvent


async def test_events_are_kept_in_order(world: World) -> None:
    events = [
        EngineEvent(world.alice, "ENTRY", TEN_O_CLOCK, {"ltp": "1490.55"}, ALICE, "NSE:INFY", "TAG"),
        EngineEvent(None, "LEASE_TAKEN", TEN_O_CLOCK, {"epoch": 1}),
        EngineEvent(world.alice, "FILL", TEN_O_CLOCK, {"quantity": 10}),
    ]

    await world.store.append_events(events)
    await world.store.append_events([])

    kept = await world.events()
    assert [event for event in kept if event[0] == world.alice] == [
        (world.alice, "ENTRY", {"ltp": "1490.55"}),
        (world.alice, "FILL", {"quantity": 10}),
    ]
    assert [event for event in kept if event[0] is None] == [(None, "LEASE_TAKEN", {"epoch": 1})]


async def test_the_same_alarm_again_is_one_alarm(world: World) -> None:
    await world.store.raise_alarm(world.alice, "NOT_FLAT", "10 NSE:INFY")
    await world.store.raise_alarm(world.alice, "NOT_FLAT", "10 NSE:INFY")
    await world.store.raise_alarm(None, "FEED_STALE", "no tick for 5 s")

    assert await world.alarms() == [(world.alice, "NOT_FLAT"), (None, "FEED_STALE")]


async def test_pnl_is_one_point_a_client_and_minute(world: World) -> None:
    await world.store.save_pnl(TEN_O_CLOCK, [(world.alice, Decimal("1.5000"), Decimal("-2.2500"))])
    await world.store.save_pnl(
        TEN_O_CLOCK,
        [(world.alice, Decimal("3.0000"), Decimal("0.0000")), (world.charlie, Decimal("0.0000"), Decimal("0.0000"))],
    )
    await world.store.save_pnl(TEN_O_CLOCK, [])

    assert await world.pnl() == [(world.alice, Decimal(3), Decimal(0)), (world.charlie, Decimal(0), Decimal(0))]
