"""The budget of order calls: what the broker's own "too many" does to it, and the day's end of it."""

from decimal import Decimal

import pytest

from tests.engine.stage import GILLETTE, INFY, Stage
from tests.fakes.broker import REST, TOO_MANY
from tests.fakes.virtual_clock import let_run
from trading.domain.orders import IntentState
from trading.engine.rate import ENTRIES_PER_DAY, PER_SECOND, SLOW_FOR_S, RateBudget

KEY = GILLETTE.key
ENTRY = (("09:15:00", "108.00"), ("09:15:01", "108.10"))


def passed_within(budget: RateBudget, begin: float, seconds: float, *, is_entry: bool) -> int:
    """Count the calls that the budget lets pass from one moment on."""
    now, count = begin, 0
    while now < begin + seconds:
        wait = budget.wait_s(now, is_entry=is_entry)
        if wait == 0:
            budget.spend(now)
            count += 1
        now += wait or 0.001
    return count


@pytest.mark.proves("F15", "I13")
def test_after_too_many_calls_exits_go_at_half_the_speed_and_entries_wait() -> None:
    budget = RateBudget()
    budget.slow_down(100.0)

    assert budget.wait_s(100.0, is_entry=True) == SLOW_FOR_S
    assert passed_within(budget, 100.0, 1.0, is_entry=False) == 4
    assert budget.wait_s(100.0 + SLOW_FOR_S, is_entry=True) == 0.0
    assert passed_within(budget, 100.0 + SLOW_FOR_S, 1.0, is_entry=False) == 8


@pytest.mark.proves("F15", "I27")
def test_each_further_too_many_prolongs_the_slow_time() -> None:
    budget = RateBudget()
    budget.slow_down(100.0)
    budget.slow_down(120.0)

    assert budget.wait_s(131.0, is_entry=True) == 120.0 + SLOW_FOR_S - 131.0


@pytest.mark.proves("F15", "I27")
async def test_an_exit_that_was_one_call_too_many_is_tried_again_without_a_storm(stage: Stage) -> None:
    stage.client()
    stage.plan(GILLETTE, quantity=100)
    await stage.start()
    await stage.ticks(*ENTRY)
    stage.broker.script.extend([TOO_MANY] * 3)

    await stage.tick("09:15:02", "103.00")
    for second in range(3, 33):
        await stage.at(f"09:15:{second:02}", 1.0)

    assert [purpose for purpose, _, _ in stage.sent()] == ["ENTRY"] + ["STOP"] * 4
    assert stage.broker.net(KEY) == 0
    assert len(stage.events("SLOWED_DOWN")) == 3


@pytest.mark.proves("F15")
async def test_an_entry_that_would_follow_too_many_calls_waits(stage: Stage) -> None:
    stage.client()
    stage.plan(GILLETTE, quantity=100)
    stage.plan(INFY, quantity=50)
    await stage.start()
    await stage.ticks(*ENTRY)
    stage.broker.script.append(TOO_MANY)
    await stage.tick("09:15:02", "103.00")
    await stage.tick("09:15:02", "108.00", INFY)

    await stage.tick("09:15:03", "108.10", INFY)
    await stage.at("09:15:05", 3.0)

    assert stage.broker.net(KEY) == 0, "the exit went on"
    assert stage.broker.net(INFY.key) == 0, "the entry waits"


@pytest.mark.proves("I13")
async def test_a_day_without_calls_left_enters_nothing_and_exits_still(stage: Stage) -> None:
    stage.client()
    stage.plan(GILLETTE, quantity=100)
    stage.plan(INFY, quantity=50)
    await stage.start()
    await stage.ticks(*ENTRY)
    stage.session.house.accounts["kite:AB1001"].desk.budget.today = ENTRIES_PER_DAY

    await stage.tick("09:15:02", "108.00", INFY)
    await stage.tick("09:15:03", "108.10", INFY)
    await stage.tick("09:15:04", Decimal("103.00"))

    assert stage.broker.net(INFY.key) == 0
    assert stage.broker.net(KEY) == 0
    denied = stage.events("ORDER_DENIED")
    assert [event.data["code"] for event in denied] == ["DAY_CALLS_SPENT"]
    assert IntentState.DENIED in [stored.state for stored in stage.store.intents.values()]


@pytest.mark.proves("F63", "I13")
async def test_the_calls_of_another_life_count_for_the_day(stage: Stage) -> None:
    stage.client()
    stage.plan(GILLETTE, quantity=100)
    await stage.start()
    await stage.ticks(*ENTRY, ("09:15:02", "103.00"))
    await stage.stop()

    await stage.start()

    assert stage.session.house.accounts["kite:AB1001"].desk.budget.today >= 2


@pytest.mark.proves("F15")
async def test_an_entry_that_could_only_leave_after_its_signal_is_too_old_is_denied_at_once_and_why(
    stage: Stage,
) -> None:
    stage.client()
    stage.plan(INFY, quantity=50)
    await stage.start()
    await stage.tick("09:15:02", "108.00", INFY)
    budget = stage.session.house.accounts["kite:AB1001"].desk.budget
    budget.slow_down(stage.clock.monotonic())

    await stage.tick("09:15:03", "108.10", INFY)

    (denied,) = stage.events("ORDER_DENIED")
    assert denied.data["code"] == "TOO_MANY_CALLS"
    assert "a signal holds 10 s" in denied.data["message"]
    assert stage.sent() == []


async def held_beside_a_level(stage: Stage) -> Stage:
    """Hold 100 of one instrument with another a tick below its entry, and every call of this second made."""
    stage.client()
    stage.plan(GILLETTE, quantity=100)
    stage.plan(INFY, quantity=100)
    await stage.start()
    await stage.ticks(*ENTRY)
    await stage.tick("09:15:02", "108.00", INFY)
    await stage.settle(2.0)
    return stage


def spend(stage: Stage, calls: int) -> None:
    budget = stage.session.house.accounts["kite:AB1001"].desk.budget
    for _ in range(calls):
        budget.spend(stage.clock.monotonic())


@pytest.mark.proves("I5")
async def test_an_exit_that_waits_for_the_next_call_leaves_before_the_entries_that_waited_longer(stage: Stage) -> None:
    await held_beside_a_level(stage)
    spend(stage, PER_SECOND)
    stage.clock.set_ist("09:15:03")

    stage.feed.put(stage.trade("108.10", INFY))
    await let_run()
    stage.feed.put(stage.trade("103.00", GILLETTE))
    await stage.settle(3.0)

    assert [purpose for purpose, _, _ in stage.sent()] == ["ENTRY", "STOP", "ENTRY"]


@pytest.mark.proves("I7")
async def test_a_cancel_that_waits_for_the_next_call_leaves_before_the_exits(stage: Stage) -> None:
    await held_beside_a_level(stage)
    stage.broker.script.append(REST)
    await stage.tick("09:15:03", "108.10", INFY)
    cancelled_before: list[int] = []
    stage.broker.before_place = lambda intent: cancelled_before.append(len(stage.broker.cancelled))
    await stage.settle(2.0)
    spend(stage, 1)
    await stage.settle(0.4)
    spend(stage, PER_SECOND - 1)  # so that one call alone is free again first

    stage.store.press_kill(1)
    await stage.settle(3.0)

    assert stage.sent()[2:] == [("KILL", "SELL", 100)]
    assert cancelled_before == [1]
