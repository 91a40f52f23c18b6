"""The contract of every store (in memory, SQLite, PostgreSQL): states, latches and commands."""

from datetime import timedelta

import pytest

from tests.factories import DAY, entry_intent, exit_intent
from tests.stores.steps import create_and_claim, hold_lease
from tests.stores.worlds import ALICE, CHARLIE, World
from trading.domain.control import CommandKind, KillPath, TradingState
from trading.ports import Claim, KillPress


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


@pytest.mark.proves("F63")
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


async def test_a_latch_of_the_day_is_never_loosened(world: World) -> None:
    await world.store.lower_state(world.alice, TradingState.HALTED, "daily loss limit", latch=True)

    await world.store.lower_state(world.alice, TradingState.REDUCING, "daily profit limit", latch=True)

    view = await world.store.control()
    assert (view.states[world.alice], view.latched) == (TradingState.HALTED, {world.alice: "daily loss limit"})


@pytest.mark.proves("F63", "I13")
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


@pytest.mark.proves("I7")
async def test_a_stopped_account_enters_nothing_and_its_client_trades_elsewhere(world: World) -> None:
    await hold_lease(world)
    kill = await world.kill(world.alice, account_key=ALICE)

    view = await world.store.control()
    assert view.accounts == {ALICE: TradingState.REDUCING, CHARLIE: TradingState.ACTIVE}
    assert view.states[world.alice] is TradingState.ACTIVE
    assert [(one.command_id, one.client_id, one.account_key) for one in view.commands] == [(kill, world.alice, ALICE)]
    denied = await create_and_claim(world, entry_intent(ALICE))
    assert (denied.denied, denied.message) == ("KILL_SWITCH", "the account was REDUCING")
    assert await create_and_claim(world, exit_intent(ALICE)) == Claim()
    assert await create_and_claim(world, entry_intent(CHARLIE)) == Claim()


async def test_the_account_of_a_stopped_client_keeps_its_own_state(world: World) -> None:
    await world.store.lower_state(world.alice, TradingState.HALTED, "flat", account_key=ALICE)
    await world.store.lower_state(world.alice, TradingState.REDUCING, "late", account_key=ALICE)

    view = await world.store.control()

    assert view.accounts[ALICE] is TradingState.HALTED
    assert view.states[world.alice] is TradingState.ACTIVE


async def test_a_latch_of_an_account_holds_today_only(world: World) -> None:
    await world.store.lower_state(world.alice, TradingState.REDUCING, "limit", account_key=ALICE, latch=True)

    assert (await world.store.control()).accounts[ALICE] is TradingState.REDUCING
    world.clock.advance(days=1)
    assert (await world.store.control()).accounts[ALICE] is TradingState.ACTIVE


def file_press(client_id: int | None, account_key: str = "", once_key: str = "kill:one") -> KillPress:
    return KillPress(client_id, account_key, None, KillPath.FILE, "kill file", once_key)


@pytest.mark.proves("F67", "I7")
async def test_a_press_by_a_file_lowers_the_state_and_writes_command_and_log(world: World) -> None:
    stored = await world.store.store_press(file_press(world.alice))

    view = await world.store.control()
    assert view.states[world.alice] is TradingState.REDUCING
    (command,) = view.commands
    assert (command.command_id, command.arguments) == (stored.command_id, {"leave_positions": False})
    assert not stored.is_finished
    ((who, kind, told),) = await world.events()
    assert (who, kind, told["path"], told["by"]) == (world.alice, "KILL_PRESSED", "kill file", "kill file")


@pytest.mark.parametrize("level", ["house", "client", "account"])
async def test_the_same_press_told_again_is_one_command_also_when_it_is_finished(world: World, level: str) -> None:
    whom = {"house": (None, ""), "client": (world.alice, ""), "account": (world.alice, ALICE)}[level]
    first = await world.store.store_press(file_press(*whom))
    assert await world.store.store_press(file_press(*whom)) == first
    await world.store.finish_command(first.command_id, {"flat": True})

    again = await world.store.store_press(file_press(*whom))

    assert (again.command_id, again.is_finished) == (first.command_id, True)
    assert len(await world.events()) == 1


@pytest.mark.proves("I7")
async def test_another_press_while_the_first_is_carried_out_joins_it(world: World) -> None:
    first = await world.store.store_press(file_press(world.alice))

    assert await world.store.store_press(file_press(world.alice, once_key="kill:two")) == first
    await world.store.finish_command(first.command_id, {})
    third = await world.store.store_press(file_press(world.alice, once_key="kill:three"))
    assert third.command_id != first.command_id
