"""The contract of every store: an intent takes no step that is not in the table."""

from dataclasses import replace

import pytest

from tests.factories import entry_intent, exit_intent
from tests.stores.steps import SHARD, claim, create, create_and_claim, hold_lease, stored
from tests.stores.worlds import World
from trading.domain.errors import IllegalTransition
from trading.domain.orders import NEVER_SENT, NEXT_STATES, IntentState, OrderIntent

PATHS: dict[IntentState, tuple[IntentState, ...]] = {
    IntentState.NEW: (),
    IntentState.DENIED: (IntentState.DENIED,),
    IntentState.SENDING: (IntentState.SENDING,),
    IntentState.ACKED: (IntentState.SENDING, IntentState.ACKED),
    IntentState.REFUSED: (IntentState.SENDING, IntentState.REFUSED),
    IntentState.IN_DOUBT: (IntentState.SENDING, IntentState.IN_DOUBT),
    IntentState.ADOPTED: (IntentState.SENDING, IntentState.IN_DOUBT, IntentState.ADOPTED),
    IntentState.ABSENT: (IntentState.SENDING, IntentState.IN_DOUBT, IntentState.ABSENT),
}


async def brought_to(world: World, state: IntentState, position: int) -> OrderIntent:
    intent = entry_intent()
    intent = replace(intent, key=replace(intent.key, position=position))
    assert await create(world, intent)
    for step in PATHS[state]:
        if step is IntentState.SENDING:
            assert not (await claim(world, intent)).denied
        else:
            await world.store.resolve(intent.tag, step)
    return intent


@pytest.mark.proves("I12")
@pytest.mark.parametrize("present", list(IntentState))
async def test_a_store_takes_the_steps_of_the_table_and_no_other(world: World, present: IntentState) -> None:
    await hold_lease(world)
    for position, wanted in enumerate(IntentState, 1):
        intent = await brought_to(world, present, position)

        if wanted is present or wanted in NEXT_STATES[present]:
            await world.store.resolve(intent.tag, wanted)
            assert (await stored(world, intent)).state is wanted
        else:
            with pytest.raises(IllegalTransition):
                await world.store.resolve(intent.tag, wanted)
            assert (await stored(world, intent)).state is present
        if present is not IntentState.NEW:
            assert (await claim(world, intent)).denied == "NOT_NEW"


@pytest.mark.proves("I12")
async def test_what_never_left_ends_where_nothing_better_is_known_of_it(world: World) -> None:
    await hold_lease(world)
    for position, present in enumerate(IntentState, 1):
        intent = await brought_to(world, present, position)

        for _ in range(2):
            await world.store.never_sent(intent.tag, shard=SHARD, epoch=1, reason="the book was full")

        assert (await stored(world, intent)).state is NEVER_SENT.get(present, present)


@pytest.mark.proves("I1", "I14")
async def test_what_another_holder_claimed_is_not_said_to_have_never_left(world: World) -> None:
    await hold_lease(world)
    await create_and_claim(world, exit_intent())

    await world.store.never_sent(exit_intent().tag, shard=SHARD, epoch=2, reason="not by this one")
    await world.store.never_sent("NOSUCHTAG", shard=SHARD, epoch=1, reason="there is no row of it")

    assert (await stored(world, exit_intent())).state is IntentState.SENDING


@pytest.mark.proves("I2", "I5")
async def test_an_exit_that_never_left_makes_room_for_the_next(world: World) -> None:
    await hold_lease(world)
    await create_and_claim(world, exit_intent())

    await world.store.never_sent(exit_intent().tag, shard=SHARD, epoch=1, reason="the broker has it closed")

    assert await create(world, exit_intent(round=1))
