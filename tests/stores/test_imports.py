"""The contract of every store: exits that went by the journal are taken in, safely again and again."""

from dataclasses import replace

import pytest

from tests.factories import TEN_O_CLOCK, exit_intent
from tests.stores.steps import SHARD, create, create_and_claim, hold_lease, order_of, stored
from tests.stores.worlds import World
from trading.domain.errors import ExitAlreadyLive
from trading.domain.exit_journal import JournaledExit
from trading.domain.orders import IntentState, OrderStatus, Purpose

EXIT = exit_intent()
VERDICTS = ({"check": "reduce_only", "ok": True, "facts": {}},)


def journaled(state: IntentState = IntentState.SENDING, **parts: object) -> JournaledExit:
    made = JournaledExit(EXIT, TEN_O_CLOCK, TEN_O_CLOCK, SHARD, 1, {"rule": "stop"}, VERDICTS, state)
    return replace(made, **parts)  # type: ignore[arg-type]


async def kinds(world: World) -> list[str]:
    return [kind for _, kind, _ in await world.events()]


@pytest.mark.proves("F41", "I2")
async def test_an_exit_that_the_database_never_heard_of_gets_its_row_and_its_events(world: World) -> None:
    assert await world.store.import_exit(journaled(IntentState.ACKED, order_id="1001"))

    assert (await stored(world, EXIT)).state is IntentState.ACKED
    assert (await stored(world, EXIT)).intent == EXIT
    assert await kinds(world) == ["GATE", "EXIT_IMPORTED"]
    gate = await world.gate(EXIT.tag)
    assert gate == [*VERDICTS, {"check": "claim", "ok": True, "facts": {"shard": SHARD, "epoch": 1, "journal": True}}]


@pytest.mark.proves("F41", "I10")
async def test_importing_again_changes_nothing(world: World) -> None:
    await world.store.import_exit(journaled(IntentState.ACKED))

    assert not await world.store.import_exit(journaled(IntentState.ACKED))
    assert not await world.store.import_exit(journaled(IntentState.SENDING))

    assert (await stored(world, EXIT)).state is IntentState.ACKED
    assert len(await world.events()) == 2


async def test_an_exit_in_flight_is_imported_as_sending_and_its_outcome_follows(world: World) -> None:
    await world.store.import_exit(journaled())
    assert (await stored(world, EXIT)).state is IntentState.SENDING

    await world.store.import_exit(journaled(IntentState.REFUSED, words="no funds"))

    assert (await stored(world, EXIT)).state is IntentState.REFUSED
    assert await kinds(world) == ["GATE", "EXIT_IMPORTED", "EXIT_IMPORTED"]


async def test_a_row_that_was_committed_before_the_outage_is_moved_on(world: World) -> None:
    await create(world, EXIT)

    assert await world.store.import_exit(journaled(IntentState.ADOPTED))

    assert (await stored(world, EXIT)).state is IntentState.ADOPTED


async def test_a_claim_that_was_never_answered_is_moved_on(world: World) -> None:
    await hold_lease(world)
    await create_and_claim(world, EXIT)

    assert await world.store.import_exit(journaled(IntentState.ACKED))

    assert (await stored(world, EXIT)).state is IntentState.ACKED


@pytest.mark.proves("I2", "I16")
async def test_what_was_written_ahead_counts_more_than_the_belief_that_it_never_left(world: World) -> None:
    await create(world, EXIT)
    await world.store.resolve(EXIT.tag, IntentState.DENIED, reason="never sent: the engine was restarted")

    assert await world.store.import_exit(journaled())

    assert (await stored(world, EXIT)).state is IntentState.SENDING


@pytest.mark.proves("F41", "I9", "I12")
@pytest.mark.parametrize("was", [IntentState.NEW, IntentState.DENIED, IntentState.IN_DOUBT])
async def test_a_row_whose_purpose_was_decided_anew_for_other_units_becomes_what_was_sent(
    world: World, was: IntentState
) -> None:
    await hold_lease(world)
    await (create_and_claim if was is IntentState.IN_DOUBT else create)(world, EXIT)
    if was is not IntentState.NEW:
        await world.store.resolve(EXIT.tag, was, reason="the engine died")
    fewer = replace(EXIT, quantity=EXIT.quantity - 1)

    await world.store.import_exit(replace(journaled(IntentState.ACKED), intent=fewer))

    assert (await stored(world, EXIT)).intent == fewer


async def test_a_row_whose_order_the_broker_has_shown_stays_what_it_was(world: World) -> None:
    await hold_lease(world)
    await create_and_claim(world, EXIT)
    await world.store.save_order(EXIT.key.account, order_of(EXIT, OrderStatus.OPEN, 0))

    fewer = replace(EXIT, quantity=EXIT.quantity - 1)
    await world.store.import_exit(replace(journaled(IntentState.ACKED), intent=fewer))

    assert (await stored(world, EXIT)).intent == EXIT
    assert (await stored(world, EXIT)).state is IntentState.ACKED


async def test_an_imported_exit_that_may_fill_keeps_the_slot_of_its_position(world: World) -> None:
    await world.store.import_exit(journaled(IntentState.ACKED))

    with pytest.raises(ExitAlreadyLive):
        await create(world, exit_intent(purpose=Purpose.KILL))

    await world.store.save_order(EXIT.key.account, order_of(EXIT, OrderStatus.COMPLETE, EXIT.quantity))
    assert await create(world, exit_intent(purpose=Purpose.KILL))


@pytest.mark.proves("F40", "I5")
async def test_an_exit_whose_end_was_stored_before_it_is_imported_keeps_no_later_exit_back(world: World) -> None:
    await create(world, EXIT)
    await world.store.save_order(EXIT.key.account, order_of(EXIT, OrderStatus.COMPLETE, EXIT.quantity))

    assert await world.store.import_exit(journaled(IntentState.ACKED))

    assert await create(world, exit_intent(purpose=Purpose.KILL))


async def test_an_exit_is_imported_beside_one_whose_end_was_not_stored_yet(world: World) -> None:
    await hold_lease(world)
    former = exit_intent(purpose=Purpose.TARGET)
    await create_and_claim(world, former)

    assert await world.store.import_exit(journaled(IntentState.ACKED))

    assert (await stored(world, EXIT)).state is IntentState.ACKED


async def test_an_exit_that_was_written_ahead_and_not_sent_frees_the_position(world: World) -> None:
    await world.store.import_exit(journaled(IntentState.DENIED))

    assert (await stored(world, EXIT)).state is IntentState.DENIED
    assert await create(world, exit_intent(purpose=Purpose.KILL))
