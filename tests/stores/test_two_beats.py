"""Two Beats, or one that is late and one that is not: the day's square-off of a client is one command (F50, F51)."""

import asyncio

import pytest

from tests.databases import in_thread_of_its_own
from tests.factories import DAY
from tests.fakes.clock import FakeClock
from tests.stores.worlds import DjangoWorld
from trading.domain.control import CommandKind
from trading.models import Client
from trading.services import control

BEATS = 8


@pytest.mark.proves("F50", "F51", "I1")
async def test_beats_that_ask_at_one_moment_and_again_when_it_is_done_ask_once(
    django_world: DjangoWorld, clock: FakeClock
) -> None:
    def ask() -> int:
        return control.request_square_off(Client.objects.get(pk=django_world.alice), DAY, clock=clock).pk

    async def all_beats() -> set[int]:
        return set(await asyncio.gather(*(asyncio.to_thread(in_thread_of_its_own(ask)) for _ in range(BEATS))))

    (command,) = await all_beats()
    assert [one.kind for one in (await django_world.store.control()).commands] == [CommandKind.SQUARE_OFF]
    await django_world.store.finish_command(command, {"flat": True})

    assert await all_beats() == {command}
    assert (await django_world.store.control()).commands == ()
    assert [kind for _, kind, _ in await django_world.events()] == ["COMMAND_GIVEN"]
