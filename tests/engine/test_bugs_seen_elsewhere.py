"""Bugs of the public code that two of the source documents came from ([C] in the list of features), each with a test
that would catch it here. An order repeated after a timeout is in test_orders, secrets are in tests/models/test_secrets.
"""

import ast
import os
import subprocess
import sys
from collections import Counter
from typing import Any

import pytest

from tests.architecture.source import modules
from tests.engine.stage import GILLETTE, Stage
from tests.fakes.broker import REJECT
from trading.domain.backoff import Backoff
from trading.domain.control import TradingState

KEY = GILLETTE.key
ENTRY = (("09:15:00", "108.00"), ("09:15:01", "108.10"))
SQUARE_OFF_IN_UTC = """
from datetime import UTC, date, time
from trading.domain.calendar import MarketCalendar
from trading.domain.instruments import InstrumentClass
from trading.domain.square_off import Subject, square_off_plan
subject = Subject(InstrumentClass.DERIVATIVE)
plan = square_off_plan(MarketCalendar.load(), date(2026, 11, 23), subject, time(15, 15))
print(plan.start.astimezone(UTC).isoformat())
"""


async def holding(stage: Stage, **config: Any) -> Stage:
    """Give a stage with 100 long."""
    stage.client()
    stage.plan(GILLETTE, quantity=100, config=config)
    await stage.start()
    await stage.ticks(*ENTRY)
    return stage


def state_of_alice(stage: Stage) -> TradingState:
    return stage.store.policies[1].state


@pytest.mark.proves("F19", "F66", "I7")
async def test_a_kill_switch_does_not_block_exits_and_a_refused_exit_leaves_no_orphan(stage: Stage) -> None:
    """S3 (1): the switch blocked exits too, and the refused order's position was forgotten."""
    await holding(stage)
    stage.broker.script.append(REJECT)

    stage.store.press_kill(1)
    await stage.settle(0.5)

    assert stage.broker.net(KEY) == 100
    assert state_of_alice(stage) is TradingState.REDUCING
    assert stage.session.house.accounts["kite:AB1001"].desk.orders.net(KEY) == 100

    await stage.live_until("09:16:00")

    assert stage.broker.net(KEY) == 0
    assert state_of_alice(stage) is TradingState.HALTED


@pytest.mark.proves("F59", "I23")
@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata", "Europe/London", "America/New_York", "Pacific/Auckland"])
def test_a_quarter_past_three_is_indian_time_wherever_the_host_stands(zone: str) -> None:
    """S3 (2): with TIME_ZONE UTC, 15:15 was a quarter to nine in the evening in India."""
    done = subprocess.run(
        [sys.executable, "-c", SQUARE_OFF_IN_UTC],
        env={**os.environ, "TZ": zone},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.strip() == "2026-11-23T09:45:00+00:00"


@pytest.mark.proves("F19")
async def test_nothing_is_entered_on_the_other_side_while_the_exit_has_failed(stage: Stage) -> None:
    """S3 (3): a reversal entered the new side even when the exit order had failed."""
    await holding(stage, rearm="any", max_entries_per_side=3)
    stage.broker.script.extend([REJECT] * 3)

    await stage.ticks(("09:16:00", "103.00"), ("09:16:01", "101.50"), ("09:16:02", "100.80"), ("09:16:03", "100.70"))

    assert stage.broker.net(KEY) == 100
    assert [purpose for purpose, _, _ in stage.sent()].count("ENTRY") == 1


async def test_ticks_that_trigger_nothing_ask_the_database_nothing(stage: Stage) -> None:
    """S3 (4): a query per tick and symbol."""
    await holding(stage)
    asked = count_calls(stage)
    await stage.settle(1.0)
    without_ticks = asked.total()
    asked.clear()

    for second in range(10, 40):
        stage.clock.set_ist(f"09:15:{second}")
        for _ in range(20):
            stage.feed.put(stage.trade("108.20", GILLETTE))
    await stage.settle(1.0)

    assert asked.total() <= without_ticks + 2


def count_calls(stage: Stage) -> Counter[str]:
    """Count what is asked of the store from now on, the running poll of commands included."""
    asked: Counter[str] = Counter()
    for name in ("load_book", "create_intent", "claim", "save_ladder", "append_events", "save_order", "save_trades"):
        setattr(stage.store, name, _counted(getattr(stage.store, name), name, asked))
    return asked


def _counted(method: Any, name: str, asked: Counter[str]) -> Any:
    async def call(*args: Any, **more: Any) -> Any:
        asked[name] += 1
        return await method(*args, **more)

    return call


@pytest.mark.proves("I27")
def test_no_loop_only_burns_the_processor() -> None:
    """S3 (5): `while True: pass`."""
    idle = [
        f"{module.name}:{node.lineno}"
        for module in modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.While)
        and not any(isinstance(part, ast.Call | ast.Await) for part in ast.walk(node))
        and isinstance(node.test, ast.Constant)
    ]

    assert idle == []


@pytest.mark.proves("I27")
def test_waits_between_tries_grow() -> None:
    """S2: what was called exponential back-off waited the same time again and again."""
    waits = [Backoff(first_s=1.0, most_s=30.0).wait_s(failures, 1.0) for failures in range(1, 8)]

    assert waits == [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]
