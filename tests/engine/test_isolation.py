"""What fails, fails alone: a poisoned ladder, a part that raises, a crash point."""

import os
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import time, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.engine.stage import DAY, GILLETTE, INFY, Stage
from trading.domain.control import CommandKind
from trading.domain.errors import BrokerAuthError
from trading.domain.orders import Side
from trading.domain.timezone import at_ist
from trading.engine.crash_points import CRASH_EXIT_CODE, crash_at
from trading.engine.timers import Timers
from trading.ports import AccountRef, Broker, OrderUpdate, TickBatch

ENTRY = (("09:15:00", "108.00"), ("09:15:01", "108.10"))


@pytest.mark.proves("F54", "I26")
async def test_a_ladder_that_fails_is_closed_with_an_alarm_and_the_others_go_on(stage: Stage) -> None:
    for number, user_id in ((1, "AB1001"), (2, "XY2001")):
        stage.client(number, user_id)
        stage.plan(GILLETTE, user_id=user_id, quantity=10)
    await stage.start()
    await stage.ticks(*ENTRY)

    def poisoned(*_: Any) -> Any:
        raise RuntimeError("poison")

    ladder = stage.session.house.runners[("kite:AB1001", GILLETTE.key)].ladder
    assert ladder is not None
    ladder.on_tick = poisoned  # type: ignore[method-assign, assignment]
    await stage.ticks(("09:15:02", "108.60"), ("09:15:03", "109.10"))

    assert stage.broker.net(GILLETTE.key) == 0
    assert "LADDER_FAILED" in stage.alarm_codes()
    targets = [i for i in stage.brokers["kite:XY2001"].placed if i.key.purpose == "TARGET"]
    assert [intent.quantity for intent in targets] == [1, 1]


@pytest.mark.proves("F33", "F54")
async def test_a_read_that_raises_something_unheard_of_does_not_end_reconciliation(stage: Stage) -> None:
    stage.client()
    stage.plan(GILLETTE, quantity=100)
    real = stage.broker.positions

    async def broken() -> Any:
        raise KeyError("net_quantity")

    stage.broker.positions = broken  # type: ignore[method-assign]
    await stage.start()
    await stage.settle(3.0)
    assert "ENGINE_PART_FAILED" in stage.alarm_codes()

    stage.broker.positions = real  # type: ignore[method-assign]
    await stage.settle(10.0)
    await stage.ticks(*ENTRY)
    assert stage.sent() == [("ENTRY", "BUY", 100)]


@pytest.mark.proves("F54")
def test_timers_run_in_the_order_of_their_moments_and_a_failing_one_stops_no_other() -> None:
    timers, ran, nine = Timers(), list[str](), at_ist(DAY, time(9))

    def fails() -> None:
        raise RuntimeError("poison")

    timers.set("b", nine + timedelta(seconds=2), lambda: ran.append("b"))
    timers.set("a", nine + timedelta(seconds=1), lambda: ran.append("a"))
    timers.set("x", nine + timedelta(seconds=1), fails)
    timers.set("gone", nine + timedelta(seconds=1), lambda: ran.append("gone"))
    timers.cancel("gone")
    timers.set("late", nine + timedelta(seconds=9), lambda: ran.append("late"))

    assert timers.next_due() == nine + timedelta(seconds=1)
    assert timers.run_due(nine + timedelta(seconds=5))
    assert ran == ["a", "b"]
    assert timers.next_due() == nine + timedelta(seconds=9)


def test_a_crash_point_ends_the_process_as_kill_9_does() -> None:
    code = "from trading.engine.crash_points import crash_at; crash_at('after_claim'); print('alive')"
    environment = {**os.environ, "ALGO_CRASH_AT": "after_claim"}

    dead = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, check=False)
    alive = subprocess.run(
        [sys.executable, "-c", code],
        env={**environment, "ALGO_CRASH_AT": "after_send"},
        capture_output=True,
        check=False,
    )

    assert (dead.returncode, dead.stdout) == (CRASH_EXIT_CODE, b"")
    assert alive.stdout == b"alive\n"


