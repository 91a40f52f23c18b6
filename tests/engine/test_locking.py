"""The lock files of the accounts, taken with the lease: nobody is spoken for by two processes."""

import pytest

from tests.engine.stage import GILLETTE, Stage
from tests.engine.test_lease import ENTRY, freeze, trading
from trading.simulation.memory_files import MemoryLocks

KEY = "kite:AB1001"


async def test_an_engine_holds_the_lock_of_every_account_it_speaks_for(stage: Stage) -> None:
    stage.client(2, "AB1002")
    await trading(stage)

    assert set(stage.machine.owners) == {KEY, "kite:AB1002"}


@pytest.mark.proves("F46", "I14", database="none")
async def test_a_takeover_ends_the_stale_holder_before_it_looks_at_the_account(stage: Stage) -> None:
    await trading(stage)
    await stage.ticks(*ENTRY)
    stale = stage.machine.owners[KEY]
    await freeze(stage)

    await stage.start(standby=True, holder="b")
    await stage.settle(5.0)

    assert stale.is_dead
    assert stage.machine.owners[KEY] is not stale
    await stage.tick("09:16:00", "103.00")
    assert stage.sent()[1:] == [("STOP", "SELL", 100)]


@pytest.mark.proves("F46", "I14", database="none")
async def test_an_account_whose_holder_may_not_be_killed_is_left_alone_with_an_alarm(stage: Stage) -> None:
    stage.machine.may_kill = False
    await trading(stage)
    await stage.ticks(*ENTRY)
    await freeze(stage)

    await stage.start(standby=True, holder="b")
    await stage.settle(10.0)
    await stage.tick("09:16:00", "103.00")
    await stage.at("15:15:00", 5.0)
    await stage.at("15:16:30", 5.0)

    assert stage.sent() == [("ENTRY", "BUY", 100)]
    assert stage.alarm_codes().count("ACCOUNT_LOCKED") == 1
    assert "NOT_FLAT" in stage.alarm_codes()
    assert stage.events("SQUARED_OFF") == []


async def test_an_account_is_taken_over_as_soon_as_its_lock_is_free(stage: Stage) -> None:
    stage.machine.may_kill = False
    await trading(stage)
    await stage.ticks(*ENTRY)
    stale = stage.machine.owners[KEY]
    await freeze(stage)
    await stage.start(standby=True, holder="b")
    await stage.settle(10.0)

    stale.die()
    await stage.settle(3.0)
    await stage.tick("09:16:00", "103.00")

    assert stage.sent()[1:] == [("STOP", "SELL", 100)]


async def test_another_account_is_served_while_one_is_locked(stage: Stage) -> None:
    stage.machine.may_kill = False
    other = MemoryLocks(stage.machine)
    await other.take("kite:AB1002", ousts=False)
    stage.client(2, "AB1002")
    stage.plan(GILLETTE, user_id="AB1002")

    await trading(stage)
    await stage.ticks(*ENTRY)

    assert stage.sent() == [("ENTRY", "BUY", 100)]
    assert stage.brokers["kite:AB1002"].placed == []


async def test_a_lost_lease_frees_the_accounts(stage: Stage) -> None:
    await trading(stage)
    await stage.store.acquire("main", "other", seen=stage.store.leases["main"])

    await stage.settle(1.0)

    assert stage.machine.owners == {}
    assert stage.engine is not None
    assert stage.engine.session is None


async def test_a_clean_stop_frees_the_accounts(stage: Stage) -> None:
    await trading(stage)

    await stage.stop()

    assert stage.machine.owners == {}
