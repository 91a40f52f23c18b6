"""The engine's alarms go round a database that does not take them, and never keep the engine waiting."""

import asyncio
from datetime import datetime

import pytest

from tests.engine.stage import Stage


class FakePost:
    """Remembers what was stored and what went round the database."""

    def __init__(self) -> None:
        self.stored_count = 0
        self.direct: list[tuple[int | None, str, str, datetime]] = []

    def stored(self) -> None:
        self.stored_count += 1

    def directly(self, client_id: int | None, code: str, text: str, at: datetime) -> None:
        self.direct.append((client_id, code, text, at))

    @property
    def codes(self) -> list[str]:
        """Give the codes of what went round the database."""
        return [code for _, code, _, _ in self.direct]


async def on_stage(stage: Stage) -> FakePost:
    """Bring an engine up with a post of its own."""
    post = FakePost()
    stage.client()
    stage.plan()
    await stage.start(alarm_post=post)
    return post


async def test_an_alarm_that_is_stored_is_sent_at_once_and_by_the_database_alone(stage: Stage) -> None:
    post = await on_stage(stage)

    stage.session.tools.alarm(1, "NOT_FLAT", "25 NSE:INFY are open")
    await stage.settle()

    assert (post.stored_count, post.direct) == (1, [])
    assert stage.alarm_codes() == ["NOT_FLAT"]


@pytest.mark.proves("I18")
async def test_an_alarm_goes_round_a_database_that_is_away(stage: Stage) -> None:
    post = await on_stage(stage)
    stage.store.is_available = False

    stage.session.tools.alarm(1, "NOT_FLAT", "25 NSE:INFY are open")
    await stage.settle()

    at = stage.clock.now()
    assert post.direct == [(1, "NOT_FLAT", "25 NSE:INFY are open", at)]


@pytest.mark.proves("I18", "F40")
async def test_an_alarm_goes_round_a_database_that_does_not_answer_within_two_seconds(stage: Stage) -> None:
    post = await on_stage(stage)

    async def hangs(*_: object) -> None:
        await asyncio.Event().wait()

    stage.store.raise_alarm = hangs  # type: ignore[method-assign, assignment]
    stage.session.tools.alarm(1, "NOT_FLAT", "25 NSE:INFY are open")
    await stage.settle(1.9)
    assert post.direct == []

    await stage.settle(0.2)
    assert [code for _, code, _, _ in post.direct] == ["NOT_FLAT"]


async def test_an_alarm_whose_row_cannot_be_written_is_told_all_the_same(stage: Stage) -> None:
    post = await on_stage(stage)

    async def breaks(*_: object) -> None:
        raise ValueError("no such column")

    stage.store.raise_alarm = breaks  # type: ignore[method-assign, assignment]
    stage.session.tools.alarm(1, "NOT_FLAT", "25 NSE:INFY are open")
    await stage.settle()

    assert [code for _, code, _, _ in post.direct] == ["NOT_FLAT"]


@pytest.mark.proves("I18")
async def test_an_alarm_of_the_turn_in_which_a_session_ends_is_kept_and_told(stage: Stage) -> None:
    post = await on_stage(stage)
    session = stage.session

    session.tools.alarm(1, "NOT_FLAT", "25 NSE:INFY are open")
    await session.stop()

    assert (post.stored_count, post.direct) == (1, [])
    assert stage.alarm_codes() == ["NOT_FLAT"]
    assert [event.data["code"] for event in stage.store.events if event.kind == "ALARM"] == ["NOT_FLAT"]


@pytest.mark.proves("I18", "F40")
async def test_an_alarm_goes_round_a_database_that_does_not_answer_before_the_session_ends(stage: Stage) -> None:
    post = await on_stage(stage)
    session = stage.session

    async def hangs(*_: object) -> None:
        await asyncio.Event().wait()

    stage.store.raise_alarm = hangs  # type: ignore[method-assign, assignment]
    session.tools.alarm(1, "NOT_FLAT", "25 NSE:INFY are open")
    stopping = asyncio.create_task(session.stop())
    await stage.settle(1.0)

    assert stopping.done()
    assert post.codes == ["NOT_FLAT"]
