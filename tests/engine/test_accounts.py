"""Accounts side by side: a sick one delays nobody, the rate budget holds, exits go first, drift is told."""

import asyncio
from dataclasses import replace

import pytest

from tests.engine.stage import DAY, GILLETTE, INFY, Stage
from tests.fakes.broker import HANG
from trading.domain.control import CommandKind
from trading.domain.errors import StoreUnavailable
from trading.domain.instruments import Instrument
from trading.domain.orders import Side
from trading.domain.ticks import Tick
from trading.engine.rate import PER_MINUTE, PER_SECOND, RateBudget

ENTRY = (("09:15:00", "108.00"), ("09:15:01", "108.10"))


@pytest.mark.proves("I26")
async def test_one_sick_account_delays_no_other(stage: Stage) -> None:
    for number, user_id in ((1, "AB1001"), (2, "XY2001")):
        stage.client(number, user_id)
        stage.plan(GILLETTE, user_id=user_id, quantity=10)
    await stage.start()
    stage.broker.script.extend([HANG] * 5)

    await stage.ticks(*ENTRY, ("09:15:02", "103.00"))

    assert [i.key.purpose.value for i in stage.brokers["kite:XY2001"].placed] == ["ENTRY", "STOP"]
    assert stage.sent() == [("ENTRY", "BUY", 10)]


@pytest.mark.proves("I6", "I26")
async def test_an_account_whose_reads_hang_does_not_hold_up_the_square_off_of_another(stage: Stage) -> None:
    for number, user_id in ((1, "AB1001"), (2, "XY2001")):
        stage.client(number, user_id)
        stage.plan(GILLETTE, user_id=user_id, quantity=10)
    await stage.start()
    await stage.ticks(*ENTRY)
    stage.broker.positions = lambda: asyncio.Event().wait()  # type: ignore[method-assign, assignment, return-value]

    for number in (1, 2):
        stage.store.add_command(CommandKind.SQUARE_OFF, number, {}, day=DAY)
    await stage.settle(1.0)

    assert stage.store.results == {2: {"flat": True}}


@pytest.mark.proves("I13")
async def test_entries_leave_room_for_exits_in_the_rate_budget(stage: Stage) -> None:
    stage.client()
    instruments = [Instrument("NSE", f"STOCK{number}", 1_000 + number, GILLETTE.tick_size, 1) for number in range(12)]
    for instrument in instruments:
        stage.plan(instrument, quantity=10)
    await stage.start()
    sent_at: list[float] = []
    stage.broker.before_place = lambda _: sent_at.append(stage.clock.monotonic())
    for instrument in instruments:
        await stage.tick("09:15:00", "108.00", instrument)
    stage.clock.set_ist("09:15:01")
    begun = stage.clock.monotonic()

    for instrument in instruments:
        stage.broker.prices[instrument.key] = GILLETTE.tick_size * 2162
        now = int(stage.clock.now().timestamp())

        stage.feed.put(Tick(instrument.token, 1081000, now, 0, 0, 0, 1081000, 1))
    await stage.settle(3.0)

    within_first_second = [at for at in sent_at if at - begun < 1.0]
    assert len(within_first_second) == 6
    assert len(sent_at) == 12


@pytest.mark.proves("I13")
def test_the_budget_never_lets_more_pass_than_its_limits() -> None:
    budget, now, sent = RateBudget(), 0.0, []
    while now < 120.0:
        wait = budget.wait_s(now, is_entry=False)
        if wait == 0:
            budget.spend(now)
            sent.append(now)
        now += wait or 0.001

    assert max(sum(1 for at in sent if start <= at < start + 1.0) for start in sent) == PER_SECOND
    assert max(sum(1 for at in sent if start <= at < start + 60.0) for start in sent) == PER_MINUTE


@pytest.mark.proves("I13")
def test_entries_wait_earlier_than_exits() -> None:
    budget = RateBudget()
    for _ in range(6):
        budget.spend(10.0)

    assert budget.wait_s(10.5, is_entry=True) == 0.5
    assert budget.wait_s(10.5, is_entry=False) == 0.0


