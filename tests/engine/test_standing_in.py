"""When a standby may act without the lease, and until when: the database is away, and the engine is dead."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.engine.stage import Stage
from tests.engine.standing_in import ACCOUNT, KEY, LOOKS_AROUND_S, alone, close_of_day, dies, watched
from tests.engine.test_database_away import on_disk
from tests.engine.test_exits_never_lost import holding
from tests.engine.test_lease import freeze
from trading.domain.control import TradingState
from trading.domain.errors import StoreUnavailable
from trading.domain.orders import IntentState
from trading.ports import LeaseView, PulseView


@pytest.mark.proves("F41", "F43", "F49", "I6", database="none")
async def test_the_standby_squares_off_alone_when_the_engine_dies_in_an_outage(stage: Stage) -> None:
    standby = await alone(stage)
    assert standby.session is not None
    assert stage.store.leases["main"].holder == "engine", "nobody can be given the lease now"

    await close_of_day(stage)

    assert [purpose for purpose, _, _ in stage.sent()] == ["ENTRY", "SQUARE_OFF"]
    assert stage.broker.net(KEY) == 0
    assert [exit_.tag for exit_ in on_disk(stage)] == [stage.broker.placed[1].tag]


@pytest.mark.proves("F41", "I6", database="none")
async def test_the_standby_squares_off_when_the_engine_died_first_and_the_database_went_right_after(
    stage: Stage,
) -> None:
    await holding(stage)
    standby = await watched(stage)
    await dies(stage)
    stage.store.is_available = False
    await stage.settle(LOOKS_AROUND_S)

    assert standby.session is not None
    await close_of_day(stage)
    assert stage.broker.net(KEY) == 0


@pytest.mark.proves("F40", "F46", "I14", database="none")
async def test_while_the_engine_lives_in_an_outage_the_standby_keeps_its_hands_off(stage: Stage) -> None:
    await holding(stage)
    standby = await watched(stage)
    stage.store.is_available = False

    await stage.settle(30.0)

    assert standby.session is None
    assert stage.machine.owners[ACCOUNT].is_dead is False
    await stage.tick("09:16:00", "103.00")
    await stage.settle(1.0)
    assert stage.sent()[1:] == [("STOP", "SELL", 100)]


@pytest.mark.proves("F46", "F41", "I14", database="none")
async def test_an_engine_that_stands_still_in_an_outage_is_ended_before_its_accounts_are_touched(stage: Stage) -> None:
    await holding(stage)
    standby = await watched(stage)
    stage.store.is_available = False
    await stage.settle(5.0)
    stale = stage.machine.owners[ACCOUNT]
    await freeze(stage)
    assert not stale.is_dead

    await stage.settle(LOOKS_AROUND_S)

    assert stale.is_dead
    assert standby.session is not None
    await close_of_day(stage)
    assert stage.broker.net(KEY) == 0


@pytest.mark.proves("F41", "I9", "I17", database="none")
async def test_the_database_back_the_standby_takes_the_lease_and_brings_its_exits_home(stage: Stage) -> None:
    standby = await alone(stage)
    await stage.tick("09:16:00", "103.00")
    await stage.settle(3.0)
    assert stage.sent()[1:] == [("STOP", "SELL", 100)]
    tag = stage.broker.placed[1].tag
    assert tag not in stage.store.intents

    stage.store.is_available = True
    await stage.settle(5.0)

    assert stage.store.leases["main"].holder == "standby:b"
    assert standby.session is not None
    assert stage.store.intents[tag].state is IntentState.ACKED
    assert stage.store.exit_slots == {}
    assert sum(t.side.sign * t.quantity for _, t in stage.store.trades) == 0
    assert on_disk(stage) == []


@pytest.mark.proves("F41", "I9", "I14", database="none")
async def test_the_database_back_an_engine_may_be_faster_and_brings_the_standbys_exits_home(stage: Stage) -> None:
    standby = await alone(stage)
    await stage.tick("09:16:00", "103.00")
    await stage.settle(3.0)

    stage.store.is_available = True
    await stage.start(holder="again")
    await stage.settle(10.0)

    assert stage.store.leases["main"].holder == "again"
    assert standby.session is None
    assert stage.store.intents[stage.broker.placed[1].tag].state is IntentState.ACKED
    assert stage.sent() == [("ENTRY", "BUY", 100), ("STOP", "SELL", 100)]


@pytest.mark.parametrize(
    "pulse",
    [None, PulseView("somebody else", 1, 7), PulseView("engine", 0, 7)],
    ids=["no pulse here", "another holder's", "an older epoch's"],
)
@pytest.mark.proves("F46", "I14", database="none")
async def test_nobody_stands_in_for_a_holder_that_may_live_elsewhere(stage: Stage, pulse: PulseView | None) -> None:
    await holding(stage)
    standby = await watched(stage)
    stage.store.is_available = False
    await dies(stage)
    stage.machine.pulses = {} if pulse is None else {"main": pulse}

    await stage.settle(60.0)

    assert standby.session is None


async def test_a_standby_that_never_saw_the_day_does_not_stand_in(stage: Stage) -> None:
    await holding(stage)

    async def none(*_: Any) -> Any:
        raise StoreUnavailable("its tables cannot be read")

    setattr(stage.store, "copy_book", none)  # noqa: B010
    standby = await watched(stage)
    stage.store.is_available = False
    await dies(stage)

    await stage.settle(60.0)

    assert standby.session is None


async def test_yesterdays_copy_is_no_copy(stage: Stage) -> None:
    await holding(stage)
    standby = await watched(stage)
    stage.store.is_available = False
    await dies(stage)
    stage.clock.set(stage.clock.now() + timedelta(days=1))

    await stage.settle(60.0)

    assert standby.session is None


@pytest.mark.proves("F40", database="none")
async def test_a_database_that_hangs_is_an_outage_too(stage: Stage) -> None:
    await holding(stage)
    standby = await watched(stage)
    hangs = asyncio.Event()

    async def hanging(*_: Any, **__: Any) -> Any:
        await hangs.wait()
        raise StoreUnavailable("it is gone")

    real = {name: getattr(stage.store, name) for name in dir(stage.store) if name in CALLS}
    for name in real:
        setattr(stage.store, name, hanging)
    await dies(stage)
    await stage.settle(2 * LOOKS_AROUND_S)
    assert standby.session is not None

    await stage.tick("09:16:00", "103.00")
    await stage.settle(5.0)

    assert stage.sent()[1:] == [("STOP", "SELL", 100)]
    for name, function in real.items():
        setattr(stage.store, name, function)
    hangs.set()
    await stage.settle(10.0)
    assert stage.store.intents[stage.broker.placed[1].tag].state is IntentState.ACKED


CALLS = (
    *("observe", "acquire", "renew", "announce", "load_book", "copy_book", "control", "create_intent", "claim"),
    *("append_events", "save_order", "save_trades", "save_ladder", "resolve", "raise_alarm", "import_exit"),
    *("save_reconciliation", "save_pnl", "claim_change", "finish_command", "lower_state", "save_adoption"),
)


@pytest.mark.proves("F40", database="none")
async def test_a_database_that_reads_and_takes_nothing_is_an_outage_too(stage: Stage) -> None:
    await holding(stage)
    standby = await watched(stage)

    async def refuses(*_: Any, **__: Any) -> Any:
        raise StoreUnavailable("database is locked")

    readable = ("observe", "load_book", "copy_book", "control")
    for name in CALLS:
        if name not in readable:
            setattr(stage.store, name, refuses)
    await dies(stage)

    await stage.settle(2 * LOOKS_AROUND_S)
    assert standby.session is not None
    await close_of_day(stage)

    assert stage.broker.net(KEY) == 0
    assert stage.store.leases["main"] == replace(stage.store.leases["main"], holder="engine", epoch=1)


@pytest.mark.proves("F40", "I14", database="none")
async def test_two_outages_one_after_the_other(stage: Stage) -> None:
    standby = await alone(stage)
    stage.store.is_available = True
    await stage.settle(5.0)
    assert stage.store.leases["main"].holder == "standby:b"

    stage.store.is_available = False
    await stage.settle(5.0)
    await close_of_day(stage)

    assert standby.session is not None
    assert stage.broker.net(KEY) == 0
    stage.store.is_available = True
    await stage.settle(5.0)
    assert stage.store.intents[stage.broker.placed[1].tag].state is IntentState.ACKED
    assert TradingState.ACTIVE is stage.store.house_state
    assert isinstance(stage.store.leases["main"], LeaseView)
