"""The contract of every store: an intent takes no step that is not in the table."""

from dataclasses import replace

import pytest

from tests.factories import entry_intent
from tests.stores.steps import claim, create, hold_lease, stored
from tests.stores.worlds import World
from trading.domain.errors import IllegalTransition
from trading.domain.orders import NEXT_STATES, IntentState, OrderIntent

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
