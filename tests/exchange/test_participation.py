"""What a participant hears: each round that waits for it, and of those that it answered in advance the newest."""

import asyncio
from typing import Any

from trading.exchange.participants import Participants
from trading.exchange.participation import Outbox

PATIENCE_S = 30.0


def a_round(step: int) -> dict[str, Any]:
    return {"type": "round", "step": step, "epoch_ms": step * 1000}


async def told(outbox: Outbox, count: int) -> list[Any]:
    async with asyncio.timeout(PATIENCE_S):
        return [await outbox.next() for _ in range(count)]


async def test_of_rounds_answered_in_advance_only_the_newest_is_told() -> None:
    participants = Participants()
    beat = participants.join("beat", "beat", at=0.0)
    outbox = Outbox(beat)
    participants.done(beat, 1, 1, due_ms=9000, until_ms=9000)

    for step in range(2, 9):
        outbox.put(a_round(step))

    assert await told(outbox, 1) == [a_round(8)]


async def test_the_round_that_waits_is_told_at_once_and_nothing_older_after_it() -> None:
    participants = Participants()
    beat = participants.join("beat", "beat", at=0.0)
    outbox = Outbox(beat)
    participants.done(beat, 1, 1, due_ms=9000, until_ms=9000)

    for step in (7, 8, 9, 10):
        outbox.put(a_round(step))

    assert await told(outbox, 2) == [a_round(9), a_round(10)]


async def test_who_takes_an_advance_answer_back_hears_every_round_again() -> None:
    participants = Participants()
    standby = participants.join("standby", "engine", at=0.0)
    outbox = Outbox(standby)
    participants.done(standby, 1, 1, due_ms=None, until_ms=600_000)
    outbox.put(a_round(2))
    (heard,) = await told(outbox, 1)

    participants.busy(standby, heard["step"], 1)
    for step in (3, 4):
        outbox.put(a_round(step))

    assert await told(outbox, 2) == [a_round(3), a_round(4)]
    assert participants.waiting_for(4, 1, 4000) == [standby]
