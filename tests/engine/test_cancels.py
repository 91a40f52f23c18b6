"""A cancel is asked for until the order is final: it is never lost, and never believed."""

from typing import Any

import pytest

from tests.engine.stage import GILLETTE, INFY, Stage
from tests.fakes.broker import REST
from trading.domain.errors import BrokerAuthError
from trading.domain.orders import IntentState

KEY = GILLETTE.key
ENTRY = (("09:15:00", "108.00"), ("09:15:01", "108.10"))


async def resting_entry(stage: Stage, outcome: str = REST, **policy: Any) -> Stage:
    """Start with one instrument whose entry rests."""
    stage.client(**policy).script.append(outcome)
    stage.plan(GILLETTE, quantity=100)
    await stage.start()
    await stage.ticks(*ENTRY)
    return stage


async def test_a_cancel_that_came_while_the_lease_could_not_be_renewed_is_sent_when_it_can(stage: Stage) -> None:
    await resting_entry(stage)
    stage.store.is_available = False
    await stage.settle(2.5)
    await stage.at("09:15:07")
    assert stage.broker.cancelled == []

    stage.store.is_available = True
    await stage.settle(10.0)

    assert stage.broker.live() == []


@pytest.mark.proves("F27", "F55", "I27")
async def test_a_cancel_that_fails_again_and_again_goes_on_with_one_alarm(stage: Stage) -> None:
    await resting_entry(stage)
    stage.broker.takes_cancels = False
    await stage.at("09:15:07")
    await stage.settle(120.0)
    assert stage.alarm_codes() == ["CANCEL_FAILED"]
    assert 8 <= len(stage.broker.cancelled) <= 20

    stage.broker.takes_cancels = True
    await stage.settle(20.0)

    assert stage.broker.live() == []


@pytest.mark.proves("F24")
async def test_a_cancel_that_was_taken_and_came_to_nothing_is_asked_for_again(stage: Stage) -> None:
    await resting_entry(stage)
    real, answers = stage.broker.cancel, []

    async def forgetful(order_id: str) -> None:
        answers.append(order_id)
        if len(answers) > 1:
            await real(order_id)

    stage.broker.cancel = forgetful  # type: ignore[method-assign]
    await stage.at("09:15:07")
    await stage.settle(5.0)

    assert len(answers) == 2
    assert stage.broker.live() == []


@pytest.mark.proves("F31")
async def test_a_cancel_that_finds_a_dead_session_asks_for_a_sign_in_and_goes_out_after_it(stage: Stage) -> None:
    await resting_entry(stage)
    stage.broker.has_session = False
    real = stage.broker.cancel

    async def needs_session(order_id: str) -> None:
        if not stage.broker.has_session:
            raise BrokerAuthError("Incorrect `api_key` or `access_token`.", status=403)
        await real(order_id)

    stage.broker.cancel = needs_session  # type: ignore[method-assign]
    await stage.at("09:15:07")
    assert "BROKER_SIGN_IN" in stage.alarm_codes()

    stage.broker.has_session = True
    await stage.settle(40.0)

    assert stage.broker.live() == []


@pytest.mark.proves("F66", "I7")
async def test_an_entry_on_its_way_at_the_press_is_cancelled_as_soon_as_it_is_acknowledged(stage: Stage) -> None:
    """Also where positions are left: nothing else would cancel it before its five seconds are over."""
    stage.client(squares_off_on_kill=False).script.append(REST)
    stage.plan(GILLETTE, quantity=100)
    real = stage.broker.place

    async def slow(intent: Any) -> str:
        stage.store.press_kill(1)
        await stage.clock.sleep(1.0)
        return await real(intent)

    stage.broker.place = slow  # type: ignore[method-assign]
    await stage.start()

    await stage.ticks(*ENTRY)
    await stage.settle(1.0)

    assert stage.broker.cancelled == ["AB1001-1"]


@pytest.mark.proves("F66", "I7")
async def test_a_kill_does_not_wait_for_an_entry_in_doubt_before_it_closes_what_is_open(stage: Stage) -> None:
    stage.client()
    stage.plan(GILLETTE, quantity=100)
    stage.plan(INFY, quantity=50)
    await stage.start()
    await stage.ticks(*ENTRY)
    stage.broker.script.append("dropped")
    await stage.tick("09:15:02", "108.00", INFY)
    await stage.tick("09:15:03", "108.10", INFY)
    assert IntentState.IN_DOUBT in [stored.state for stored in stage.store.intents.values()]

    stage.store.press_kill(1)
    await stage.settle(1.0)

    assert ("KILL", "SELL", 100) in stage.sent()
    assert stage.broker.net(KEY) == 0
