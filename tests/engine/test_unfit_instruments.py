"""An instrument of which the broker's list says something else now: nothing is entered, what is open is closed."""

from datetime import date

import pytest

from tests.engine.stage import DAY, GILLETTE, INFY, Stage
from trading.domain.control import CommandKind

WHY = "lot size was 1, the list says 10"
ENTRY = (("09:15:00", "108.00"), ("09:15:01", "108.10"))


async def list_comes(stage: Stage, unfit: dict[str, str], day: date = DAY) -> None:
    """The worker took a new list in and asks the engine to read the day again."""
    stage.store.unfit = unfit
    stage.store.add_command(CommandKind.RELOAD, None, day=day)
    await stage.settle(2.0)


@pytest.mark.proves("F06", "I19")
async def test_nothing_is_entered_in_a_changed_instrument_and_everything_in_the_others(stage: Stage) -> None:
    stage.client()
    stage.plan(GILLETTE)
    stage.plan(INFY)
    stage.store.unfit = {GILLETTE.key: WHY}
    await stage.start()

    await stage.ticks(*ENTRY)
    for at, price in (("09:15:02", "108.00"), ("09:15:03", "108.10")):
        await stage.tick(at, price, INFY)

    assert [intent.key.instrument for intent in stage.broker.placed] == [INFY.key]
    (denied,) = [
        event for event in stage.events("GATE") if event.data["verdicts"][-1].get("code") == "INSTRUMENT_UNFIT"
    ]
    assert denied.data["verdicts"][-1]["message"] == WHY
    (text,) = [text for _, code, text in stage.store.alarms if code == "INSTRUMENT_UNFIT"]
    assert text == f"{GILLETTE.key}: {WHY}. Nothing is entered there; what is open is closed as before."


@pytest.mark.proves("F06")
async def test_a_list_that_comes_at_noon_leaves_the_exit_of_what_is_open_as_it_was(stage: Stage) -> None:
    stage.client()
    stage.plan(GILLETTE)
    await stage.start()
    await stage.ticks(*ENTRY)
    assert stage.broker.net(GILLETTE.key) == 100

    await list_comes(stage, {GILLETTE.key: WHY})
    await stage.tick("09:15:20", "103.00")

    assert stage.broker.net(GILLETTE.key) == 0
    await stage.ticks(("09:15:30", "108.00"), ("09:15:31", "108.10"))
    assert [purpose for purpose, _, _ in stage.sent()] == ["ENTRY", "STOP"]


async def test_each_change_is_told_once_and_a_list_that_agrees_again_lets_it_enter(stage: Stage) -> None:
    stage.client()
    stage.plan(GILLETTE)
    await stage.start()
    await list_comes(stage, {GILLETTE.key: WHY})
    await list_comes(stage, {GILLETTE.key: WHY})
    assert stage.alarm_codes().count("INSTRUMENT_UNFIT") == 1

    await list_comes(stage, {})
    await stage.ticks(*ENTRY)

    assert stage.broker.net(GILLETTE.key) == 100
    assert [event.instrument for event in stage.events("INSTRUMENT_FIT")] == [GILLETTE.key]
