"""Reads that fail, come empty, lag, come in part or twice: unknown, never flat; and the truth again soon after."""

import asyncio
from datetime import time
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.engine.stage import DAY, GILLETTE, Stage
from tests.fakes.broker import DROPPED
from tests.fakes.lies import EMPTY, HALF, WAYS
from trading.domain.control import CommandKind
from trading.domain.orders import IntentState, Side
from trading.engine.desk import AccountDesk

KEY = GILLETTE.key
ENTRY = (("09:15:00", "108.00"), ("09:15:01", "108.10"))


async def entered(stage: Stage) -> AccountDesk:
    stage.client()
    stage.plan(GILLETTE, quantity=100)
    await stage.start()
    await stage.ticks(*ENTRY)
    return stage.session.house.accounts["kite:AB1001"].desk


@pytest.mark.proves("F28")
@pytest.mark.parametrize("way", [EMPTY, HALF])
@pytest.mark.parametrize("source", ["orders", "trades", "positions"])
async def test_a_read_that_lost_something_stops_entries_and_nothing_else(stage: Stage, source: str, way: str) -> None:
    desk = await entered(stage)

    stage.broker.lies.tell(*(way if name == source else "honest" for name in ("orders", "trades", "positions")))
    await stage.settle(35.0)

    assert not desk.is_reconciled
    assert "POSITION_READ_SUSPECT" in stage.alarm_codes()
    assert (desk.orders.lot(KEY), desk.orders.net(KEY)) == (100, 100)
    await stage.tick("09:17:00", "103.00")
    assert stage.sent()[1:] == [("STOP", "SELL", 100)]
    stage.broker.lies.tell("honest", "honest", "honest")
    await stage.settle(35.0)
    assert desk.is_reconciled


@pytest.mark.proves("F34", "I6")
@pytest.mark.parametrize("sick", ["AB1001", "AB1002"])
async def test_a_client_is_flat_when_each_of_its_accounts_was_seen_flat_in_whatever_order(
    stage: Stage, sick: str
) -> None:
    stage.client()
    stage.account(1, "AB1002")
    stage.plan(GILLETTE, quantity=100)
    await stage.start()
    await stage.ticks(*ENTRY)
    stage.brokers[f"kite:{sick}"].is_readable = False

    stage.store.add_command(CommandKind.SQUARE_OFF, 1, {}, day=DAY)
    await stage.settle(20.0)
    assert stage.store.results == {}

    stage.brokers[f"kite:{sick}"].is_readable = True
    await stage.settle(20.0)
    assert list(stage.store.results.values()) == [{"flat": True}]


@pytest.mark.proves("F28", "I6")
@pytest.mark.parametrize("side", list(Side))
async def test_what_the_positions_still_show_open_is_not_flat_whichever_side_it_is(stage: Stage, side: Side) -> None:
    stage.client()
    stage.plan(GILLETTE, quantity=100)
    await stage.start()
    stage.broker.prices[KEY] = GILLETTE.tick_size * 2162
    stage.broker.trade_by_hand(KEY, side, 100)
    await stage.settle(31.0)
    stage.broker.lies.tell("honest", "honest", "lagging")

    stage.store.add_command(CommandKind.SQUARE_OFF, 1, {}, day=DAY)
    await stage.settle(20.0)
    assert stage.broker.net(KEY) == 0
    assert stage.store.results == {}

    stage.broker.lies.tell("honest", "honest", "honest")
    await stage.settle(20.0)
    assert list(stage.store.results.values()) == [{"flat": True}]


@pytest.mark.proves("F28", "I6")
async def test_empty_positions_never_confirm_a_square_off(stage: Stage) -> None:
    await entered(stage)
    stage.broker.lies.tell("honest", "honest", EMPTY)

    stage.store.add_command(CommandKind.SQUARE_OFF, 1, {}, day=DAY)
    await stage.settle(60.0)
    assert stage.broker.net(KEY) == 0
    assert stage.store.results == {}

    stage.broker.lies.tell("honest", "honest", "honest")
    await stage.settle(20.0)
    assert stage.store.results == {1: {"flat": True}}


@pytest.mark.proves("F17", "I3")
async def test_a_book_that_lacks_orders_it_had_proves_no_absence(stage: Stage) -> None:
    await entered(stage)
    stage.broker.script.append(DROPPED)
    stage.broker.lies.tell(EMPTY, "honest", "honest")
    await stage.tick("09:15:02", "103.00")

    await stage.settle(60.0)
    assert [stored.state for stored in stage.store.intents.values()][1:] == [IntentState.IN_DOUBT]
    assert len(stage.sent()) == 2

    stage.broker.lies.tell("honest", "honest", "honest")
    await stage.settle(30.0)
    assert stage.sent()[1:] == [("STOP", "SELL", 100), ("STOP", "SELL", 100)]
    assert stage.broker.net(KEY) == 0


