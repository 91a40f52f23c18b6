"""Orders that stay OPEN PENDING for hours because the broker's link to the exchange is down (F27)."""

import pytest

from tests.engine.stage import GILLETTE, Stage
from tests.fakes.broker import FILL, REJECT, REST

pytestmark = pytest.mark.proves("F27", "I3", "I6")

KEY = GILLETTE.key
ENTRY = (("09:15:00", "108.00"), ("09:15:01", "108.10"))


async def frozen(stage: Stage, *outcomes: str) -> None:
    """Cross the entry at a broker that takes cancels and refuses changes, and nothing comes of either."""
    stage.client().script.extend(outcomes)
    stage.broker.change_script.extend([REJECT] * 1000)

    async def taken(order_id: str) -> None:
        stage.broker.cancelled.append(order_id)

    stage.broker.cancel = taken  # type: ignore[method-assign]
    stage.plan(GILLETTE, quantity=100)
    await stage.start()
    await stage.ticks(*ENTRY)


async def until_the_square_off(stage: Stage) -> None:
    """Let the day pass, with prices on both sides of every level, to a minute after everything must be flat."""
    for hour in range(10, 15):
        await stage.tick(f"{hour}:00:00", "102.00")
        await stage.tick(f"{hour}:00:30", "108.30")
        await stage.settle(30.0)
    for moment in ("15:10:00", "15:15:00", "15:16:00"):
        await stage.at(moment, 5.0)


async def test_an_entry_that_hangs_is_hedged_by_nothing_and_closed_when_it_fills_in_the_evening(stage: Stage) -> None:
    await frozen(stage, REST)

    await until_the_square_off(stage)

    assert stage.sent() == [("ENTRY", "BUY", 100)]
    assert stage.alarm_codes() == ["CANCEL_FAILED", "NOT_FLAT"]
    stage.broker.fill("AB1001-1")
    await stage.settle(20.0)
    await stage.at("15:17:00", 20.0)
    assert stage.sent()[1:] == [("SQUARE_OFF", "SELL", 100)]
    assert stage.broker.net(KEY) == 0


async def test_beside_an_exit_that_hangs_no_second_one_leaves_and_a_person_is_told_what_is_open(stage: Stage) -> None:
    await frozen(stage, FILL, REST)
    await stage.tick("09:15:02", "103.00")

    await until_the_square_off(stage)

    assert stage.sent() == [("ENTRY", "BUY", 100), ("STOP", "SELL", 100)]
    told = [text for _, code, text in stage.store.alarms if code in ("EXIT_NOT_FILLED", "NOT_FLAT")]
    assert len(told) == 2
    assert all("100 NSE:GILLETTE" in text for text in told)
    stage.broker.fill("AB1001-2")
    await stage.settle(20.0)
    assert len(stage.sent()) == 2
    assert stage.broker.net(KEY) == 0
