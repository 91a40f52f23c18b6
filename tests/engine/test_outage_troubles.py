"""What else goes wrong while the database is away: a limit is reached, a broker's session dies, or both."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from decimal import Decimal
from typing import Any

import pytest

from tests.engine.stage import GILLETTE, INFY, Stage
from tests.engine.test_alarms import FakePost
from tests.engine.test_database_away import ACCOUNT, KEY, cut_off
from tests.engine.test_exits_never_lost import holding
from trading.domain.control import TradingState
from trading.domain.errors import StoreUnavailable
from trading.engine.journal import Journal
from trading.ports import AccountRef, Broker

LOSS: dict[str, Any] = {"daily_loss_limit": Decimal(400)}


@contextmanager
def hanging(stage: Stage) -> Iterator[None]:
    """Let no question to the database be answered, until the end."""
    is_back = asyncio.Event()

    async def hangs(*_: Any, **__: Any) -> Any:
        await is_back.wait()
        raise StoreUnavailable("the connection was lost")

    names = [name for name in dir(stage.store) if asyncio.iscoroutinefunction(getattr(stage.store, name))]
    for name in names:
        setattr(stage.store, name, hangs)
    try:
        yield
    finally:
        for name in names:
            delattr(stage.store, name)
        is_back.set()


@pytest.mark.proves("F41", "I6", "I13", database="none")
@pytest.mark.parametrize("how", ["refuses", "hangs"])
async def test_a_loss_limit_reached_in_an_outage_closes_at_once_by_the_journal(stage: Stage, how: str) -> None:
    post = FakePost()
    stage.client(**LOSS)
    stage.plan(GILLETTE, quantity=100)
    await stage.start(alarm_post=post)
    await stage.ticks(("09:15:00", "108.00"), ("09:15:01", "108.10"))
    with hanging(stage) if how == "hangs" else nullcontext():
        await cut_off(stage)

        await stage.tick("09:16:00", "104.00")  # for 0.2 s: longer than the way needs, far less than a try takes

        assert stage.sent()[1:] == [("LIMIT_REACHED", "SELL", 100)]
        assert stage.broker.net(KEY) == 0
        await stage.settle(3.0)
        assert "DAILY_LIMIT" in post.codes
    stage.store.is_available = True
    await stage.settle(10.0)
    assert stage.store.latches[1].state is TradingState.HALTED


@pytest.mark.proves("F41", "I7", "I13", database="none")
async def test_after_a_limit_in_an_outage_nothing_is_entered_when_the_database_is_back(stage: Stage) -> None:
    stage.client(**LOSS)
    stage.plan(GILLETTE, quantity=100)
    stage.plan(INFY, quantity=50)
    await stage.start()
    await stage.ticks(("09:15:00", "108.00"), ("09:15:01", "108.10"))
    await cut_off(stage)
    await stage.tick("09:16:00", "104.00", GILLETTE)

    stage.store.is_available = True
    await stage.settle(0.6)
    await stage.tick("09:16:30", "108.00", INFY)
    await stage.tick("09:16:31", "108.10", INFY)
    await stage.settle(10.0)
    await stage.tick("09:17:30", "108.00", INFY)
    await stage.tick("09:17:31", "108.10", INFY)

    assert stage.sent()[1:] == [("LIMIT_REACHED", "SELL", 100)]


def learned(stage: Stage, *, hangs: bool = False) -> Callable[[Sequence[AccountRef]], Any]:
    """Read sessions from the stage's store."""

    async def learn(refs: Sequence[AccountRef]) -> None:
        if not stage.store.is_available:
            if hangs:
                await asyncio.Event().wait()
            raise StoreUnavailable("the database did not answer")

    return learn


@pytest.mark.proves("F31", "F41", "I18", database="none")
@pytest.mark.parametrize("hangs", [False, True], ids=["refuses", "hangs"])
async def test_a_session_that_dies_in_an_outage_is_told_and_exits_go_when_it_is_good_again(
    stage: Stage, *, hangs: bool
) -> None:
    post = FakePost()
    stage.client()
    stage.plan(GILLETTE, quantity=100)
    await stage.start(alarm_post=post, learn_brokers=learned(stage, hangs=hangs))
    await stage.ticks(("09:15:00", "108.00"), ("09:15:01", "108.10"))
    await cut_off(stage)
    stage.broker.has_session = False
    await stage.tick("09:16:00", "103.00")
    await stage.settle(10.0)

    assert post.codes.count("BROKER_SIGN_IN") == 1
    assert "ENGINE_PART_FAILED" not in post.codes
    assert stage.broker.net(KEY) == 100
    desk = stage.session.house.accounts[ACCOUNT].desk
    assert not desk.is_reconciled
    stage.broker.has_session = True
    await stage.settle(40.0)
    await stage.at("09:17:00", 5.0)
    assert stage.broker.net(KEY) == 0
    assert len({intent.tag for intent in stage.broker.placed}) == len(stage.broker.placed)


@pytest.mark.proves("F31", "F41", "I8", database="none")
async def test_after_an_outage_a_dead_session_keeps_entries_off_until_the_new_one_is_learned(stage: Stage) -> None:
    made: list[str] = []

    def broker_for(ref: AccountRef) -> Broker:
        made.append(ref.key)
        return stage.broker_for(ref)

    stage.client()
    stage.plan(GILLETTE, quantity=100)
    await stage.start(learn_brokers=learned(stage), broker_for=broker_for)
    await stage.tick("09:15:00", "108.00")
    await cut_off(stage)
    stage.broker.has_session = False
    await stage.settle(35.0)
    stage.store.is_available = True
    await stage.settle(5.0)

    await stage.tick("09:16:30", "108.10")

    assert stage.sent() == []
    assert stage.events("ORDER_DENIED")[-1].data["code"] == "NOT_RECONCILED"
    assert len(made) > 1
    stage.broker.has_session = True
    await stage.settle(40.0)
    await stage.ticks(("09:18:00", "104.00"), ("09:18:01", "108.20"))
    assert [purpose for purpose, _, _ in stage.sent()] == ["ENTRY"]


@pytest.mark.proves("F31", "F41", "I26", database="none")
async def test_a_dead_session_in_an_outage_delays_nobody_elses_exit(stage: Stage) -> None:
    bob = stage.client(2, "AB1002")
    stage.plan(GILLETTE, user_id="AB1002", quantity=30)
    await holding(stage)
    assert bob.net(KEY) == 30
    object.__setattr__(stage.session.tools.deps, "learn_brokers", learned(stage, hangs=True))
    bob.has_session = False
    await stage.settle(1.0)
    await cut_off(stage)

    await stage.tick("09:16:00", "103.00")

    assert stage.broker.net(KEY) == 0
    assert bob.net(KEY) == 30


@pytest.mark.proves("F41", database="none")
async def test_what_was_being_told_when_a_session_ended_is_told_by_its_last_words(stage: Stage) -> None:
    journal = Journal(stage.clock, stage.store, stage.live)
    journal.record("FILL", 1, {"quantity": 100})
    with hanging(stage):
        journal.is_ending = True
        telling = asyncio.create_task(journal.flush())
        await stage.settle(1.0)
        telling.cancel()
        await asyncio.gather(telling, return_exceptions=True)

    await journal.flush()

    assert [event.kind for event in stage.store.events] == ["FILL"]
