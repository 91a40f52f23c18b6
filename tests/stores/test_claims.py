"""The contract of every store (in memory, SQLite, PostgreSQL): what may be sent, decided under the locks."""

from tests.factories import entry_intent, exit_intent
from tests.stores.steps import SHARD, claim, create, create_and_claim, hold_lease, stored
from tests.stores.worlds import ALICE, CHARLIE, World
from trading.domain.control import TradingState
from trading.domain.orders import IntentState, Purpose
from trading.ports import Claim


async def test_a_claim_sets_sending_and_keeps_the_verdicts(world: World) -> None:
    await hold_lease(world)

    assert await create_and_claim(world, entry_intent()) == Claim()

    assert (await stored(world, entry_intent())).state is IntentState.SENDING
    assert await world.gate(entry_intent().tag) == [{"rule": "clock", "passed": True}]


async def test_an_intent_can_be_claimed_once(world: World) -> None:
    await hold_lease(world)
    await create_and_claim(world, entry_intent())

    again = await claim(world, entry_intent())
    assert (again.denied, again.state) == ("NOT_NEW", IntentState.SENDING)
    assert (await stored(world, entry_intent())).state is IntentState.SENDING


async def test_a_holder_whose_epoch_is_over_sends_nothing(world: World) -> None:
    await hold_lease(world)
    await create(world, entry_intent())
    assert await world.leases.acquire(SHARD, "standby", seen=await world.leases.observe(SHARD)) == 2

    assert (await claim(world, entry_intent(), epoch=1)).denied == "LEASE_LOST"

    assert (await stored(world, entry_intent())).state is IntentState.NEW
    assert (await claim(world, entry_intent(), epoch=2)) == Claim()


async def test_nothing_is_claimed_under_a_lease_that_was_given_back_or_never_taken(world: World) -> None:
    await create(world, entry_intent())
    assert (await claim(world, entry_intent())).denied == "LEASE_LOST"
    await hold_lease(world)
    await world.leases.release(SHARD, 1)

    assert (await claim(world, entry_intent())).denied == "LEASE_LOST"


async def test_after_a_kill_entries_are_denied_and_exits_pass(world: World) -> None:
    await hold_lease(world)
    await create(world, entry_intent())
    await world.kill(world.alice)

    assert (await claim(world, entry_intent())).denied == "KILL_SWITCH"

    assert (await stored(world, entry_intent())).state is IntentState.DENIED
    assert await create_and_claim(world, exit_intent(purpose=Purpose.KILL)) == Claim()
    assert await create_and_claim(world, entry_intent(CHARLIE)) == Claim()


async def test_a_kill_of_the_house_denies_everybodys_entries(world: World) -> None:
    await hold_lease(world)
    await world.kill(None)

    assert (await create_and_claim(world, entry_intent())).denied == "KILL_SWITCH"
    assert (await create_and_claim(world, entry_intent(CHARLIE))).denied == "KILL_SWITCH"
    assert await create_and_claim(world, exit_intent()) == Claim()


async def test_an_exit_passes_in_halted_too_for_a_fill_that_comes_after_all(world: World) -> None:
    await hold_lease(world)
    await world.store.lower_state(world.alice, TradingState.HALTED, "flat")

    assert (await create_and_claim(world, entry_intent())).denied == "KILL_SWITCH"
    assert await create_and_claim(world, exit_intent()) == Claim()


async def test_a_disabled_account_is_denied_entries_but_not_exits(world: World) -> None:
    await hold_lease(world)
    await world.disable(ALICE)

    assert (await create_and_claim(world, entry_intent())).denied == "ACCOUNT_DISABLED"
    assert await create_and_claim(world, exit_intent()) == Claim()