@pytest.mark.proves("F28")
async def test_an_empty_position_read_never_clears_a_position(stage: Stage) -> None:
    stage.client()
    stage.plan(GILLETTE, quantity=100)
    await stage.start()
    await stage.ticks(*ENTRY)

    async def nothing() -> list[object]:
        return []

    stage.broker.positions = nothing  # type: ignore[method-assign, assignment]
    await stage.settle(60.0)

    assert "POSITION_READ_SUSPECT" in stage.alarm_codes()
    await stage.tick("09:17:00", "103.00")
    assert stage.sent()[-1] == ("STOP", "SELL", 100)


@pytest.mark.proves("F28", "I17")
async def test_positions_that_agree_again_reconcile_the_account_again(stage: Stage) -> None:
    stage.client()
    stage.plan(GILLETTE, quantity=100)
    await stage.start()
    real = stage.broker.positions

    async def wrong() -> list[object]:
        return [replace(position, net_quantity=1) for position in await real()]

    stage.broker.prices[INFY.key] = GILLETTE.tick_size * 2000
    stage.broker.trade_by_hand(INFY.key, Side.BUY, 5)
    stage.broker.positions = wrong  # type: ignore[method-assign, assignment]
    await stage.settle(40.0)
    desk = stage.session.house.accounts["kite:AB1001"].desk
    assert not desk.is_reconciled

    stage.broker.positions = real  # type: ignore[method-assign]
    await stage.settle(40.0)

    assert desk.is_reconciled


async def test_a_reload_adds_and_removes_instruments_without_touching_open_positions(stage: Stage) -> None:
    stage.client()
    stage.plan(GILLETTE, quantity=100)
    await stage.start()
    await stage.ticks(*ENTRY)
    stage.store.plans.clear()
    stage.plan(INFY, quantity=50)

    stage.store.add_command(CommandKind.RELOAD, 1, day=DAY)
    await stage.settle(1.0)
    await stage.tick("09:16:00", "108.00", INFY)
    await stage.tick("09:16:01", "108.10", INFY)
    await stage.tick("09:16:02", "103.00", GILLETTE)

    assert stage.sent() == [("ENTRY", "BUY", 100), ("ENTRY", "BUY", 50), ("STOP", "SELL", 100)]


async def test_an_account_that_signs_in_later_is_taken_up_by_a_reload(stage: Stage) -> None:
    stage.client().has_session = False
    stage.plan(GILLETTE, quantity=100)
    await stage.start()
    await stage.settle(20.0)
    assert "BROKER_SIGN_IN" in stage.alarm_codes()

    stage.broker.has_session = True
    stage.store.add_command(CommandKind.RELOAD, 1, day=DAY)
    await stage.settle(0.5)
    await stage.ticks(*ENTRY)

    assert stage.sent() == [("ENTRY", "BUY", 100)]


async def test_a_range_that_comes_later_begins_the_ladder(stage: Stage) -> None:
    stage.client()
    stage.plan(GILLETTE, day_range=None)
    await stage.start()
    await stage.ticks(*ENTRY)
    assert stage.sent() == []

    stage.store.plans.clear()
    stage.plan(GILLETTE, quantity=100)
    stage.store.add_command(CommandKind.RELOAD, 1, day=DAY)
    await stage.settle(0.5)
    await stage.ticks(("09:16:00", "108.00"), ("09:16:01", "108.10"))

    assert stage.sent() == [("ENTRY", "BUY", 100)]


@pytest.mark.proves("F40", "I19")
async def test_with_the_database_away_entries_are_dropped_and_exits_wait_for_it(stage: Stage) -> None:
    stage.client()
    stage.plan(GILLETTE, quantity=100)
    await stage.start()
    await stage.ticks(*ENTRY)
    real = stage.store.create_intent

    async def away(*_: object, **__: object) -> bool:
        raise StoreUnavailable("down")

    stage.store.create_intent = away  # type: ignore[method-assign]
    await stage.tick("09:15:02", "103.00")
    assert len(stage.sent()) == 1
    stage.store.create_intent = real  # type: ignore[method-assign]
    await stage.settle(1.0)
    assert stage.sent()[1:] == [("STOP", "SELL", 100)]

    stage.store.create_intent = away  # type: ignore[method-assign]
    await stage.ticks(("09:16:00", "101.50"), ("09:16:01", "100.90"))
    stage.store.create_intent = real  # type: ignore[method-assign]
    await stage.settle(2.0)
    assert len(stage.sent()) == 2
