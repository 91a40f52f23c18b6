"""The control rows are asked for in full only when something was committed, and then always."""

from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from tests.factories import DAY, make_client
from tests.stores.worlds import DjangoWorld
from trading.domain.control import CommandKind, TradingState
from trading.models import Client
from trading.stores.control_reader import ControlReader

T = TypeVar("T")


class Undo(Exception):
    """Undoes a transaction."""


async def test_what_others_and_what_the_store_itself_commits_is_seen_at_the_next_question(
    django_world: DjangoWorld,
) -> None:
    world, store = django_world, django_world.store
    assert (await store.control()).states[world.alice] is TradingState.ACTIVE

    kill = await world.kill(world.alice)
    assert (await store.control()).states[world.alice] is TradingState.REDUCING
    await store.lower_state(world.alice, TradingState.HALTED, "flat")
    assert (await store.control()).states[world.alice] is TradingState.HALTED
    await store.finish_command(kill, {})
    assert (await store.control()).commands == ()
    square_off = await world.command(CommandKind.SQUARE_OFF, world.charlie, {}, DAY)
    assert [command.command_id for command in (await store.control()).commands] == [square_off]


async def test_while_nothing_is_committed_one_small_question_is_enough(django_world: DjangoWorld) -> None:
    def asked() -> tuple[int, int, bool]:
        reader = ControlReader()
        with CaptureQueriesContext(connection) as first:
            view = reader.read(DAY)
        with CaptureQueriesContext(connection) as second:
            again = reader.read(DAY)
        return len(first), len(second), again == view

    first, second, are_equal = await on_the_stores_thread(django_world, asked)

    assert first > second == 1
    assert are_equal


async def test_what_was_undone_is_never_remembered(django_world: DjangoWorld) -> None:
    alice = django_world.alice

    def undone() -> tuple[TradingState, TradingState]:
        reader = ControlReader()
        try:
            with transaction.atomic():
                Client.objects.filter(pk=alice).update(state=TradingState.HALTED)
                inside = reader.read(DAY).states[alice]
                raise Undo
        except Undo:
            return inside, reader.read(DAY).states[alice]

    assert await on_the_stores_thread(django_world, undone) == (TradingState.HALTED, TradingState.ACTIVE)


async def test_another_connection_is_asked_anew(django_world: DjangoWorld) -> None:
    reader = ControlReader()
    await on_the_stores_thread(django_world, lambda: reader.read(DAY))

    def later() -> bool:
        connection.close()
        make_client("dora")
        connection.close()
        return len(reader.read(DAY).states) == 3

    assert await on_the_stores_thread(django_world, later)


async def test_another_day_is_asked_anew(django_world: DjangoWorld) -> None:
    await django_world.command(CommandKind.SQUARE_OFF, django_world.alice, {}, DAY)
    reader = ControlReader()

    commands = await on_the_stores_thread(
        django_world, lambda: [len(reader.read(day).commands) for day in (DAY, DAY + timedelta(days=1), DAY)]
    )

    assert commands == [1, 0, 1]


async def on_the_stores_thread(world: DjangoWorld, work: Callable[[], T]) -> T:
    """Do work where the store does its own when nothing is written beside it: outside of any transaction."""
    return await world.thread.read(work)