@pytest.mark.proves("F28")
async def test_a_broker_that_cannot_be_read_for_long_stops_entries_with_an_alarm(stage: Stage) -> None:
    desk = await entered(stage)
    stage.broker.is_readable = False
    await stage.settle(60.0)
    assert desk.is_reconciled

    await stage.settle(100.0)
    assert not desk.is_reconciled
    assert "BROKER_UNREAD" in stage.alarm_codes()

    stage.broker.is_readable = True
    await stage.settle(35.0)
    assert desk.is_reconciled


@pytest.mark.proves("I27")
async def test_orders_are_read_every_five_seconds_and_every_two_while_one_may_fill(stage: Stage) -> None:
    stage.client()
    stage.plan(GILLETTE, quantity=100)
    await stage.start()
    await stage.settle(2.0)

    async def reads_in(seconds: float) -> int:
        stage.broker.calls.clear()
        await stage.settle(seconds)
        return stage.broker.calls.count("orders")

    assert 5 <= await reads_in(30.0) - 1 <= 7  # and one with the positions
    stage.broker.script.append("rest")
    await stage.ticks(*ENTRY)
    assert 14 <= await reads_in(30.0) <= 17


async def test_positions_are_read_every_five_seconds_from_shortly_before_the_clients_own_square_off(
    stage: Stage,
) -> None:
    stage.client(square_off_at=time(14, 0))
    stage.plan(GILLETTE, quantity=100)
    await stage.start()
    await stage.settle(40.0)
    stage.broker.calls.clear()
    await stage.settle(60.0)
    assert stage.broker.calls.count("positions") == 2

    await stage.at("13:56:00", 31.0)
    stage.broker.calls.clear()
    await stage.settle(60.0)
    assert 11 <= stage.broker.calls.count("positions") <= 13


@pytest.mark.proves("I27")
async def test_many_orders_in_doubt_share_the_reads_and_keep_within_the_brokers_limit(stage: Stage) -> None:
    desk = await entered(stage)
    at: list[float] = []
    real = stage.broker.orders

    async def slow_orders() -> object:
        at.append(stage.clock.monotonic())
        await stage.clock.sleep(0.05)
        return await real()

    stage.broker.orders = slow_orders  # type: ignore[method-assign, assignment]
    await stage.settle(1.0)
    at.clear()
    readers = [asyncio.ensure_future(_keep_reading(stage, desk)) for _ in range(30)]
    await stage.settle(10.0)
    for reader in readers:
        reader.cancel()

    assert 60 <= len(at) <= 88
    assert max(sum(1 for other in at if start <= other < start + 1.0) for start in at) <= 8


async def _keep_reading(stage: Stage, desk: AccountDesk) -> None:
    while True:
        asked = stage.clock.monotonic()
        await desk.read_orders()
        assert (desk.reads.orders.good_wire or 0.0) > asked
        await stage.clock.sleep(0.01)


WAY = st.sampled_from(WAYS)
LIES = st.lists(st.tuples(WAY, WAY, WAY, st.sampled_from([0.4, 3.0, 11.0, 31.0])), min_size=1, max_size=6)
PRICES = ("108.10", "108.60", "109.10", "108.30", "103.00", "108.00", "108.10", "104.00")


@pytest.mark.proves("F28", "I4", "I17")
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(lies=LIES, tells=st.booleans())
def test_no_sequence_of_lies_makes_it_flat_over_exit_or_open_and_the_truth_is_agreed_within_a_minute(
    lies: list[tuple[str, str, str, float]],
    tells: bool,
) -> None:
    asyncio.run(_live_through(lies, tells=tells))


async def _live_through(lies: list[tuple[str, str, str, float]], *, tells: bool) -> None:
    stage = Stage()
    stage.client()
    stage.plan(GILLETTE, quantity=100)
    await stage.start()
    await stage.tick("09:15:00", "108.00")
    await stage.tick("09:15:01", "108.10")
    stage.broker.tells_updates = tells
    desk = stage.session.house.accounts["kite:AB1001"].desk
    nets = [stage.broker.net(KEY)]
    stage.broker.before_place = lambda _: nets.append(stage.broker.net(KEY))
    for second, (orders, trades, positions, seconds) in enumerate(lies):
        stage.broker.lies.tell(orders, trades, positions)
        await stage.settle(seconds)
        assert abs(desk.orders.net(KEY)) >= abs(stage.broker.net(KEY)), "less was believed open than was"
        await stage.tick(f"09:16:{second:02d}", PRICES[second % len(PRICES)])
        nets.append(stage.broker.net(KEY))
    stage.broker.lies.tell("honest", "honest", "honest")
    stage.broker.tells_updates = True
    await stage.settle(60.0)

    assert stage.broker.most_open[KEY] <= 100
    assert all(before * after >= 0 for before, after in pairwise(nets)), f"an exit turned the position round: {nets}"
    assert desk.orders.net(KEY) == desk.orders.counted_net(KEY) == stage.broker.net(KEY)
    assert not [s for s in stage.store.intents.values() if s.state is IntentState.IN_DOUBT]
    assert desk.is_reconciled
    await stage.stop()
