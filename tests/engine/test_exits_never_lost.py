"""An exit survives whatever fails around it, and is never more than what is open."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from tests.engine.stage import GILLETTE, Stage
from tests.fakes.broker import REST
from trading.domain.errors import BrokerRejected
from trading.domain.orders import IntentState, Side

KEY = GILLETTE.key
ENTRY = (("09:15:00", "108.00"), ("09:15:01", "108.10"))


async def holding(stage: Stage, quantity: int = 100, **policy: Any) -> Stage:
    """Start and enter one instrument."""
    stage.client(**policy)
    stage.plan(GILLETTE, quantity=quantity)
    await stage.start()
    await stage.ticks(*ENTRY)
    return stage


@pytest.mark.proves("I2", "I19")
async def test_an_exit_whose_commit_fails_in_an_unheard_of_way_is_tried_again_with_an_alarm(stage: Stage) -> None:
    await holding(stage)
    real, failures = stage.store.create_intent, [RuntimeError("disk"), RuntimeError("disk")]

    async def failing(*args: Any, **kwargs: Any) -> bool:
        if failures:
            raise failures.pop()
        return await real(*args, **kwargs)

    stage.store.create_intent = failing  # type: ignore[method-assign]
    await stage.tick("09:15:02", "103.00")
    await stage.settle(5.0)

    assert stage.sent()[1:] == [("STOP", "SELL", 100)]
    assert len(stage.alarm_codes()) == 1


async def test_an_event_that_cannot_be_written_keeps_no_exit_back(stage: Stage) -> None:
    await holding(stage)
    real = stage.store.append_events

    async def picky(events: Any) -> None:
        if any(event.kind == "STOP" for event in events):
            raise ValueError("Out of range float values are not JSON compliant")
        await real(events)

    stage.store.append_events = picky  # type: ignore[method-assign]
    await stage.tick("09:15:02", "103.00")
    await stage.settle(1.0)

    assert stage.sent()[1:] == [("STOP", "SELL", 100)]
    assert "EVENT_LOST" in stage.alarm_codes()
    assert stage.events("INTENT", "GATE", "FILL")[-1].kind == "FILL"


@pytest.mark.proves("F40", "I4")
async def test_an_exit_that_waited_for_the_database_is_judged_again_before_it_leaves(stage: Stage) -> None:
    await holding(stage)
    stage.store.is_available = False
    await stage.tick("09:15:02", "103.00")
    stage.broker.trade_by_hand(KEY, Side.SELL, 100)
    await stage.settle(31.0)

    stage.store.is_available = True
    await stage.settle(40.0)

    assert stage.sent() == [("ENTRY", "BUY", 100)]
    assert stage.broker.net(KEY) == 0


@pytest.mark.proves("F30", "F40", "I4")
async def test_an_exit_that_waited_for_its_claim_is_judged_again_before_it_leaves(stage: Stage) -> None:
    await holding(stage)
    real = stage.store.claim

    async def slow(*args: Any, **kwargs: Any) -> Any:
        stage.broker.trade_by_hand(KEY, Side.SELL, 100)
        await stage.session.house.accounts["kite:AB1001"].desk.read_trades()
        await stage.clock.sleep(1.5)
        return await real(*args, **kwargs)

    stage.store.claim = slow  # type: ignore[method-assign]
    await stage.tick("09:15:02", "103.00")
    await stage.settle(10.0)

    assert stage.sent() == [("ENTRY", "BUY", 100)]
    assert stage.broker.net(KEY) == 0
    assert "EXIT_FAILED" not in stage.alarm_codes()


@pytest.mark.proves("F14", "I1")
async def test_an_order_that_was_heard_of_before_its_refusal_is_believed(stage: Stage) -> None:
    """The book is the truth: an error answer for an order that stands in it is no refusal."""
    await holding(stage)
    real = stage.broker.place

    async def lies(intent: Any) -> str:
        await real(intent)
        await asyncio.sleep(0)
        await stage.session.house.accounts["kite:AB1001"].desk.read_orders()
        raise BrokerRejected("Insufficient funds.", status=400)

    stage.broker.place = lies  # type: ignore[method-assign]
    stage.broker.script.append(REST)
    await stage.tick("09:15:02", "103.00")
    await stage.settle(1.0)

    assert [stored.state for stored in stage.store.intents.values()][-1] is IntentState.ADOPTED
    assert len(stage.broker.live()) == 1
    assert stage.sent()[1:] == [("STOP", "SELL", 100)]


@pytest.mark.proves("I1", "I18")
async def test_a_second_order_under_our_tag_is_told_and_counts_as_somebody_elses(stage: Stage) -> None:
    await holding(stage)
    stage.broker.tell(replace(stage.broker.book["AB1001-1"], order_id="AB1001-9"))
    await stage.settle(0.5)

    assert "DUPLICATE_ORDER" in stage.alarm_codes()
    await stage.tick("09:15:02", "103.00")
    assert stage.sent()[1:] == [("STOP", "SELL", 100)]


@pytest.mark.proves("F54", "I18")
async def test_a_task_that_fails_is_told_to_people(stage: Stage) -> None:
    await holding(stage)

    async def poisoned() -> None:
        raise RuntimeError("poison")

    stage.session.tools.spawn(poisoned(), "poisoned task")
    await stage.settle(1.0)

    assert "ENGINE_TASK_FAILED" in stage.alarm_codes()


async def test_a_later_target_is_tried_again_after_an_earlier_one_was_given_up(stage: Stage) -> None:
    await holding(stage)
    stage.broker.script.extend(["reject"] * 5)
    await stage.tick("09:15:02", "108.60")
    for at in ("09:15:05", "09:15:10", "09:15:20", "09:15:30", "09:15:50"):
        await stage.at(at, 0.3)
    assert "EXIT_GIVEN_UP" in stage.alarm_codes()

    await stage.tick("09:16:00", "109.10")

    assert stage.sent()[-1] == ("TARGET", "SELL", 20)
