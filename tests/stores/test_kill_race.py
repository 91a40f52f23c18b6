"""No entry may be claimed after a kill has committed, however closely they race (invariant I7)."""

import asyncio
import threading
import time

import pytest

from tests.databases import in_thread_of_its_own
from tests.factories import TEN_O_CLOCK, entry_intent
from tests.fakes.clock import FakeClock
from tests.stores.worlds import ALICE, DjangoWorld, press_kill_now
from trading.domain.control import TradingState
from trading.domain.orders import IntentState
from trading.models import Client, OrderIntentRow
from trading.ports import Claim
from trading.services import control
from trading.stores import intents

SHARD = "main"
ENTRIES = 300


async def prepare(world: DjangoWorld) -> list[str]:
    await world.leases.acquire(SHARD, "engine", seen=None)
    wanted = [entry_intent(position=position) for position in range(1, ENTRIES + 1)]
    made = [world.store.create_intent(intent, decided_at=TEN_O_CLOCK, reason={}) for intent in wanted]
    assert all(await asyncio.gather(*made))
    return [intent.tag for intent in wanted]


@pytest.mark.proves("F66", "I7")
@pytest.mark.parametrize("victim", ["client", "house", "account"])
async def test_no_claim_passes_once_a_kill_has_committed(django_world: DjangoWorld, victim: str) -> None:
    world = django_world
    tags = await prepare(world)
    passed_at: list[float] = []
    under_way = threading.Event()

    async def claim_all() -> None:
        for tag in tags:
            asked_at = time.monotonic()
            answer = await world.store.claim(tag, shard=SHARD, epoch=1, verdicts=[])
            if not answer.denied:
                passed_at.append(asked_at)
            if len(passed_at) == ENTRIES // 10:
                under_way.set()

    def kill() -> float:
        under_way.wait(30)
        account = ALICE if victim == "account" else ""
        press_kill_now(None if victim == "house" else world.alice, world.clock, account_key=account)
        return time.monotonic()

    _, killed_at = await asyncio.gather(claim_all(), world.ask(kill))

    assert all(asked_at < killed_at for asked_at in passed_at), "a claim asked for after the kill's commit passed"
    states = await world.ask(lambda: list(OrderIntentRow.objects.values_list("state", flat=True)))
    assert states.count(IntentState.SENDING) == len(passed_at)
    assert states.count(IntentState.DENIED) == ENTRIES - len(passed_at)
    assert 0 < len(passed_at) < ENTRIES, "the kill did not fall into the middle, so the race was not run"


@pytest.mark.proves("F66", "I7")
async def test_a_kill_waits_for_a_claim_that_has_already_looked(
    django_world: DjangoWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the claim's look at the state and its commit the kill cannot commit."""
    world = django_world
    (tag, *_) = await prepare(world)
    looked, go_on = threading.Event(), threading.Event()
    order: list[str] = []

    def slow_claim(*seen: object) -> Claim:
        looked.set()
        go_on.wait(5)
        order.append("claim")
        return Claim()

    monkeypatch.setattr(intents, "_claim_of", slow_claim)
    claiming = asyncio.ensure_future(world.store.claim(tag, shard=SHARD, epoch=1, verdicts=[]))
    await asyncio.to_thread(looked.wait, 5)

    def kill() -> None:
        press_kill_now(world.alice, world.clock)
        order.append("kill")

    killing = asyncio.ensure_future(world.ask(kill))
    await asyncio.sleep(0.2)
    state_meanwhile = await world.ask(lambda: Client.objects.get(pk=world.alice).state)
    go_on.set()
    await asyncio.gather(claiming, killing)

    assert state_meanwhile == TradingState.ACTIVE
    assert order == ["claim", "kill"]
    assert await world.ask(lambda: Client.objects.get(pk=world.alice).state) == TradingState.REDUCING


async def test_many_kills_at_once_are_one_command_and_one_line_in_the_log(
    django_world: DjangoWorld, clock: FakeClock
) -> None:
    presses = [
        asyncio.to_thread(in_thread_of_its_own(lambda: press_kill_now(django_world.alice, clock))) for _ in range(8)
    ]

    commands = set(await asyncio.gather(*presses))

    assert len(commands) == 1
    assert (await django_world.store.control()).states[django_world.alice] is TradingState.REDUCING


async def test_twenty_posts_of_one_press_are_one_kill_also_after_it_is_done(
    django_world: DjangoWorld, clock: FakeClock
) -> None:
    def press() -> int:
        alice = Client.objects.get(pk=django_world.alice)
        return control.press_kill(alice, alice.user, clock=clock, press="the-same-form").pk

    async def twenty() -> set[int]:
        return set(await asyncio.gather(*(django_world.ask(press) for _ in range(20))))

    commands = await twenty()
    await django_world.store.finish_command(min(commands), {"flat": True})

    assert await twenty() == commands
    assert len(commands) == 1
    assert [kind for _, kind, _ in await django_world.events()] == ["KILL_PRESSED"]