def test_an_unknown_crash_point_is_refused() -> None:
    with pytest.raises(ValueError, match="nowhere"):
        crash_at("nowhere")


async def test_a_feed_that_fails_is_read_again(stage: Stage) -> None:
    stage.client()
    stage.plan(GILLETTE, quantity=100)
    real, failures = stage.feed.batches, [RuntimeError("stream gone")]

    async def failing() -> AsyncIterator[TickBatch]:
        if failures:
            raise failures.pop()
        async for batch in real():
            yield batch

    stage.feed.batches = failing  # type: ignore[method-assign]
    await stage.start()
    await stage.settle(2.0)

    await stage.ticks(*ENTRY)

    assert stage.sent() == [("ENTRY", "BUY", 100)]


@pytest.mark.proves("F54", "I26")
async def test_an_account_that_cannot_be_made_stops_nobody_else(stage: Stage) -> None:
    """Its keys cannot be read, say. Everybody else trades, and it is tried again with the next reload."""
    for number, user_id in ((1, "AB1001"), (2, "XY2001")):
        stage.client(number, user_id)
        stage.plan(GILLETTE, user_id=user_id, quantity=10)
    failures = [ValueError("the secret cannot be read")]

    def broker_for(ref: AccountRef) -> Broker:
        if ref.key == "kite:XY2001" and failures:
            raise failures.pop()
        return stage.brokers[ref.key]

    await stage.start(broker_for=broker_for)
    await stage.ticks(*ENTRY)
    assert stage.sent() == [("ENTRY", "BUY", 10)]
    assert "ACCOUNT_FAILED" in stage.alarm_codes()

    stage.store.add_command(CommandKind.RELOAD, None, day=DAY)
    await stage.settle(1.0)
    await stage.ticks(("09:16:00", "101.00"), ("09:16:01", "100.90"))
    assert Side.SELL in [intent.side for intent in stage.brokers["kite:XY2001"].placed]


@pytest.mark.proves("F54")
async def test_a_plan_that_cannot_be_made_stops_nobody_else(stage: Stage) -> None:
    stage.client()
    stage.plan(INFY, config={"square_off_at": object()})
    stage.plan(replace(INFY, tradingsymbol="SBIN", token=779521, tick_size=Decimal(0)))
    stage.plan(GILLETTE, quantity=100)
    await stage.start()

    await stage.tick("09:15:00", "108.00", GILLETTE)
    await stage.tick("09:15:01", "108.10", GILLETTE)

    assert stage.sent() == [("ENTRY", "BUY", 100)]


async def test_a_broker_that_cannot_be_made_anew_is_tried_again(stage: Stage) -> None:
    stage.client().has_session = False
    stage.plan(GILLETTE, quantity=100)
    made = []

    def broker_for(ref: AccountRef) -> Broker:
        made.append(ref)
        if len(made) == 2:
            raise TimeoutError("the database did not answer")
        return stage.brokers[ref.key]

    await stage.start(broker_for=broker_for)
    await stage.settle(3.0)
    stage.broker.has_session = True
    await stage.settle(10.0)

    await stage.ticks(*ENTRY)
    assert stage.sent() == [("ENTRY", "BUY", 100)]


@pytest.mark.proves("F31", "I27")
async def test_an_order_socket_that_refuses_the_login_is_not_dialled_every_second(stage: Stage) -> None:
    stage.client()
    stage.plan(GILLETTE, quantity=100)
    dialled = []

    async def refused() -> AsyncIterator[OrderUpdate]:
        dialled.append(stage.clock.monotonic())
        raise BrokerAuthError("the order socket refused the login", status=403)
        yield  # pragma: no cover

    stage.broker.order_updates = refused  # type: ignore[method-assign]
    await stage.start()
    await stage.settle(120.0)
    assert len(dialled) < 12

    await stage.ticks(*ENTRY, ("09:15:02", "103.00"))
    await stage.settle(10.0)
    assert stage.broker.net(GILLETTE.key) == 0
