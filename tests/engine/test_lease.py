"""One speaker per shard: waiting, taking over, being taken over, stopping oneself."""

import asyncio
from datetime import timedelta

import pytest

from tests.engine.stage import DAY, GILLETTE, Stage
from tests.fakes.broker import REST
from trading.domain.errors import StoreUnavailable
from trading.domain.orders import IntentState, OrderIntent, Purpose, PurposeKey, Side
from trading.engine.runtime import Engine, run_engine

ENTRY = (("09:15:00", "108.00"), ("09:15:01", "108.10"))


async def freeze(stage: Stage) -> Engine:
    """Let the first engine stand still as SIGSTOP does, and give it back."""
    assert stage.engine is not None
    assert stage.task is not None
    frozen = stage.engine
    stage.task.cancel()
    for task in [*frozen._tasks, *(frozen.session.tools.work._tasks if frozen.session else ())]:
        task.cancel()
    await asyncio.sleep(0)
    stage.engine = stage.task = None
    return frozen


async def trading(stage: Stage) -> Stage:
    stage.client()
    stage.plan(GILLETTE, quantity=100)
    await stage.start(holder="first")
    return stage


@pytest.mark.proves("F46", "I14")
async def test_a_second_engine_waits_while_the_first_ones_counter_moves(stage: Stage) -> None:
    await trading(stage)
    second = Engine(stage.deps(holder="second"))
    task = asyncio.create_task(second.run())

    await stage.settle(30.0)

    assert second.session is None
    assert stage.store.leases["main"].holder == "first"
    task.cancel()


@pytest.mark.proves("F46", "F47")
async def test_the_standby_takes_over_after_the_counter_stood_still_for_three_seconds(stage: Stage) -> None:
    await trading(stage)
    await stage.ticks(*ENTRY)
    standby = Engine(stage.deps(holder="b"), standby=True)
    task = asyncio.create_task(standby.run())
    await stage.settle(5.0)
    assert standby.session is None

    await freeze(stage)
    await stage.settle(2.4)
    assert standby.session is None
    await stage.settle(2.0)

    assert standby.session is not None
    assert stage.store.leases["main"].epoch == 2
    stage.engine, stage.task = standby, task


@pytest.mark.proves("F47")
async def test_the_standby_keeps_stops_working_and_enters_nothing(stage: Stage) -> None:
    await trading(stage)
    await stage.ticks(*ENTRY)
    await freeze(stage)
    await stage.start(standby=True, holder="b")
    await stage.settle(5.0)

    await stage.ticks(("09:16:00", "103.00"), ("09:16:01", "101.50"), ("09:16:02", "100.90"))

    assert stage.sent() == [("ENTRY", "BUY", 100), ("STOP", "SELL", 100)]
    assert [event.data["code"] for event in stage.events("ORDER_DENIED")] == ["STANDBY"]


@pytest.mark.proves("F47", "I6")
async def test_the_standby_squares_off_at_the_time(stage: Stage) -> None:
    await trading(stage)
    await stage.ticks(*ENTRY)
    await freeze(stage)
    await stage.start(standby=True, holder="b")
    await stage.settle(5.0)

    await stage.at("15:15:00", 2.0)

    assert stage.broker.net(GILLETTE.key) == 0


async def test_a_standby_does_not_begin_a_day_that_nobody_began(stage: Stage) -> None:
    stage.client()
    await stage.start(standby=True, holder="b")

    await stage.settle(60.0)

    assert stage.engine is not None
    assert stage.engine.session is None
    assert stage.store.leases == {}


async def test_an_engine_takes_the_lease_back_from_a_standby_at_once(stage: Stage) -> None:
    await trading(stage)
    await stage.ticks(*ENTRY)
    await freeze(stage)
    standby = Engine(stage.deps(holder="b"), standby=True)
    task = asyncio.create_task(standby.run())
    await stage.settle(5.0)
    assert standby.session is not None

    await stage.start(holder="again")
    await stage.settle(1.0)

    assert stage.session.tools.right.epoch == 3
    assert standby.session is None
    await stage.tick("09:16:00", "103.00")
    assert stage.sent()[1:] == [("STOP", "SELL", 100)]
    task.cancel()


