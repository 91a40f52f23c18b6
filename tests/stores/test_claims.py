"""The contract of every store (in memory, SQLite, PostgreSQL): what may be sent, decided under the locks."""

import pytest

from tests.factories import DAY, TEN_O_CLOCK, entry_intent, exit_intent
from tests.stores.steps import SHARD, claim, create, create_and_claim, hold_lease, stored
from tests.stores.worlds import ALICE, CHARLIE, World
from trading.domain.caps import HouseCaps
from trading.domain.control import TradingState
from trading.domain.orders import IntentState, Purpose
from trading.ports import Claim


@pytest.mark.proves("I2", "I8")
async def test_a_claim_sets_sending_and_keeps_the_verdicts(world: World) -> None:
    await hold_lease(world)

    assert await create_and_claim(world, entry_intent()) == Claim()

    assert (await stored(world, entry_intent())).state is IntentState.SENDING
    facts = {"shard": SHARD, "epoch": 1, "house": "ACTIVE", "client": "ACTIVE", "account": "ACTIVE"}
    told = [{"check": "clock", "ok": True}, {"check": "claim", "ok": True, "facts": facts}]
    assert await world.gate(entry_intent().tag) == told
    assert await world.events() == [(world.alice, "GATE", {"purpose": "ENTRY", "verdicts": told})]


@pytest.mark.proves("I1", "I3")
async def test_an_intent_can_be_claimed_once(world: World) -> None:
    await hold_lease(world)
    await create_and_claim(world, entry_intent())

    again = await claim(world, entry_intent())
    assert (again.denied, again.state) == ("NOT_NEW", IntentState.SENDING)
    assert (await stored(world, entry_intent())).state is IntentState.SENDING


@pytest.mark.proves("F46", "I14")
async def test_a_holder_whose_epoch_is_over_sends_nothing(world: World) -> None:
    await hold_lease(world)
    await create(world, entry_intent())
    assert await world.leases.acquire(SHARD, "standby", seen=await world.leases.observe(SHARD)) == 2

    assert (await claim(world, entry_intent(), epoch=1)).denied == "LEASE_LOST"

    assert (await stored(world, entry_intent())).state is IntentState.NEW
    assert (await claim(world, entry_intent(), epoch=2)) == Claim()


@pytest.mark.proves("F46", "I14", "I19")
async def test_nothing_is_claimed_under_a_lease_that_was_given_back_or_never_taken(world: World) -> None:
    await create(world, entry_intent())
    assert (await claim(world, entry_intent())).denied == "LEASE_LOST"
    await hold_lease(world)
    await world.leases.release(SHARD, 1)

    assert (await claim(world, entry_intent())).denied == "LEASE_LOST"


@pytest.mark.proves("I7")
async def test_after_a_kill_entries_are_denied_and_exits_pass(world: World) -> None:
    await hold_lease(world)
    await create(world, entry_intent())
    await world.kill(world.alice)

    assert (await claim(world, entry_intent())).denied == "KILL_SWITCH"

    assert (await stored(world, entry_intent())).state is IntentState.DENIED
    assert await create_and_claim(world, exit_intent(purpose=Purpose.KILL)) == Claim()
    assert await create_and_claim(world, entry_intent(CHARLIE)) == Claim()


@pytest.mark.proves("I7")
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


@pytest.mark.proves("F68")
async def test_a_disabled_account_is_denied_entries_but_not_exits(world: World) -> None:
    await hold_lease(world)
    await world.disable(ALICE)

    assert (await create_and_claim(world, entry_intent())).denied == "ACCOUNT_DISABLED"
    assert await create_and_claim(world, exit_intent()) == Claim()


@pytest.mark.proves("I7")
async def test_the_log_has_every_claim_behind_the_kill_that_refuses_it(world: World) -> None:
    await hold_lease(world)
    await create_and_claim(world, entry_intent())
    await world.kill(world.alice)
    await create_and_claim(world, entry_intent(position=2))
    await create_and_claim(world, exit_intent())

    logged = [data["verdicts"][-1] for _, kind, data in await world.events() if kind == "GATE"]

    assert [verdict["ok"] for verdict in logged] == [True, False, True]
    assert logged[1]["code"] == "KILL_SWITCH"
    assert [verdict["facts"]["client"] for verdict in logged] == ["ACTIVE", "REDUCING", "REDUCING"]


async def test_a_claim_that_changes_nothing_is_logged_all_the_same(world: World) -> None:
    await create(world, entry_intent())

    await claim(world, entry_intent(), epoch=7)

    ((_, kind, data),) = await world.events()
    assert (kind, data["verdicts"][-1]["code"], data["verdicts"][-1]["facts"]["epoch"]) == ("GATE", "LEASE_LOST", 7)


@pytest.mark.proves("I13")
async def test_a_stopped_ladder_is_denied_entries_but_not_exits_until_a_person_lets_it_go_on(world: World) -> None:
    await hold_lease(world)
    await world.store.stop_ladder((ALICE, "NSE:INFY"), "20 entries today")
    await world.store.stop_ladder((ALICE, "NSE:INFY"), "a second reason")

    assert (await world.store.control()).stopped_ladders == {(ALICE, "NSE:INFY"): "20 entries today"}
    denied = await create_and_claim(world, entry_intent())
    assert denied == Claim("LADDER_STOPPED", "stopped until a person lets it go on: 20 entries today")
    assert (await stored(world, entry_intent())).state is IntentState.DENIED
    assert await create_and_claim(world, exit_intent()) == Claim()
    assert await create_and_claim(world, entry_intent(CHARLIE)) == Claim()


@pytest.mark.proves("I13")
async def test_the_day_brings_the_houses_caps_and_when_each_order_was_decided(world: World) -> None:
    await create(world, entry_intent())

    book = await world.store.load_book(DAY)

    assert book.house_caps == HouseCaps()
    assert [known.decided_at for known in book.intents] == [TEN_O_CLOCK]


@pytest.mark.proves("F25", "I14")
async def test_changes_of_an_order_are_counted_under_the_lease(world: World) -> None:
    await hold_lease(world)
    await create_and_claim(world, exit_intent())

    for _ in range(2):
        assert await world.store.claim_change(exit_intent().tag, shard=SHARD, epoch=1) == Claim()
    assert await world.leases.acquire(SHARD, "standby", seen=await world.leases.observe(SHARD)) == 2

    denied = (await world.store.claim_change(exit_intent().tag, shard=SHARD, epoch=1)).denied
    assert denied == "LEASE_LOST"
    assert (await stored(world, exit_intent())).changes == 2
