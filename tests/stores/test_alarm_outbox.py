"""Alarms in real databases: two processes that raise or send the same one at the same moment."""

import asyncio
import threading
from collections.abc import Callable

import pytest

from tests.factories import make_operator
from tests.stores.worlds import DjangoWorld
from trading.models import Alarm, AlarmDelivery, Channel
from trading.stores import alarms, heartbeats

AT_ONCE = 4


async def at_once(world: DjangoWorld, work: Callable[[], object]) -> list[object]:
    """Do the same on several threads, each with a connection of its own, as nearly at once as can be."""
    gate = threading.Barrier(AT_ONCE)

    def begin() -> object:
        gate.wait()
        return work()

    return list(await asyncio.gather(*(world.ask(begin) for _ in range(AT_ONCE))))


@pytest.mark.proves("I18")
async def test_one_cause_raised_by_several_processes_at_once_is_one_alarm(django_world: DjangoWorld) -> None:
    world, client = django_world, django_world.alice
    await world.ask(make_operator)

    def raise_() -> None:
        alarms.record(client, "NOT_FLAT", "25 open", at=world.clock.now(), wall=world.clock.wall())

    await at_once(world, raise_)

    assert await world.ask(lambda: [(a.count, a.deliveries.count()) for a in Alarm.objects.all()]) == [(AT_ONCE, 4)]


@pytest.mark.proves("I18")
async def test_a_message_is_claimed_once_however_many_senders_see_it(django_world: DjangoWorld) -> None:
    world = django_world
    await world.ask(make_operator)
    await world.store.raise_alarm(world.alice, "NOT_FLAT", "25 open")
    due = await world.ask(lambda: alarms.due(world.clock.wall(), channels=[Channel.MAIL]))

    claimed = await at_once(world, lambda: [alarms.claim(row, world.clock.wall()) for row in due])

    assert [sum(one[at] for one in claimed) for at in range(2)] == [1, 1]  # type: ignore[index]


@pytest.mark.proves("I18")
async def test_a_repeat_during_a_delivery_is_not_lost(django_world: DjangoWorld) -> None:
    world = django_world
    await world.ask(make_operator)
    await world.store.raise_alarm(world.alice, "NOT_FLAT", "25 open")
    rows = await world.ask(lambda: alarms.due(world.clock.wall(), channels=[Channel.MAIL]))

    def deliver() -> None:
        for row in rows:
            alarms.sent(row.pk, 1, world.clock.wall())

    await asyncio.gather(
        world.ask(deliver), *(world.store.raise_alarm(world.alice, "NOT_FLAT", "25 open") for _ in range(5))
    )

    def told() -> set[tuple[str, int]]:
        return set(AlarmDelivery.objects.filter(channel="mail").values_list("state", "told_count"))

    assert await world.ask(told) == {("waiting", 1)}


async def test_several_processes_of_one_part_share_its_sign_of_life(django_world: DjangoWorld) -> None:
    world = django_world

    await at_once(world, lambda: heartbeats.beat("web", wall=world.clock.wall()))

    assert await world.ask(lambda: [row.counter for row in heartbeats.all_beats()]) == [AT_ONCE]
