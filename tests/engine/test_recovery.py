"""Every beginning is the same: whatever was before, a session reads everything before it sends anything."""

from collections.abc import Awaitable, Callable

import pytest

from tests.engine.mortal import Mortal, bury
from tests.engine.stage import GILLETTE, Stage
from trading.domain.orders import Side

ENTRY = (("09:15:00", "108.00"), ("09:15:01", "108.10"))


async def fresh_day(stage: Stage) -> None:
    await stage.start()
    await stage.settle(1.0)


async def die_in_mid_day(stage: Stage) -> None:
    mortal = Mortal(10_000, after_the_call=False)
    store, brokers = mortal.port(stage.store), dict(stage.brokers)
    await stage.start(store=store, leases=store, broker_for=lambda ref: mortal.port(brokers[ref.key]))
    await stage.ticks(*ENTRY)
    await bury(stage, mortal)
    stage.broker.calls.clear()


async def crash_in_mid_day(stage: Stage) -> None:
    await die_in_mid_day(stage)
    await stage.start(holder="second")
    await stage.settle(10.0)


async def takeover_by_the_standby(stage: Stage) -> None:
    await die_in_mid_day(stage)
    await stage.start(standby=True, holder="standby")
    await stage.settle(20.0)


async def day_roll(stage: Stage) -> None:
    await stage.start()
    await stage.ticks(*ENTRY, ("09:15:02", "103.00"))
    await stage.at("23:59:59")
    stage.broker.calls.clear()
    stage.clock.set(stage.clock.now().replace(hour=18, minute=30, second=0))
    await stage.settle(1.0)


@pytest.mark.proves("I16", "F43", "F63")
@pytest.mark.parametrize("begin", [fresh_day, crash_in_mid_day, takeover_by_the_standby, day_roll])
async def test_every_beginning_reads_orders_trades_and_positions_before_anything_else(
    stage: Stage, begin: Callable[[Stage], Awaitable[None]]
) -> None:
    stage.client()
    stage.plan(GILLETTE, quantity=100)

    await begin(stage)

    assert list(dict.fromkeys(stage.broker.calls)) == ["orders", "trades", "positions"]
    assert stage.session.house.accounts["kite:AB1001"].desk.is_reconciled
    assert stage.events("RECONCILED")


@pytest.mark.proves("F63")
async def test_after_midnight_what_the_broker_still_shows_of_yesterday_counts_as_nothing(stage: Stage) -> None:
    stage.client()
    stage.plan(GILLETTE, quantity=100)
    await stage.start()
    stage.broker.prices[GILLETTE.key] = GILLETTE.tick_size * 2162
    stage.broker.trade_by_hand(GILLETTE.key, Side.BUY, 30)
    await stage.settle(10.0)
    assert stage.session.house.accounts["kite:AB1001"].desk.orders.net(GILLETTE.key) == 30

    stage.clock.set(stage.clock.now().replace(hour=18, minute=30, second=0))
    await stage.settle(40.0)

    desk = stage.session.house.accounts["kite:AB1001"].desk
    assert stage.session.tools.day.isoformat() == "2026-11-24"
    assert (desk.orders.net(GILLETTE.key), desk.orders.trade_ids()) == (0, set())


async def test_an_order_of_the_small_hours_is_of_the_day_that_began_at_midnight_here_and_not_in_london(
    stage: Stage,
) -> None:
    stage.client()
    stage.plan(GILLETTE, quantity=100)
    await stage.start()
    stage.clock.set(stage.clock.now().replace(hour=18, minute=45, second=0))  # 00:15 of the 24th
    await stage.settle(40.0)
    stage.broker.prices[GILLETTE.key] = GILLETTE.tick_size * 2162
    stage.broker.trade_by_hand(GILLETTE.key, Side.BUY, 30)
    desk = stage.session.house.accounts["kite:AB1001"].desk

    await desk.read_orders()
    await desk.read_trades()

    assert stage.session.tools.day.isoformat() == "2026-11-24"
    assert (len(desk.orders.order_ids()), desk.orders.net(GILLETTE.key)) == (1, 30)


@pytest.mark.proves("F28", "I16")
async def test_a_restart_while_the_books_come_empty_keeps_the_position_and_its_stop(stage: Stage) -> None:
    stage.client()
    stage.plan(GILLETTE, quantity=100)
    await stage.start()
    await stage.ticks(*ENTRY)
    await stage.stop()
    stage.broker.lies.tell("empty", "empty", "empty")

    await stage.start()
    await stage.settle(5.0)
    desk = stage.session.house.accounts["kite:AB1001"].desk
    assert not desk.is_reconciled
    assert desk.orders.lot(GILLETTE.key) == 100
    await stage.tick("09:16:00", "103.00")

    assert stage.sent() == [("ENTRY", "BUY", 100), ("STOP", "SELL", 100)]
    assert stage.broker.net(GILLETTE.key) == 0
