"""What fails in a way that nobody expects ends in a word about the order, the account or the day."""

import asyncio
from typing import Any

import pytest

from tests.engine.one_thread import STALLS, OneThread
from tests.engine.stage import GILLETTE, INFY, Stage
from tests.engine.test_database_away import ACCOUNT, cut_off
from tests.engine.test_exits_never_lost import ENTRY, holding
from tests.engine.test_lease import freeze
from tests.fakes.broker import REST
from trading.domain.errors import BrokerUnavailable, JournalUnavailable, StoreUnavailable
from trading.domain.orders import IntentState, Side
from trading.engine.journal import Journal
from trading.engine.work import within
from trading.simulation.memory_files import MemoryExitJournal, MemoryLocks

KEY = GILLETTE.key


class Once:
    """Makes the first call of a method fail."""

    def __init__(self, thing: Any, name: str, error: Exception) -> None:
        self._real, self._error = getattr(thing, name), error
        self.has_failed = False
        setattr(thing, name, self)

    async def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not self.has_failed:
            self.has_failed = True
            raise self._error
        return await self._real(*args, **kwargs)


@pytest.mark.proves("F54", "I6", "I19", database="none")
async def test_an_exit_whose_way_fails_unheard_of_is_decided_anew(stage: Stage) -> None:
    await holding(stage)
    await cut_off(stage)
    failing = Once(stage.session.tools.deps.exit_journal, "write_ahead", RuntimeError("nobody expects this"))

    await stage.tick("09:16:00", "103.00")
    await stage.at("09:16:05", 5.0)

    assert failing.has_failed
    assert stage.broker.net(KEY) == 0
    stage.store.is_available = True
    await stage.settle(5.0)
    assert "ENGINE_TASK_FAILED" in [event.data["code"] for event in stage.events("ALARM")]
    assert stage.store.exit_slots == {}


@pytest.mark.proves("F54", "I3", database="none")
async def test_an_order_of_which_nobody_knows_whether_it_left_is_looked_up_when_its_work_fails(stage: Stage) -> None:
    await holding(stage)
    real = stage.broker.place

    async def sent_and_failed(intent: Any) -> str:
        await real(intent)
        stage.session.house.accounts[ACCOUNT].desk.heard_error = broken  # type: ignore[method-assign]
        raise RuntimeError("nobody expects this")

    def broken(error: Exception) -> None:
        raise KeyError("status")

    stage.broker.place = sent_and_failed  # type: ignore[method-assign]
    stage.broker.tells_updates = False
    await stage.tick("09:15:02", "103.00")
    await stage.settle(20.0)

    assert stage.sent()[1:] == [("STOP", "SELL", 100)]
    assert stage.store.intents[stage.broker.placed[1].tag].state is IntentState.ADOPTED


@pytest.mark.proves("F54", "I3", database="none")
async def test_a_read_that_fails_unheard_of_leaves_no_order_in_doubt_for_ever(stage: Stage) -> None:
    await holding(stage)
    stage.broker.script.append("dropped")
    await stage.tick("09:15:02", "103.00")
    await stage.settle(9.0)
    failing = Once(stage.broker, "positions", KeyError("net_quantity"))

    await stage.settle(40.0)
    await stage.at("09:16:00", 5.0)

    assert failing.has_failed
    assert stage.broker.net(KEY) == 0


@pytest.mark.proves("F54", "I16", database="none")
async def test_a_day_that_cannot_be_begun_is_begun_again_with_an_alarm(stage: Stage) -> None:
    stage.client()
    stage.plan(GILLETTE, quantity=100)
    Once(stage.store, "load_book", ValueError("a row that nobody can read"))

    await stage.start()
    await stage.settle(5.0)
    await stage.ticks(*ENTRY)

    assert stage.sent() == [("ENTRY", "BUY", 100)]
    assert stage.alarm_codes() == ["ENGINE_PART_FAILED"]


@pytest.mark.proves("F41", "F54", "I26", database="none")
async def test_an_account_whose_journal_cannot_be_read_keeps_no_other_from_coming_home(stage: Stage) -> None:
    await holding(stage)
    bob = stage.client(2, "AB1002")
    stage.plan(INFY, user_id="AB1002", quantity=30)
    await stage.session.reload()
    await stage.tick("09:15:05", "108.00", INFY)
    await cut_off(stage)
    journal = stage.session.tools.deps.exit_journal
    real = journal.pending

    async def unreadable(account_key: str) -> Any:
        if account_key == ACCOUNT:
            raise JournalUnavailable("input/output error")
        return await real(account_key)

    journal.pending = unreadable  # type: ignore[method-assign]
    await stage.tick("09:16:00", "103.00", GILLETTE)  # alice's stop goes by the journal
    stage.store.is_available = True
    await stage.settle(10.0)
    await stage.tick("09:16:30", "108.00", INFY)
    await stage.tick("09:16:31", "108.10", INFY)

    assert stage.broker.net(KEY) == 0
    assert bob.net(INFY.key) == 30
    assert stage.alarm_codes().count("JOURNAL_UNAVAILABLE") == 1
    journal.pending = real  # type: ignore[method-assign]
    await stage.settle(3.0)
    assert stage.store.exit_slots == {}
    assert not stage.session.house.accounts[ACCOUNT].desk.outcomes.is_owing
    assert len(stage.events("DATABASE_BACK")) == 1


