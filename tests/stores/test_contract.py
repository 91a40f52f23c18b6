"""One contract for the in-memory, the SQLite and the PostgreSQL store."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.factories import DAY, TEN_O_CLOCK, entry_intent, exit_intent
from tests.stores.worlds import ALICE, CHARLIE, World
from trading.domain.control import CommandKind, TradingState
from trading.domain.errors import ExitAlreadyLive, IllegalTransition
from trading.domain.orders import BrokerOrder, BrokerTrade, IntentState, OrderIntent, OrderStatus, Purpose, Side
from trading.ports import Claim, EngineEvent, LadderRecord, StoredIntent

SHARD = "main"


async def create(world: World, intent: OrderIntent) -> bool:
    return await world.store.create_intent(intent, decided_at=TEN_O_CLOCK, reason={"rule": "test"})


async def claim(world: World, intent: OrderIntent, epoch: int = 1) -> Claim:
    return await world.store.claim(intent.tag, shard=SHARD, epoch=epoch, verdicts=[{"rule": "clock", "passed": True}])


async def create_and_claim(world: World, intent: OrderIntent) -> Claim:
    assert await create(world, intent)
    return await claim(world, intent)


async def hold_lease(world: World) -> None:
    assert await world.leases.acquire(SHARD, "engine", seen=None) == 1


async def stored(world: World, intent: OrderIntent) -> StoredIntent:
    book = await world.store.load_book(DAY)
    return next(found for found in book.intents if found.intent.tag == intent.tag)


def order_of(intent: OrderIntent, status: OrderStatus, filled: int = 0, **parts: Any) -> BrokerOrder:
    order = BrokerOrder(
        order_id="260000001",
        tag=intent.tag,
        status=status,
        instrument=intent.key.instrument,
        side=intent.side,
        product="MIS",
        quantity=intent.quantity,
        filled_quantity=filled,
        average_price=Decimal("1490.5500") if filled else Decimal(0),
        status_message="",
        broker_status="OPEN",
        placed_at=TEN_O_CLOCK,
        updated_at=TEN_O_CLOCK,
    )
    return replace(order, **parts)


def trade_of(trade_id: str, instrument: str = "NSE:INFY", **parts: Any) -> BrokerTrade:
    trade = BrokerTrade(trade_id, "260000001", instrument, Side.BUY, "MIS", 10, Decimal("1490.5500"), TEN_O_CLOCK)
    return replace(trade, **parts)


# -- intents ---------------------------------------------------------------------------------------------------------


async def test_an_intent_comes_back_from_the_book_as_it_was_committed(world: World) -> None:
    intent = entry_intent(price=Decimal("1490.5500"), round=2, slice=3)

    assert await create(world, intent)

    assert await stored(world, intent) == StoredIntent(intent, IntentState.NEW)


async def test_the_second_path_that_wants_the_same_order_is_told_that_somebody_was_first(world: World) -> None:
    assert await create(world, entry_intent())

    assert not await create(world, replace(entry_intent(), quantity=99))
    assert (await stored(world, entry_intent())).intent.quantity == 10


async def test_an_intent_of_an_account_that_nobody_has_is_refused(world: World) -> None:
    with pytest.raises(KeyError, match="kite:NOBODY"):
        await create(world, entry_intent("kite:NOBODY"))
    assert (await world.store.load_book(DAY)).intents == ()


async def test_intents_of_another_day_are_not_in_the_book(world: World) -> None:
    await create(world, entry_intent(day=DAY - timedelta(days=3)))

    assert (await world.store.load_book(DAY)).intents == ()


async def test_a_position_has_at_most_one_live_exit(world: World) -> None:
    await create(world, exit_intent(purpose=Purpose.STOP))

    with pytest.raises(ExitAlreadyLive, match=exit_intent().tag):
        await create(world, exit_intent(purpose=Purpose.SQUARE_OFF))
    assert await create(world, exit_intent(symbol="RELIANCE"))
    assert await create(world, exit_intent(CHARLIE))
    assert await create(world, entry_intent(position=2))


async def test_repeating_a_live_exit_is_somebody_was_first_and_not_an_error(world: World) -> None:
    await create(world, exit_intent())

    assert not await create(world, exit_intent())


@pytest.mark.parametrize("status", [OrderStatus.COMPLETE, OrderStatus.CANCELLED, OrderStatus.REJECTED])
async def test_the_next_exit_may_be_made_once_the_first_can_fill_no_more(world: World, status: OrderStatus) -> None:
    await create(world, exit_intent())

    await world.store.save_order(ALICE, order_of(exit_intent(), status))

    assert await create(world, exit_intent(purpose=Purpose.SQUARE_OFF))


async def test_a_partly_filled_exit_is_still_the_live_one(world: World) -> None:
    await create(world, exit_intent())
    await world.store.save_order(ALICE, order_of(exit_intent(), OrderStatus.OPEN, filled=4))

    with pytest.raises(ExitAlreadyLive):
        await create(world, exit_intent(round=1))


async def test_an_exit_in_doubt_is_still_the_live_one_until_it_is_proved_absent(world: World) -> None:
    await hold_lease(world)
    await create_and_claim(world, exit_intent())
    await world.store.resolve(exit_intent().tag, IntentState.IN_DOUBT, reason="timeout")

    with pytest.raises(ExitAlreadyLive):
        await create(world, exit_intent(round=1))
    await world.store.resolve(exit_intent().tag, IntentState.ABSENT)
    assert await create(world, exit_intent(round=1))


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


# -- claims ----------------------------------------------------------------------------------------------------------


async def test_a_claim_sets_sending_and_keeps_the_verdicts(world: World) -> None:
    await hold_lease(world)

    assert await create_and_claim(world, entry_intent()) == Claim()

    assert (await stored(world, entry_intent())).state is IntentState.SENDING
    assert await world.gate(entry_intent().tag) == [{"rule": "clock", "passed": True}]


async def test_an_intent_can_be_claimed_once(world: World) -> None:
    await hold_lease(world)
    await create_and_claim(world, entry_intent())

    assert (await claim(world, entry_intent())).denied == "NOT_NEW"
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


async def test_halted_passes_nothing_and_a_denied_exit_gives_its_place_up(world: World) -> None:
    await hold_lease(world)
    await world.store.lower_state(world.alice, TradingState.HALTED, "flat")

    assert (await create_and_claim(world, exit_intent())).denied == "KILL_SWITCH"
    assert await create(world, exit_intent(round=1))


async def test_a_disabled_account_is_denied_entries_but_not_exits(world: World) -> None:
    await hold_lease(world)
    await world.disable(ALICE)

    assert (await create_and_claim(world, entry_intent())).denied == "ACCOUNT_DISABLED"
    assert await create_and_claim(world, exit_intent()) == Claim()


# -- orders and fills ------------------------------------------------------------------------------------------------


async def test_the_brokers_last_word_is_kept_with_the_intent(world: World) -> None:
    await create(world, entry_intent())
    order = order_of(entry_intent(), OrderStatus.OPEN, filled=4, status_message="slow", broker_status="OPEN PENDING")

    await world.store.save_order(ALICE, order)

    assert (await stored(world, entry_intent())).order == order


async def test_older_words_about_an_order_are_passed_over(world: World) -> None:
    await create(world, entry_intent())
    newest = order_of(entry_intent(), OrderStatus.COMPLETE, filled=10)
    await world.store.save_order(ALICE, newest)

    await world.store.save_order(ALICE, order_of(entry_intent(), OrderStatus.OPEN, filled=4))
    await world.store.save_order(ALICE, order_of(entry_intent(), OrderStatus.OPEN, filled=10))

    assert (await stored(world, entry_intent())).order == newest


async def test_a_cancelled_order_that_filled_after_all_is_believed(world: World) -> None:
    await create(world, entry_intent())
    await world.store.save_order(ALICE, order_of(entry_intent(), OrderStatus.CANCELLED, filled=4))

    late = order_of(entry_intent(), OrderStatus.COMPLETE, filled=10)
    await world.store.save_order(ALICE, late)

    assert (await stored(world, entry_intent())).order == late


async def test_an_order_with_our_tag_on_another_account_is_not_ours(world: World) -> None:
    await create(world, entry_intent())

    await world.store.save_order(CHARLIE, order_of(entry_intent(), OrderStatus.COMPLETE, filled=10))

    assert (await stored(world, entry_intent())).order is None


async def test_a_strangers_order_changes_nothing(world: World) -> None:
    await world.store.save_order(ALICE, order_of(entry_intent(), OrderStatus.OPEN, tag=""))

    assert (await world.store.load_book(DAY)).intents == ()


async def test_each_trade_is_kept_once_whatever_is_repeated(world: World) -> None:
    one, two = trade_of("1"), trade_of("2", quantity=3)

    assert await world.store.save_trades(ALICE, [one]) == [one]
    assert await world.store.save_trades(ALICE, [two, one, two]) == [two]
    assert await world.store.save_trades(ALICE, []) == []

    assert (await world.store.load_book(DAY)).trades == ((ALICE, one), (ALICE, two))


async def test_trade_numbers_are_an_exchanges_on_one_day_and_an_accounts(world: World) -> None:
    monday, tuesday = trade_of("7"), trade_of("7", filled_at=TEN_O_CLOCK + timedelta(days=1))
    on_bse = trade_of("7", instrument="BSE:INFY")

    assert await world.store.save_trades(ALICE, [monday, tuesday, on_bse]) == [monday, tuesday, on_bse]
    assert await world.store.save_trades(CHARLIE, [monday]) == [monday]

    assert (await world.store.load_book(DAY)).trades == ((ALICE, monday), (ALICE, on_bse), (CHARLIE, monday))


# -- the book, ladders, events, alarms, P&L --------------------------------------------------------------------------


async def test_the_book_has_clients_accounts_and_plans_with_ranges(world: World) -> None:
    await world.trade(ALICE, "INFY", "1500", "1450")

    book = await world.store.load_book(DAY)

    assert [policy.client_id for policy in book.clients] == [world.alice, world.charlie]
    assert [account.key for account in book.accounts] == [ALICE, CHARLIE]
    (plan,) = book.plans
    assert (plan.account_key, plan.instrument.key, plan.quantity, plan.capital) == (ALICE, "NSE:INFY", 10, None)
    assert plan.day_range == (Decimal(1500), Decimal(1450))
    assert book.house_state is TradingState.ACTIVE


async def test_a_disabled_account_leaves_the_book_unless_it_has_orders_today(world: World) -> None:
    await world.trade(ALICE, "INFY", "1500", "1450")
    await create(world, exit_intent(CHARLIE))
    await world.disable(ALICE)
    await world.disable(CHARLIE)

    book = await world.store.load_book(DAY)

    assert [account.key for account in book.accounts] == [CHARLIE]
    assert book.plans == ()


async def test_the_newest_snapshot_of_a_ladder_comes_back(world: World) -> None:
    first = LadderRecord(ALICE, "NSE:INFY", {"k": 0, "stop": "1490.00", "armed": [True, False]})
    await world.store.save_ladder(DAY, first)
    await world.store.save_ladder(DAY, replace(first, snapshot={"k": 3}))
    await world.store.save_ladder(DAY - timedelta(days=3), first)

    assert (await world.store.load_book(DAY)).ladders == (replace(first, snapshot={"k": 3}),)


async def test_events_are_kept_in_order(world: World) -> None:
    events = [
        EngineEvent(world.alice, "ENTRY", TEN_O_CLOCK, {"ltp": "1490.55"}, ALICE, "NSE:INFY", "TAG"),
        EngineEvent(None, "LEASE_TAKEN", TEN_O_CLOCK, {"epoch": 1}),
        EngineEvent(world.alice, "FILL", TEN_O_CLOCK, {"quantity": 10}),
    ]

    await world.store.append_events(events)
    await world.store.append_events([])

    kept = await world.events()
    assert [event for event in kept if event[0] == world.alice] == [
        (world.alice, "ENTRY", {"ltp": "1490.55"}),
        (world.alice, "FILL", {"quantity": 10}),
    ]
    assert [event for event in kept if event[0] is None] == [(None, "LEASE_TAKEN", {"epoch": 1})]


async def test_the_same_alarm_again_is_one_alarm(world: World) -> None:
    await world.store.raise_alarm(world.alice, "NOT_FLAT", "10 NSE:INFY")
    await world.store.raise_alarm(world.alice, "NOT_FLAT", "10 NSE:INFY")
    await world.store.raise_alarm(None, "FEED_STALE", "no tick for 5 s")

    assert await world.alarms() == [(world.alice, "NOT_FLAT"), (None, "FEED_STALE")]


async def test_pnl_is_one_point_a_client_and_minute(world: World) -> None:
    await world.store.save_pnl(TEN_O_CLOCK, [(world.alice, Decimal("1.5000"), Decimal("-2.2500"))])
    await world.store.save_pnl(
        TEN_O_CLOCK,
        [(world.alice, Decimal("3.0000"), Decimal("0.0000")), (world.charlie, Decimal("0.0000"), Decimal("0.0000"))],
    )
    await world.store.save_pnl(TEN_O_CLOCK, [])

    assert await world.pnl() == [(world.alice, Decimal(3), Decimal(0)), (world.charlie, Decimal(0), Decimal(0))]


# -- control ---------------------------------------------------------------------------------------------------------


async def test_the_control_view_has_states_and_unfinished_commands(world: World) -> None:
    kill = await world.kill(world.alice)
    exit_one = await world.command(CommandKind.EXIT_POSITION, world.charlie, {"instrument": "NSE:INFY"}, DAY)

    view = await world.store.control()

    assert view.states == {world.alice: TradingState.REDUCING, world.charlie: TradingState.ACTIVE}
    assert [(command.command_id, command.kind, command.client_id) for command in view.commands] == [
        (kill, CommandKind.KILL, world.alice),
        (exit_one, CommandKind.EXIT_POSITION, world.charlie),
    ]
    assert view.commands[0].arguments == {"leave_positions": False}
    assert view.commands[1].arguments == {"instrument": "NSE:INFY"}


async def test_a_finished_command_is_not_seen_again(world: World) -> None:
    kill = await world.kill(None)

    await world.store.finish_command(kill, {"flat_after_ms": 41})
    await world.store.finish_command(kill, {"flat_after_ms": 9999})

    assert (await world.store.control()).commands == ()


async def test_yesterdays_kill_is_still_meant_and_yesterdays_square_off_is_not(world: World) -> None:
    yesterday = DAY - timedelta(days=3)
    kill = await world.command(CommandKind.KILL, world.alice, {}, yesterday)
    await world.command(CommandKind.SQUARE_OFF, world.alice, {}, yesterday)

    assert [command.command_id for command in (await world.store.control()).commands] == [kill]


async def test_lowering_never_raises(world: World) -> None:
    await world.store.lower_state(world.alice, TradingState.HALTED, "flat")
    await world.store.lower_state(world.alice, TradingState.REDUCING, "late")
    await world.store.lower_state(world.alice, TradingState.ACTIVE, "wrong")
    await world.store.lower_state(None, TradingState.REDUCING, "house")

    view = await world.store.control()
    assert view.states[world.alice] is TradingState.HALTED
    assert view.states[world.charlie] is TradingState.ACTIVE
    assert view.house_state is TradingState.REDUCING


async def test_a_latch_holds_today_and_is_gone_in_the_next_session(world: World) -> None:
    await hold_lease(world)
    await world.store.lower_state(world.alice, TradingState.REDUCING, "daily loss limit", latch=True)
    await world.store.lower_state(world.alice, TradingState.HALTED, "flat", latch=True)

    today = await world.store.control()
    assert (today.states[world.alice], today.latched) == (TradingState.HALTED, {world.alice: "daily loss limit"})
    assert (await create_and_claim(world, entry_intent())).denied == "KILL_SWITCH"
    assert (await world.store.load_book(DAY)).clients[0].latched_reason == "daily loss limit"

    world.clock.advance(days=1)
    tomorrow = await world.store.control()
    assert (tomorrow.states[world.alice], tomorrow.latched) == (TradingState.ACTIVE, {})
    assert await create_and_claim(world, entry_intent(position=2)) == Claim()


async def test_a_latch_of_the_house_stops_everybody_today(world: World) -> None:
    await world.store.lower_state(None, TradingState.REDUCING, "feed", latch=True)

    assert (await world.store.control()).house_state is TradingState.REDUCING
    assert (await world.store.load_book(DAY)).house_state is TradingState.REDUCING
    world.clock.advance(days=1)
    assert (await world.store.control()).house_state is TradingState.ACTIVE


# -- leases ----------------------------------------------------------------------------------------------------------


async def test_a_lease_that_nobody_held_is_taken_by_the_first(world: World) -> None:
    assert await world.leases.observe(SHARD) is None

    assert await world.leases.acquire(SHARD, "first", seen=None) == 1
    assert await world.leases.acquire(SHARD, "second", seen=None) is None

    view = await world.leases.observe(SHARD)
    assert view is not None
    assert (view.epoch, view.holder) == (1, "first")


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


async def test_a_released_lease_has_no_holder_and_cannot_be_renewed(world: World) -> None:
    await hold_lease(world)

    await world.leases.release(SHARD, 1)
    await world.leases.release(SHARD, 7)

    view = await world.leases.observe(SHARD)
    assert view is not None
    assert (view.epoch, view.holder) == (1, "")
    assert not await world.leases.renew(SHARD, 1)
    assert await world.leases.acquire(SHARD, "next", seen=view) == 2
