"""The contract of every store (in memory, SQLite, PostgreSQL): what an engine reads when it starts."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from tests.factories import DAY, entry_intent, exit_intent
from tests.stores.steps import SHARD, create, hold_lease
from tests.stores.worlds import ALICE, CHARLIE, World
from trading.domain.control import CommandKind, TradingState
from trading.domain.ladder_config import RangeSource
from trading.domain.opening_range import OpeningRange
from trading.domain.reference_range import ReferenceRange
from trading.ports import LadderRecord, Plan

INFY_OPENED = OpeningRange("kite", "NSE:INFY", 15, "ticks", high=Decimal("1510.5000"), low=Decimal("1500.0000"))


async def test_the_book_has_clients_accounts_and_plans_with_ranges(world: World) -> None:
    await world.trade(ALICE, "INFY", "1500", "1450")

    book = await world.store.load_book(DAY)

    assert [policy.client_id for policy in book.clients] == [world.alice, world.charlie]
    assert [account.key for account in book.accounts] == [ALICE, CHARLIE]
    (plan,) = book.plans
    assert (plan.account_key, plan.instrument.key, plan.quantity, plan.capital) == (ALICE, "NSE:INFY", 10, None)
    assert plan.day_range == ReferenceRange(
        Decimal(1500), Decimal(1450), RangeSource.PREVIOUS_DAY, "2026-11-20", "2026-11-20", told_by="test"
    )
    assert book.house_state is TradingState.ACTIVE


@pytest.mark.proves("F68")
async def test_a_disabled_account_leaves_the_book_unless_it_has_orders_today(world: World) -> None:
    await world.trade(ALICE, "INFY", "1500", "1450")
    await create(world, exit_intent(CHARLIE))
    await world.disable(ALICE)
    await world.disable(CHARLIE)

    book = await world.store.load_book(DAY)

    assert [account.key for account in book.accounts] == [CHARLIE]
    assert book.plans == ()


async def test_a_line_that_is_off_stays_in_the_book_to_be_carried_to_its_end_while_it_has_orders(world: World) -> None:
    await world.trade(ALICE, "INFY", "1500", "1450")
    await world.trade(ALICE, "RELIANCE", "1500", "1450")
    await create(world, entry_intent(ALICE))
    assert [plan.is_closing for plan in (await world.store.load_book(DAY)).plans] == [False, False]

    await world.disable(ALICE)

    assert [(p.instrument.key, p.is_closing) for p in (await world.store.load_book(DAY)).plans] == [("NSE:INFY", True)]


async def test_whoever_was_asked_to_be_squared_off_today_is_in_the_book(world: World) -> None:
    await world.command(CommandKind.SQUARE_OFF, world.alice, {}, DAY)
    await world.command(CommandKind.SQUARE_OFF, None, {}, DAY)
    await world.command(CommandKind.KILL, world.charlie, {}, DAY)

    assert (await world.store.load_book(DAY)).squared_off == {world.alice}
    assert (await world.store.load_book(DAY + timedelta(days=1))).squared_off == frozenset()


@pytest.mark.proves("I16", "I25")
async def test_the_newest_snapshot_of_a_ladder_comes_back(world: World) -> None:
    first = LadderRecord(ALICE, "NSE:INFY", {"k": 0, "stop": "1490.00", "armed": [True, False]})
    await hold_lease(world)
    for day, record in ((DAY, first), (DAY, replace(first, snapshot={"k": 3})), (DAY - timedelta(days=3), first)):
        assert await world.store.save_ladder(day, record, shard=SHARD, epoch=1)

    assert (await world.store.load_book(DAY)).ladders == (replace(first, snapshot={"k": 3}),)


@pytest.mark.proves("F46", "I14", "I25")
async def test_who_lost_the_lease_puts_no_ladder_over_that_of_its_new_holder(world: World) -> None:
    old = LadderRecord(ALICE, "NSE:INFY", {"stop": "1490.00"})
    new = replace(old, snapshot={"stop": "1495.00"})
    await hold_lease(world)
    assert await world.leases.acquire(SHARD, "standby", seen=await world.leases.observe(SHARD)) == 2

    assert await world.store.save_ladder(DAY, new, shard=SHARD, epoch=2)
    assert not await world.store.save_ladder(DAY, old, shard=SHARD, epoch=1)

    assert (await world.store.load_book(DAY)).ladders == (new,)


async def test_an_instrument_of_which_the_list_says_otherwise_keeps_its_facts_and_says_what_differs(
    world: World,
) -> None:
    await world.trade(ALICE, "INFY", "1500", "1450")
    await world.trade(ALICE, "RELIANCE", "1500", "1450")
    await world.list_lot("INFY", 10)

    book = await world.store.load_book(DAY)

    assert book.unfit == {"NSE:INFY": "lot size was 1, the list says 10"}
    assert [plan.instrument.lot_size for plan in book.plans] == [1, 1]


# -- opening ranges ----------------------------------------------------------------------------------------------


async def infy_plan(world: World) -> Plan:
    (plan,) = (await world.store.load_book(DAY)).plans
    return plan


async def test_a_line_on_the_opening_range_has_no_range_before_its_window_is_kept(world: World) -> None:
    await world.trade(ALICE, "INFY", "1500", "1450", range_source="opening_range")
    await world.store.save_opening_range(DAY, replace(INFY_OPENED, minutes=30))
    await world.store.save_opening_range(DAY - timedelta(days=3), INFY_OPENED)

    plan = await infy_plan(world)

    assert (plan.day_range, plan.why_no_range) == (None, "")


async def test_the_first_range_of_a_window_is_kept_and_every_later_reader_has_the_same(world: World) -> None:
    await world.trade(ALICE, "INFY", "1500", "1450", range_source="opening_range")

    assert await world.store.save_opening_range(DAY, INFY_OPENED) == INFY_OPENED
    other = replace(INFY_OPENED, told_by="candles", high=Decimal("1511.0000"))
    assert await world.store.save_opening_range(DAY, other) == INFY_OPENED

    assert (await infy_plan(world)).day_range == ReferenceRange(
        Decimal("1510.5"), Decimal(1500), RangeSource.OPENING_RANGE, "09:15:00", "09:30:00", told_by="ticks"
    )


async def test_a_window_without_a_trade_is_kept_as_no_range_for_today(world: World) -> None:
    await world.trade(ALICE, "INFY", "1500", "1450", range_source="opening_range", opening_range_minutes=5)
    nothing = OpeningRange("kite", "NSE:INFY", 5, "candles", why_not="no trade from 09:15 to 09:20")

    assert await world.store.save_opening_range(DAY, nothing) == nothing

    plan = await infy_plan(world)
    assert (plan.day_range, plan.why_no_range) == (None, "no trade from 09:15 to 09:20")


async def test_an_opening_range_of_today_is_never_taken_for_the_last_session(world: World) -> None:
    await world.trade(ALICE, "INFY", "1500", "1450")
    await world.store.save_opening_range(DAY, INFY_OPENED)
    await world.store.save_opening_range(date(2026, 11, 20), replace(INFY_OPENED, high=Decimal("1999.0000")))

    known = (await infy_plan(world)).day_range

    assert known is not None
    assert (known.high, known.source) == (Decimal(1500), RangeSource.PREVIOUS_DAY)


async def test_a_copy_of_the_book_is_the_book(world: World) -> None:
    await world.trade(ALICE, "INFY", "1500", "1450")
    await create(world, entry_intent(ALICE))

    assert await world.store.copy_book(DAY) == await world.store.load_book(DAY)