@pytest.mark.proves("F40", "I6", database="none")
@pytest.mark.parametrize("call", ["create_intent", "claim"])
async def test_an_entry_that_waits_for_the_database_keeps_no_exit_of_its_line_waiting(stage: Stage, call: str) -> None:
    stage.client()
    stage.plan(GILLETTE, quantity=100)
    await stage.start()
    await stage.tick("09:15:00", "108.00")
    stage.broker.trade_by_hand(KEY, Side.BUY, 40)
    await stage.settle(12.0)

    async def hanging(*_: Any, **__: Any) -> Any:
        await asyncio.Event().wait()

    setattr(stage.store, call, hanging)
    await stage.tick("09:15:01", "108.10")
    stage.kill_files.touch("client:1")
    await stage.settle(10.0)

    assert stage.sent() == [("KILL", "SELL", 40)]
    assert stage.broker.net(KEY) == 0


@pytest.mark.proves("F40", "I5", database="none")
async def test_what_the_database_was_not_told_of_an_exit_keeps_no_later_exit_back(stage: Stage) -> None:
    await holding(stage)
    stage.broker.script.append(REST)
    await stage.tick("09:15:02", "103.00")
    Once(stage.store, "save_order", RuntimeError("nobody expects this"))
    stage.broker.fill(stage.broker.live()[0].order_id)
    await stage.settle(5.0)
    assert stage.store.exit_slots != {}

    stage.broker.trade_by_hand(KEY, Side.BUY, 40)
    await stage.settle(12.0)
    stage.kill_files.touch("client:1")
    await stage.settle(6.0)

    assert stage.sent()[1:] == [("STOP", "SELL", 100), ("KILL", "SELL", 40)]
    assert stage.broker.net(KEY) == 0
    assert stage.store.exit_slots == {}


@pytest.mark.proves("F42", "F43", "I1", "I4", database="none")
async def test_a_journal_that_cannot_be_read_at_a_start_is_read_again_before_anything_is_decided(stage: Stage) -> None:
    await holding(stage)
    await cut_off(stage)
    stage.broker.script.append(REST)
    await stage.tick("09:16:00", "103.00")  # a stop that rests, known to the exit journal alone
    await freeze(stage)
    stage.store.is_available = True
    locks = MemoryLocks(stage.machine)
    journal = MemoryExitJournal(stage.machine, locks)
    failing = Once(journal, "pending", JournalUnavailable("input/output error"))

    await stage.start(holder="next", locks=locks, exit_journal=journal)
    await stage.settle(5.0)
    await stage.tick("09:16:30", "102.00")
    await stage.settle(5.0)

    assert failing.has_failed
    assert stage.sent() == [("ENTRY", "BUY", 100), ("STOP", "SELL", 100)]
    assert stage.store.intents[stage.broker.placed[1].tag].state is not IntentState.NEW


@pytest.mark.proves("F40", "I18", database="none")
async def test_events_are_not_lost_with_whoever_stops_waiting_for_them(stage: Stage) -> None:
    thread = OneThread(stage.clock, "control", 1, STALLS)
    store = thread.around(stage.store)
    journal = Journal(stage.clock, store, stage.live)
    stalled = asyncio.create_task(store.control())
    await stage.settle(0.1)
    journal.record("FILL", 1, {"quantity": 100})

    waiting = asyncio.create_task(within(stage.clock, 3.0, journal.flushed()))
    await stage.settle(6.0)
    await asyncio.gather(stalled, waiting, return_exceptions=True)

    assert isinstance(waiting.exception(), StoreUnavailable)
    assert [event.kind for event in stage.store.events] == ["FILL"]


@pytest.mark.proves("F54", database="none")
async def test_an_adapter_that_fails_unheard_of_is_a_broker_that_cannot_be_read(stage: Stage) -> None:
    await holding(stage)
    Once(stage.broker, "positions", KeyError("net_quantity"))

    with pytest.raises(BrokerUnavailable):
        await stage.session.house.accounts[ACCOUNT].desk.read_positions()

    await stage.settle(1.0)
    assert stage.alarm_codes() == ["ENGINE_PART_FAILED"]
