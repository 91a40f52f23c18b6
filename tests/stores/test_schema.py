"""Nobody gets the lease of a database whose migrations are not exactly this build's."""

import pytest
from django.db.migrations.recorder import MigrationRecorder

from tests.stores.steps import SHARD
from tests.stores.worlds import DjangoWorld
from trading.domain.errors import ConfigurationError


def change(world: DjangoWorld, **row: str) -> object:
    Migration = MigrationRecorder.Migration
    known = Migration.objects.filter(app="trading")
    if "add" in row:
        return Migration.objects.create(app="trading", name=row["add"])
    return known.filter(name=row["remove"]).delete()


@pytest.mark.proves("F69", "F64", "I16")
@pytest.mark.parametrize(
    ("row", "words"),
    [({"add": "0999_newer"}, "does not know .0999_newer"), ({"remove": "0001_initial"}, "lacks .*0001_initial")],
    ids=["newer", "older"],
)
async def test_the_lease_is_refused_with_words_that_say_what_to_do(
    django_world: DjangoWorld, row: dict[str, str], words: str
) -> None:
    await django_world.ask(lambda: change(django_world, **row))

    with pytest.raises(ConfigurationError, match=words):
        await django_world.leases.acquire(SHARD, "engine", seen=None)

    assert await django_world.leases.observe(SHARD) is None


async def test_the_lease_is_given_on_exactly_its_own_schema(django_world: DjangoWorld) -> None:
    assert await django_world.leases.acquire(SHARD, "engine#b1", seen=None) == 1
    view = await django_world.leases.observe(SHARD)
    assert view is not None
    assert view.build == "b1"


async def test_who_waits_is_kept_for_the_status_page_and_taken_away_again(django_world: DjangoWorld) -> None:
    from trading.clock.live import LiveClock
    from trading.models import Lease
    from trading.services.engine_status import engine_words
    from trading.stores.heartbeats import all_beats

    await django_world.leases.acquire(SHARD, "engine#b1", seen=None)
    await django_world.leases.announce("second#b1", "waits: main is held by engine#b1 with epoch 1")

    def words() -> tuple[str, str]:
        return engine_words(list(Lease.objects.all()), all_beats(), LiveClock().wall())

    kind, text = await django_world.ask(words)
    assert "second#b1 waits: main is held by engine#b1" in text
    assert (kind, "other code than the engine's runs in this page" in text) == ("warn", True)

    await django_world.leases.announce("second#b1", "")
    assert "waits" not in (await django_world.ask(words))[1]
