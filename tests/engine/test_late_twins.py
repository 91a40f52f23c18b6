"""An order that counted as absent turns up: seen within ten seconds, cancelled, its fills put right."""

from typing import Any

import pytest

from tests.engine.stage import GILLETTE, Stage
from tests.fakes.broker import LOST, LOST_RESTING, REST
from trading.domain.orders import IntentState, Side

KEY = GILLETTE.key
ENTRY = (("09:15:00", "108.00"), ("09:15:01", "108.10"))
WITHIN_S = 10.0


async def exit_thought_lost(stage: Stage, *outcomes: str) -> Stage:
    """Enter, lose the exit's answer behind a book that lags, and have it sent again."""
    broker = stage.client()
    broker.tells_updates = False
    broker.script.extend(["fill", *outcomes])
    stage.plan(GILLETTE, quantity=100)
    await stage.start()
    await stage.ticks(*ENTRY)
    await stage.settle(6.0)  # no message tells of the entry's fill, the poll does
    hidden: set[str] = set()
    real_orders, real_place = broker.orders, broker.place

    async def lagging() -> list[Any]:
        return [order for order in await real_orders() if order.order_id not in hidden]

    async def place(intent: Any) -> str:
        hidden.update({"AB1001-2"} if len(broker.placed) == 1 else ())
        return await real_place(intent)

    broker.orders, broker.place = lagging, place  # type: ignore[method-assign]
    await stage.tick("09:15:02", "103.00")
    await stage.settle(25.0)  # so that no look at the positions falls into the ten seconds after it
    assert [purpose for purpose, _, _ in stage.sent()] == ["ENTRY", "STOP", "STOP"], "the first was proved absent"
    stage.unhide = hidden.clear  # type: ignore[attr-defined]
    return stage


async def turns_up(stage: Stage) -> None:
    stage.unhide()  # type: ignore[attr-defined]
    await stage.settle(WITHIN_S)


@pytest.mark.proves("F17", "I4")
async def test_a_twin_that_rests_is_cancelled(stage: Stage) -> None:
    await exit_thought_lost(stage, LOST_RESTING, "fill")
    assert stage.broker.net(KEY) == 0

    await turns_up(stage)

    assert stage.broker.cancelled == ["AB1001-2"]
    assert stage.broker.net(KEY) == 0
    assert "LATE_ORDER" in stage.alarm_codes()


@pytest.mark.proves("F17", "I4")
async def test_a_twin_that_fills_after_the_second_exit_filled_is_put_right(stage: Stage) -> None:
    await exit_thought_lost(stage, LOST_RESTING, "fill")
    stage.broker.fill("AB1001-2")
    assert stage.broker.net(KEY) == -100

    await turns_up(stage)

    assert stage.sent()[-1] == ("MANUAL_EXIT", "BUY", 100)
    assert stage.broker.net(KEY) == 0
    assert {"LATE_ORDER", "STRAY_POSITION"} <= set(stage.alarm_codes())


@pytest.mark.proves("F17", "I4")
async def test_a_twin_that_fills_while_the_second_exit_rests_takes_that_one_back(stage: Stage) -> None:
    await exit_thought_lost(stage, LOST_RESTING, REST)
    stage.broker.fill("AB1001-2")

    await turns_up(stage)

    assert stage.broker.cancelled == ["AB1001-3"]
    assert stage.broker.net(KEY) == 0
    assert stage.broker.live() == []


@pytest.mark.proves("F17", "I4")
async def test_a_twin_that_fills_in_part_leaves_the_rest_to_a_third_exit(stage: Stage) -> None:
    await exit_thought_lost(stage, LOST_RESTING, REST)
    stage.broker.fill("AB1001-2", 60)

    await turns_up(stage)

    assert stage.sent()[-1] == ("STOP", "SELL", 40)
    assert stage.broker.net(KEY) == 0
    assert stage.broker.live() == []


@pytest.mark.proves("F17")
async def test_a_twin_is_still_looked_for_after_a_restart(stage: Stage) -> None:
    await exit_thought_lost(stage, LOST_RESTING, "fill")
    await stage.stop()
    assert stage.store.intents[stage.broker.placed[1].tag].state is IntentState.ABSENT
    await stage.start()
    await stage.settle(20.0)

    stage.broker.fill("AB1001-2")
    await turns_up(stage)

    assert stage.broker.net(KEY) == 0


@pytest.mark.proves("F17", "I4")
async def test_a_twin_of_a_line_that_nobody_decides_about_is_put_right_too(stage: Stage) -> None:
    await exit_thought_lost(stage, LOST_RESTING, "fill")
    stage.store.plans.clear()
    await stage.session.reload()
    stage.broker.fill("AB1001-2")

    await turns_up(stage)

    assert stage.broker.net(KEY) == 0
    assert "STRAY_POSITION" in stage.alarm_codes()


async def test_an_exit_is_taken_back_when_the_client_closes_the_position_by_hand(stage: Stage) -> None:
    stage.client().script.extend(["fill", REST])
    stage.plan(GILLETTE, quantity=100)
    await stage.start()
    await stage.ticks(*ENTRY)
    await stage.tick("09:15:02", "103.00")

    stage.broker.trade_by_hand(KEY, Side.SELL, 70)
    await stage.settle(8.0)

    assert stage.broker.cancelled == ["AB1001-2"]
    assert stage.sent()[-1] == ("STOP", "SELL", 30)
    assert stage.broker.net(KEY) == 0


async def test_a_lost_answer_of_a_filled_exit_is_no_twin(stage: Stage) -> None:
    stage.client().script.extend(["fill", LOST])
    stage.plan(GILLETTE, quantity=100)
    await stage.start()
    await stage.ticks(*ENTRY)

    await stage.tick("09:15:02", "103.00")
    await stage.settle(150.0)

    assert len(stage.broker.placed) == 2
    assert stage.alarm_codes() == []
