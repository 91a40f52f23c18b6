"""A ladder's state is saved by whoever may speak for the account, and again until it is."""

import asyncio
from typing import Any

import pytest

from tests.engine.stage import DAY, GILLETTE, Stage
from tests.engine.test_exits_never_lost import holding
from trading.domain.money import to_scaled

PLACE = (DAY, "kite:AB1001", GILLETTE.key)


def saved_stop(stage: Stage) -> int:
    stop: int = stage.store.ladders[PLACE].snapshot["ladder"]["position"]["stop"]
    return stop


@pytest.mark.proves("F46", "I25")
async def test_a_process_whose_lease_is_not_sure_puts_no_state_over_that_of_another(stage: Stage) -> None:
    await holding(stage)
    before, right = saved_stop(stage), stage.session.tools.right
    right.may_send = lambda: False  # type: ignore[method-assign]

    await stage.tick("09:16:00", "108.70")
    await stage.settle(5.0)

    stop = stage.session.house.runners[PLACE[1:]].ladder_stop()
    assert stop is not None
    assert to_scaled(stop) > before
    assert saved_stop(stage) == before


@pytest.mark.proves("F46", "I25")
async def test_a_state_that_could_not_be_saved_is_saved_as_soon_as_it_may_be(stage: Stage) -> None:
    await holding(stage)
    before, right = saved_stop(stage), stage.session.tools.right
    real = right.may_send
    right.may_send = lambda: False  # type: ignore[method-assign]
    await stage.tick("09:16:00", "108.70")
    await stage.settle(3.0)

    right.may_send = real  # type: ignore[method-assign]
    await stage.settle(6.0)

    assert saved_stop(stage) > before


@pytest.mark.proves("F40", "I25")
async def test_a_state_that_waits_for_its_events_is_not_saved_over_a_newer_one(stage: Stage) -> None:
    await holding(stage)
    real, may_write, waiting = stage.store.append_events, asyncio.Event(), [True]

    async def slow_at_first(events: Any) -> None:
        if waiting and waiting.pop():
            await may_write.wait()
        await real(events)

    stage.store.append_events = slow_at_first  # type: ignore[method-assign]
    await stage.tick("09:16:00", "108.70")
    await stage.tick("09:16:01", "109.70")
    newest = saved_stop(stage)

    may_write.set()
    await stage.settle(1.0)

    assert waiting == []
    assert saved_stop(stage) == newest
    stop = stage.session.house.runners[PLACE[1:]].ladder_stop()
    assert stop is not None
    assert to_scaled(stop) == newest