@pytest.mark.proves("F46", "I14")
async def test_a_stale_holder_sends_nothing_after_a_takeover(stage: Stage) -> None:
    await trading(stage)
    await stage.tick(*ENTRY[0])
    lease = stage.store.leases["main"]
    await stage.store.acquire("main", "other", seen=lease)

    await stage.tick(*ENTRY[1])

    assert stage.sent() == []


@pytest.mark.proves("F46", "I14", "I19")
async def test_a_holder_that_cannot_renew_for_two_seconds_sends_nothing(stage: Stage) -> None:
    await trading(stage)
    await stage.tick(*ENTRY[0])

    class Silent:
        def __getattr__(self, name: str) -> object:
            async def fail(*_: object, **__: object) -> object:
                raise StoreUnavailable("down")

            return fail

    object.__setattr__(stage.session.tools.deps, "leases", Silent())
    await stage.settle(2.1)
    await stage.tick(*ENTRY[1])

    assert stage.sent() == []
    assert [event.data["code"] for event in stage.events("ORDER_DENIED")] == ["LEASE_LOST"]


async def test_a_clean_stop_gives_the_lease_back_and_the_next_engine_begins_at_once(stage: Stage) -> None:
    await trading(stage)
    await stage.stop()
    assert stage.store.leases["main"].holder == ""

    await stage.start(holder="second")

    assert stage.session.tools.right.epoch == 2


async def test_a_clean_stop_waits_for_the_answer_of_an_order_that_is_on_its_way(stage: Stage) -> None:
    await trading(stage)
    await stage.ticks(*ENTRY)

    await stage.stop()

    assert [stored.state for stored in stage.store.intents.values()] == [IntentState.ACKED]


async def test_run_engine_returns_when_it_is_told_to_stop(stage: Stage) -> None:
    stage.client().script.append(REST)
    stop = asyncio.Event()
    running = asyncio.create_task(run_engine(stage.deps(), stop=stop))
    await stage.settle(1.0)

    stop.set()
    await stage.settle(3.0)

    assert running.done()
    assert stage.store.leases["main"].holder == ""


@pytest.mark.proves("F63")
async def test_midnight_begins_a_new_day_with_new_counts(stage: Stage) -> None:
    await trading(stage)
    await stage.ticks(*ENTRY, ("09:15:02", "103.00"))
    first = stage.session

    stage.clock.set(stage.clock.now() + timedelta(days=1))
    await stage.settle(2.0)

    assert stage.session is not first
    assert stage.session.tools.day == DAY + timedelta(days=1)
    assert stage.session.house.accounts["kite:AB1001"].desk.orders.by_tag == {}


def left_kill(stage: Stage) -> OrderIntent:
    """The kill's exit as a former holder wrote it a moment after we loaded the day."""
    key = PurposeKey(DAY, "kite:AB1001", GILLETTE.key, 1, Purpose.KILL)
    return OrderIntent(key, Side.SELL, 100)


async def test_an_exit_that_a_former_holder_wrote_and_never_claimed_does_not_block_ours(stage: Stage) -> None:
    await trading(stage)
    await stage.ticks(*ENTRY)
    await stage.store.create_intent(left_kill(stage), decided_at=stage.clock.now(), reason={})

    command = stage.store.press_kill(1)
    await stage.settle(5.0)

    assert stage.sent()[1:] == [("KILL", "SELL", 100)]
    assert stage.broker.placed[1].tag != left_kill(stage).tag
    assert stage.store.intents[left_kill(stage).tag].state is IntentState.DENIED
    assert stage.store.results[command]["flat"] is True


@pytest.mark.proves("F44", "I1", "I3")
async def test_an_exit_that_a_former_holder_sent_is_looked_up_and_not_sent_again(stage: Stage) -> None:
    await trading(stage)
    await stage.ticks(*ENTRY)
    left = left_kill(stage)
    await stage.store.create_intent(left, decided_at=stage.clock.now(), reason={})
    await stage.store.claim(left.tag, shard="main", epoch=1, verdicts=[])
    stage.broker.tells_updates = False
    await stage.broker.place(left)

    command = stage.store.press_kill(1)
    await stage.settle(5.0)

    assert stage.sent()[1:] == [("KILL", "SELL", 100)]
    assert stage.store.intents[left.tag].state is IntentState.ADOPTED
    assert stage.broker.net(GILLETTE.key) == 0
    assert stage.store.results[command]["flat"] is True
