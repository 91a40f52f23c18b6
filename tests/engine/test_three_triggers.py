"""Any one of Beat's command, the engine's timer and the standby squares off alone, and all together do it once."""

import asyncio
from typing import Any

import pytest

from tests.engine.stage import GILLETTE, INFY, Stage
from tests.engine.test_lease import ENTRY, freeze, trading
from trading.domain.control import CommandKind
from trading.engine.runtime import Engine

KEY = GILLETTE.key


def beat_asks(stage: Stage) -> int:
    """Do what Beat's task does: write the command row."""
    return stage.store.add_command(CommandKind.SQUARE_OFF, 1, {"only_due": True}, day=stage.session.tools.day)


def disarm(stage: Stage) -> None:
    """Take the engine's own timers away."""
    for group in range(4):
        for what in ("square off", "flat by"):
            stage.session.tools.timers.cancel((what, 1, group))
    timers = stage.session.tools.timers
    for key in [key for key in timers._by_key if isinstance(key, tuple) and key[0] in ("square off", "flat by")]:
        timers.cancel(key)


async def minutes_of_the_end(stage: Stage) -> None:
    for at in ("15:10:00", "15:14:30", "15:15:00", "15:15:30", "15:16:30"):
        await stage.at(at, 2.0)


@pytest.mark.proves("F49", "I6", database="none")
async def test_the_engines_timer_alone_squares_off(stage: Stage) -> None:
    await trading(stage)
    await stage.ticks(*ENTRY)

    await minutes_of_the_end(stage)

    assert [purpose for purpose, _, _ in stage.sent()] == ["ENTRY", "SQUARE_OFF"]
    assert stage.broker.net(KEY) == 0


@pytest.mark.proves("I6", database="none")
async def test_beats_command_alone_squares_off(stage: Stage) -> None:
    await trading(stage)
    await stage.ticks(*ENTRY)
    disarm(stage)
    await stage.at("15:15:00", 2.0)
    assert stage.broker.net(KEY) == 100

    command = beat_asks(stage)
    await stage.settle(3.0)

    assert [purpose for purpose, _, _ in stage.sent()] == ["ENTRY", "SQUARE_OFF"]
    assert stage.store.results[command]["flat"] is True


@pytest.mark.proves("F43", "F49", "I6", database="none")
async def test_the_standby_alone_squares_off_with_no_tick_no_page_and_no_command(stage: Stage) -> None:
    await trading(stage)
    await stage.ticks(*ENTRY)
    await stage.at("15:14:50")
    await freeze(stage)

    class Unreachable:
        def __getattr__(self, name: str) -> Any:
            async def batches() -> Any:
                raise ConnectionError("Redis is away")
                yield

            return batches if name == "batches" else lambda *_, **__: None

    away = Unreachable()
    await stage.start(standby=True, holder="b", feed=away, live=away)
    await stage.settle(5.0)
    for at in ("15:15:00", "15:15:30", "15:16:30"):
        await stage.at(at, 2.0)

    assert [purpose for purpose, _, _ in stage.sent()] == ["ENTRY", "SQUARE_OFF"]
    assert stage.broker.net(KEY) == 0
    assert "NOT_FLAT" not in stage.alarm_codes()


@pytest.mark.proves("F46", "F50", "I1", "I4", "I6", database="none")
async def test_all_together_square_off_once(stage: Stage) -> None:
    await trading(stage)
    await stage.ticks(*ENTRY)
    standby = Engine(stage.deps(holder="b"), standby=True)
    task = asyncio.create_task(standby.run())
    await stage.at("15:14:59")
    first, second = beat_asks(stage), beat_asks(stage)

    await minutes_of_the_end(stage)

    assert [purpose for purpose, _, _ in stage.sent()] == ["ENTRY", "SQUARE_OFF"]
    assert stage.store.results[first]["flat"] is True
    assert stage.store.results[second]["flat"] is True
    task.cancel()


@pytest.mark.proves("F46", "I1", "I6", database="none")
async def test_a_takeover_in_the_middle_of_the_square_off_sends_nothing_twice(stage: Stage) -> None:
    stage.plan(INFY, quantity=50)
    await trading(stage)
    for at, price in ENTRY:
        await stage.tick(at, price, GILLETTE)
    await stage.tick("09:15:05", "108.00", INFY)
    await stage.tick("09:15:06", "108.10", INFY)
    await stage.at("15:10:00", 0.05)
    await freeze(stage)
    await stage.start(standby=True, holder="b")

    await stage.settle(30.0)
    await minutes_of_the_end(stage)

    assert stage.broker.net(KEY) == stage.broker.net(INFY.key) == 0
    tags = [intent.tag for intent in stage.broker.placed]
    assert len(tags) == len(set(tags))
    assert stage.broker.most_open[KEY] == 100


def stick(stage: Stage) -> None:
    """Let nothing of the engine's leave any more, without anybody knowing why."""
    for parts in stage.session.house.accounts.values():
        parts.gateway.submit = lambda working: None  # type: ignore[method-assign]


@pytest.mark.proves("F47", "I6", database="none")
async def test_an_engine_whose_square_off_stands_still_lets_the_standby_take_over(stage: Stage) -> None:
    stage.plan(INFY, quantity=50)
    await trading(stage)
    await stage.tick("09:15:05", "108.00", INFY)
    await stage.tick("09:15:06", "108.10", INFY)
    assert stage.broker.net(INFY.key) == 50
    stuck = stage.engine
    assert stuck is not None
    standby = Engine(stage.deps(holder="b"), standby=True)
    task = asyncio.create_task(standby.run())
    await stage.settle(1.0)
    stick(stage)

    await stage.at("15:10:00", 8.0)
    await stage.at("15:12:29", 8.0)
    assert standby.session is None
    await stage.at("15:12:40", 12.0)
    await stage.settle(12.0)

    assert standby.session is not None
    assert stuck.session is None
    assert stage.broker.net(INFY.key) == 0
    assert [purpose for purpose, _, _ in stage.sent()] == ["ENTRY", "SQUARE_OFF"]
    assert "SQUARE_OFF_STUCK" in stage.alarm_codes()
    await stage.settle(30.0)
    assert standby.session is not None, "the engine must not take the lease back from the standby"
    task.cancel()


async def test_without_a_standby_the_engine_takes_its_lease_again_and_squares_off_itself(stage: Stage) -> None:
    stage.plan(INFY, quantity=50)
    await trading(stage)
    await stage.tick("09:15:05", "108.00", INFY)
    await stage.tick("09:15:06", "108.10", INFY)
    stick(stage)

    await stage.at("15:10:00", 1.0)
    await stage.at("15:12:40", 30.0)

    assert stage.broker.net(INFY.key) == 0
    assert stage.session.tools.right.epoch == 2


async def test_a_square_off_that_gets_on_keeps_the_lease(stage: Stage) -> None:
    stage.plan(INFY, quantity=50)
    await trading(stage)
    await stage.tick("09:15:05", "108.00", INFY)
    await stage.tick("09:15:06", "108.10", INFY)
    stage.broker.script.append("rest")
    await stage.at("15:10:00", 1.0)
    assert stage.broker.live()

    await stage.at("15:12:40", 40.0)

    assert stage.session.tools.right.epoch == 1
