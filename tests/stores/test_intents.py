"""The contract of every store (in memory, SQLite, PostgreSQL): intents are committed once."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from tests.factories import DAY, TEN_O_CLOCK, entry_intent, exit_intent
from tests.stores.steps import create, create_and_claim, hold_lease, order_of, stored
from tests.stores.worlds import ALICE, CHARLIE, World
from trading.domain.errors import ExitAlreadyLive, IllegalTransition
from trading.domain.orders import IntentState, OrderStatus, Purpose
from trading.ports import StoredIntent


async def test_an_intent_comes_back_from_the_book_as_it_was_committed(world: World) -> None:
    intent = entry_intent(price=Decimal("1490.5500"), round=2, slice=3)

    assert await create(world, intent)

    assert await stored(world, intent) == StoredIntent(intent, IntentState.NEW, decided_at=TEN_O_CLOCK)


@pytest.mark.proves("F50", "I1", "I3")
async def test_the_second_path_that_wants_the_same_order_is_told_that_somebody_was_first(world: World) -> None:
    assert await create(world, entry_intent())

    assert not await create(world, replace(entry_intent(), quantity=99))
    assert (await stored(world, entry_intent())).intent.quantity == 10


async def test_an_intent_of_an_account_that_nobody_has_is_refused(world: World) -> None:
    with pytest.raises(KeyError, match="kite:NOBODY"):
        await create(world, entry_intent("kite:NOBODY"))
    assert (await world.store.load_book(DAY)).intents == ()


@pytest.mark.proves("F63")
async def test_intents_of_another_day_are_not_in_the_book(world: World) -> None:
    await create(world, entry_intent(day=DAY - timedelta(days=3)))

    assert (await world.store.load_book(DAY)).intents == ()


@pytest.mark.proves("I4", "I5")
async def test_a_position_has_at_most_one_live_exit(world: World) -> None:
    await create(world, exit_intent(purpose=Purpose.STOP))

    with pytest.raises(ExitAlreadyLive, match=exit_intent().tag):
        await create(world, exit_intent(purpose=Purpose.SQUARE_OFF))
    assert await create(world, exit_intent(symbol="RELIANCE"))
    assert await create(world, exit_intent(CHARLIE))
    assert await create(world, entry_intent(position=2))


@pytest.mark.proves("F63")
async def test_an_exit_of_an_earlier_day_that_was_never_seen_to_end_is_in_nobodys_way_today(world: World) -> None:
    await hold_lease(world)
    await create_and_claim(world, exit_intent(day=DAY - timedelta(days=3)))

    assert await create(world, exit_intent())
    with pytest.raises(ExitAlreadyLive, match=exit_intent().tag):
        await create(world, exit_intent(purpose=Purpose.SQUARE_OFF))


@pytest.mark.proves("F50", "I1")
async def test_repeating_a_live_exit_is_somebody_was_first_and_not_an_error(world: World) -> None:
    await create(world, exit_intent())

    assert not await create(world, exit_intent())


@pytest.mark.parametrize("status", [OrderStatus.COMPLETE, OrderStatus.CANCELLED, OrderStatus.REJECTED])
async def test_the_next_exit_may_be_made_once_the_first_can_fill_no_more(world: World, status: OrderStatus) -> None:
    await create(world, exit_intent())

    await world.store.save_order(ALICE, order_of(exit_intent(), status))

    assert await create(world, exit_intent(purpose=Purpose.SQUARE_OFF))


@pytest.mark.proves("F18", "I4", "I5")
async def test_a_partly_filled_exit_is_still_the_live_one(world: World) -> None:
    await create(world, exit_intent())
    await world.store.save_order(ALICE, order_of(exit_intent(), OrderStatus.OPEN, filled=4))

    with pytest.raises(ExitAlreadyLive):
        await create(world, exit_intent(round=1))


@pytest.mark.proves("F12", "I3", "I4")
async def test_an_exit_in_doubt_is_still_the_live_one_until_it_is_proved_absent(world: World) -> None:
    await hold_lease(world)
    await create_and_claim(world, exit_intent())
    await world.store.resolve(exit_intent().tag, IntentState.IN_DOUBT, reason="timeout")

    with pytest.raises(ExitAlreadyLive):
        await create(world, exit_intent(round=1))
    await world.store.resolve(exit_intent().tag, IntentState.ABSENT)
    assert await create(world, exit_intent(round=1))


@pytest.mark.proves("F17", "I12")
async def test_an_order_that_turns_up_late_is_adopted_beside_the_exit_that_took_its_place(world: World) -> None:
    await hold_lease(world)
    late, present = exit_intent(), exit_intent(round=1)
    await create_and_claim(world, late)
    await world.store.resolve(late.tag, IntentState.IN_DOUBT)
    await world.store.resolve(late.tag, IntentState.ABSENT)
    await create_and_claim(world, present)

    await world.store.resolve(late.tag, IntentState.ADOPTED, order_id="260000009")

    assert (await stored(world, late)).state is IntentState.ADOPTED
    with pytest.raises(ExitAlreadyLive, match=present.tag):
        await create(world, exit_intent(round=2))


@pytest.mark.proves("I12")
async def test_resolving_follows_the_state_table(world: World) -> None:
    await create(world, entry_intent())

    with pytest.raises(IllegalTransition, match="NEW cannot become ACKED"):
        await world.store.resolve(entry_intent().tag, IntentState.ACKED)


async def test_resolving_to_the_same_state_again_changes_nothing(world: World) -> None:
    await hold_lease(world)
    await create_and_claim(world, entry_intent())
    await world.store.resolve(entry_intent().tag, IntentState.ACKED, order_id="260000001")

    await world.store.resolve(entry_intent().tag, IntentState.ACKED, order_id="260000001")

    assert (await stored(world, entry_intent())).state is IntentState.ACKED
