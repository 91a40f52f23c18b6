"""The database thread: what has gathered is one transaction, and nobody pays for a neighbour's mistake."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from tests.databases import in_thread_of_its_own
from tests.factories import DAY
from tests.fakes.clock import FakeClock
from tests.postgres import PostgresServer
from tests.stores.worlds import DjangoWorld
from trading.domain.control import CommandKind
from trading.domain.errors import StoreUnavailable
from trading.models import Client, EventChain, House, Lease
from trading.stores.locks import CONTROL, chain_lock, chain_name, lease_lock, take
from trading.stores.thread import DatabaseThread


def make_lease(shard: str) -> Callable[[], str]:
    def work() -> str:
        Lease.objects.create(shard=shard)
        return shard

    return work


def make_rows_to_lock(client_id: int) -> None:
    EventChain.objects.create(name=chain_name(client_id))
    EventChain.objects.create(name=chain_name(None))
    House.objects.create()


async def behind_a_closed_door(thread: DatabaseThread, *works: Callable[[], object]) -> list[object]:
    """Hold the thread until all of these stand in its queue, so that they make one group."""
    door = threading.Event()
    first = asyncio.ensure_future(thread.run(door.wait))
    await asyncio.sleep(0.05)
    rest = [asyncio.ensure_future(thread.run(work)) for work in works]
    await asyncio.sleep(0)
    door.set()
    await first
    return await asyncio.gather(*rest, return_exceptions=True)


async def test_what_has_gathered_is_committed_in_one_transaction(django_world: DjangoWorld) -> None:
    def leases_seen_by_others() -> int:
        with ThreadPoolExecutor(1) as others:
            return others.submit(in_thread_of_its_own(Lease.objects.count)).result()

    _, seen, _ = await behind_a_closed_door(
        django_world.thread, make_lease("a"), leases_seen_by_others, make_lease("b")
    )

    assert seen == 0
    assert await django_world.ask(leases_seen_by_others) == 2


@pytest.mark.proves("F54")
async def test_a_failing_piece_fails_alone(django_world: DjangoWorld) -> None:
    def broken() -> None:
        Lease.objects.create(shard="half")
        raise ValueError("my own mistake")

    one, two, three, four = await behind_a_closed_door(
        django_world.thread, make_lease("a"), broken, make_lease("a"), make_lease("b")
    )

    assert (one, four) == ("a", "b")
    assert isinstance(two, ValueError)
    assert type(three).__name__ == "IntegrityError"
    shards = await django_world.ask(lambda: sorted(Lease.objects.values_list("shard", flat=True)))
    assert shards == ["a", "b"]


async def test_a_piece_that_breaks_the_commit_itself_fails_alone(django_world: DjangoWorld) -> None:
    def dangling() -> None:  # foreign keys are checked at the commit
        Client.objects.create(user_id=999_999)

    one, two, three = await behind_a_closed_door(django_world.thread, make_lease("a"), dangling, make_lease("b"))

    assert (one, three) == ("a", "b")
    assert type(two).__name__ == "IntegrityError"
    assert await django_world.ask(lambda: Lease.objects.count()) == 2


@pytest.mark.proves("F40")
async def test_reading_does_not_wait_for_somebody_elses_transaction(django_world: DjangoWorld) -> None:
    other, door, inside = DatabaseThread("other"), threading.Event(), threading.Event()

    def hold() -> None:
        Lease.objects.create(shard="held")
        inside.set()
        door.wait(60)

    holding = asyncio.ensure_future(other.run(hold))
    await asyncio.to_thread(inside.wait, 60)

    assert await asyncio.wait_for(django_world.leases.observe("held"), 30) is None
    assert (await asyncio.wait_for(django_world.store.control(), 30)).commands == ()

    door.set()
    await holding
    other.close()


@pytest.mark.proves("I2")
async def test_an_answer_is_given_only_after_the_commit(django_world: DjangoWorld) -> None:
    await django_world.thread.run(make_lease("seen"))

    assert await django_world.ask(lambda: Lease.objects.filter(shard="seen").exists())


async def test_a_caller_that_gave_up_before_its_turn_changes_nothing(django_world: DjangoWorld) -> None:
    door = threading.Event()
    first = asyncio.ensure_future(django_world.thread.run(door.wait))
    await asyncio.sleep(0.05)
    given_up = asyncio.ensure_future(django_world.thread.run(make_lease("late")))
    await asyncio.sleep(0.01)

    given_up.cancel()
    await asyncio.gather(given_up, return_exceptions=True)
    door.set()
    await first
    await django_world.thread.run(lambda: None)

    assert not await django_world.ask(lambda: Lease.objects.exists())


async def test_closing_finishes_what_was_asked(django_world: DjangoWorld) -> None:
    thread = DatabaseThread("closing")
    asked = [asyncio.ensure_future(thread.run(make_lease(str(number)))) for number in range(20)]
    await asyncio.sleep(0)

    await asyncio.to_thread(thread.close)

    assert await asyncio.gather(*asked) == [str(number) for number in range(20)]


async def test_writers_that_take_their_locks_in_the_wrong_order_still_all_succeed(django_world: DjangoWorld) -> None:
    """Two threads lock two rows crosswise without the canonical order; PostgreSQL ends one, which is done again."""
    other = DatabaseThread("other")
    await django_world.thread.run(make_lease("a"))
    await django_world.thread.run(make_lease("b"))

    def bump(first: str, second: str) -> Callable[[], None]:
        def work() -> None:
            for shard in (first, second):
                Lease.objects.filter(shard=shard).update(counter=F("counter") + 1)

        return work

    asked = []
    for _ in range(50):
        asked += [django_world.thread.run(bump("a", "b")), django_world.thread.run(bump("b", "a"))]
        asked += [other.run(bump("b", "a")), other.run(bump("a", "b"))]
    outcomes = await asyncio.gather(*asked, return_exceptions=True)
    other.close()

    done = outcomes.count(None)
    counters = await django_world.ask(lambda: list(Lease.objects.values_list("counter", flat=True)))
    assert counters == [1 + done] * 2, "a piece that was answered with success was lost or done twice"
    assert all(outcome is None or isinstance(outcome, StoreUnavailable) for outcome in outcomes)
    assert done > 150


@pytest.mark.django_db
def test_rows_are_locked_in_one_order_however_they_are_named() -> None:
    wanted = [chain_lock(7), CONTROL, chain_lock(None), lease_lock("main"), chain_lock(7), CONTROL]
    make_rows_to_lock(7)

    with CaptureQueriesContext(connection) as queries, transaction.atomic():
        take(wanted)

    asked = [query["sql"] for query in queries if query["sql"].startswith("SELECT")]
    tables = ["trading_lease", "trading_house", "trading_eventchain", "trading_eventchain"]
    assert [table for sql, table in zip(asked, tables, strict=True) if f'FROM "{table}"' in sql] == tables
    assert "client:7" in asked[2]
    assert "house" in asked[3]


@pytest.mark.postgres
async def test_people_can_be_referred_to_while_their_control_row_is_locked(
    postgres_database: PostgresServer, clock: FakeClock
) -> None:
    """An insert that points at a client takes a key-share lock, which the control lock must not block."""
    django_world = DjangoWorld(clock)
    await django_world.people_the_house()
    door, inside = threading.Event(), threading.Event()

    def hold() -> None:
        Client.objects.select_for_update(no_key=True).get(pk=django_world.alice)
        inside.set()
        door.wait(60)

    holding = asyncio.ensure_future(django_world.thread.run(hold))
    await asyncio.to_thread(inside.wait, 60)
    await asyncio.wait_for(django_world.command(CommandKind.RELOAD, django_world.alice, {}, DAY), 30)
    door.set()
    await holding
    django_world.close()


@pytest.mark.proves("F41")
@pytest.mark.postgres
async def test_a_database_that_went_away_is_said_so_and_used_again_when_it_is_back(
    postgres_database: PostgresServer, clock: FakeClock
) -> None:
    world = DjangoWorld(clock)
    await world.people_the_house()
    await world.store.control()
    try:
        await asyncio.to_thread(postgres_database.pause)
        with pytest.raises(StoreUnavailable):
            await world.store.control()
        with pytest.raises(StoreUnavailable):
            await world.leases.renew("main", 1)
    finally:
        await asyncio.to_thread(postgres_database.resume)

    view = await world.store.control()
    world.close()

    assert set(view.states) == {world.alice, world.charlie}
