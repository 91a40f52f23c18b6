"""The contract of every store (in memory, SQLite, PostgreSQL): who speaks for a shard."""

import pytest

from tests.stores.steps import SHARD, hold_lease
from tests.stores.worlds import World


async def test_a_lease_that_nobody_held_is_taken_by_the_first(world: World) -> None:
    assert await world.leases.observe(SHARD) is None

    assert await world.leases.acquire(SHARD, "first", seen=None) == 1
    assert await world.leases.acquire(SHARD, "second", seen=None) is None

    view = await world.leases.observe(SHARD)
    assert view is not None
    assert (view.epoch, view.holder) == (1, "first")


@pytest.mark.proves("F46", "I14")
async def test_a_lease_is_taken_over_only_as_it_was_seen(world: World) -> None:
    await hold_lease(world)
    seen = await world.leases.observe(SHARD)
    assert await world.leases.renew(SHARD, 1)

    assert await world.leases.acquire(SHARD, "standby", seen=seen) is None
    assert await world.leases.acquire(SHARD, "standby", seen=await world.leases.observe(SHARD)) == 2
    assert not await world.leases.renew(SHARD, 1)
    assert await world.leases.renew(SHARD, 2)


async def test_renewing_moves_the_counter(world: World) -> None:
    await hold_lease(world)
    before = await world.leases.observe(SHARD)

    await world.leases.renew(SHARD, 1)

    after = await world.leases.observe(SHARD)
    assert before is not None
    assert after is not None
    assert after.counter > before.counter


@pytest.mark.proves("F46", "I14")
async def test_a_released_lease_has_no_holder_and_cannot_be_renewed(world: World) -> None:
    await hold_lease(world)

    await world.leases.release(SHARD, 1)
    await world.leases.release(SHARD, 7)

    view = await world.leases.observe(SHARD)
    assert view is not None
    assert (view.epoch, view.holder) == (1, "")
    assert not await world.leases.renew(SHARD, 1)
    assert await world.leases.acquire(SHARD, "next", seen=view) == 2
