"""The database is away: no entry, exits by the exit journal, everything brought home afterwards."""

import asyncio
from typing import Any

import pytest

from tests.engine.stage import GILLETTE, INFY, Stage
from tests.engine.test_exits_never_lost import ENTRY, holding
from tests.engine.test_lease import freeze
from tests.fakes.broker import DROPPED, LOST, REJECT, REST
from trading.domain.errors import StoreUnavailable
from trading.domain.exit_journal import pending_exits, read_journal
from trading.domain.orders import IntentState, OrderIntent, Purpose, PurposeKey, Side

ACCOUNT, KEY = "kite:AB1001", GILLETTE.key


async def cut_off(stage: Stage) -> None:
    """Let the database go away, and the engine be sure of it."""
    stage.store.is_available = False
    await stage.settle(4.0)


def on_disk(stage: Stage) -> list[Any]:
    return pending_exits(read_journal(stage.machine.disk.get(ACCOUNT, b"")).lines)


@pytest.mark.proves("F40", "F41", "I2", "I6", database="none")
async def test_a_stop_leaves_by_the_journal_and_is_on_the_disk_before_the_order(stage: Stage) -> None:
    await holding(stage)
    await cut_off(stage)
    seen: list[list[str]] = []
    stage.broker.before_place = lambda intent: seen.append([exit_.tag for exit_ in on_disk(stage)])

    await stage.tick("09:16:00", "103.00")
    await stage.settle(1.0)

    assert stage.sent() == [("ENTRY", "BUY", 100), ("STOP", "SELL", 100)]
    assert seen == [[stage.broker.placed[1].tag]]
    assert stage.broker.net(KEY) == 0


@pytest.mark.proves("F41", "I9", "I17", database="none")
async def test_the_journal_is_brought_home_when_the_database_is_back(stage: Stage) -> None:
    await holding(stage)
    await cut_off(stage)
    await stage.tick("09:16:00", "103.00")
    await stage.settle(60.0)
    tag = stage.broker.placed[1].tag
    assert tag not in stage.store.intents

    stage.store.is_available = True
    await stage.settle(5.0)

    assert stage.store.intents[tag].state is IntentState.ACKED
    assert stage.store.exit_slots == {}
    assert sum(t.side.sign * t.quantity for _, t in stage.store.trades) == 0
    assert len(stage.events("EXIT_IMPORTED")) == 1
    assert on_disk(stage) == []
    assert stage.session.house.accounts[ACCOUNT].desk.is_reconciled


@pytest.mark.proves("F41", "I17", database="none")
async def test_an_answer_that_comes_after_the_journal_was_brought_home_is_not_lost(stage: Stage) -> None:
    await holding(stage)
    await cut_off(stage)
    real, may_answer = stage.broker.place, asyncio.Event()

    async def answers_late(intent: OrderIntent) -> str:
        order_id = await real(intent)
        await may_answer.wait()
        return order_id

    stage.broker.place = answers_late  # type: ignore[method-assign]
    await stage.tick("09:16:00", "103.00")
    stage.store.is_available = True
    await stage.settle(2.0)
    tag = stage.broker.placed[1].tag
    assert stage.store.intents[tag].state is IntentState.SENDING

    may_answer.set()
    await stage.settle(2.0)

    assert stage.store.intents[tag].state is IntentState.ACKED


@pytest.mark.proves("F41", "I17", database="none")
async def test_an_outcome_that_is_noted_while_the_journal_is_brought_home_follows_it(stage: Stage) -> None:
    await holding(stage)
    await cut_off(stage)
    exits = stage.session.tools.deps.exit_journal
    real, may_write = exits.note, asyncio.Event()

    async def writes_late(*args: Any, **values: Any) -> None:
        await may_write.wait()
        await real(*args, **values)

    exits.note = writes_late  # type: ignore[method-assign]
    await stage.tick("09:16:00", "103.00")
    stage.store.is_available = True
    await stage.settle(2.0)

    may_write.set()
    await stage.settle(2.0)

    assert stage.store.intents[stage.broker.placed[1].tag].state is IntentState.ACKED
    assert on_disk(stage) == []


@pytest.mark.proves("F40", "I8", database="none")
async def test_no_entry_leaves_while_the_database_is_away_and_again_after_reconciliation(stage: Stage) -> None:
    stage.client()
    stage.plan(GILLETTE)
    await stage.start()
    await stage.tick("09:15:00", "108.00")
    await cut_off(stage)

    await stage.tick("09:15:10", "108.10")
    await stage.settle(10.0)
    assert stage.sent() == []

    stage.store.is_available = True
    await stage.settle(5.0)
    assert stage.sent() == []
    await stage.ticks(("09:16:00", "104.00"), ("09:16:01", "108.20"))
    assert len(stage.events("DATABASE_BACK")) == 1


async def test_entries_stay_off_until_the_account_is_reconciled_anew(stage: Stage) -> None:
    stage.client()
    stage.plan(GILLETTE)
    await stage.start()
    await stage.tick("09:15:00", "108.00")
    await cut_off(stage)
    stage.broker.is_readable = False
    stage.store.is_available = True
    await stage.settle(3.0)

    await stage.tick("09:15:30", "108.10")

    assert stage.sent() == []
    assert stage.events("ORDER_DENIED")[-1].data["code"] == "NOT_RECONCILED"


@pytest.mark.proves("F40", "I19", database="none")
async def test_a_database_that_hangs_holds_an_exit_for_three_seconds_at_most(stage: Stage) -> None:
    await holding(stage)
    hangs = asyncio.Event()

    async def hanging(*_: Any, **__: Any) -> Any:
        await hangs.wait()

    real = stage.store.create_intent
    stage.store.create_intent = hanging  # type: ignore[method-assign]
    await stage.tick("09:15:02", "103.00")
    await stage.settle(2.5)
    assert len(stage.sent()) == 1

    await stage.settle(1.0)

    assert stage.sent()[1:] == [("STOP", "SELL", 100)]
    stage.store.create_intent = real  # type: ignore[method-assign]
    await stage.settle(2.0)
    assert stage.store.intents[stage.broker.placed[1].tag].state is IntentState.ACKED


@pytest.mark.proves("F40", "I1", database="none")
async def test_an_exit_whose_claim_was_committed_and_never_answered_leaves_once(stage: Stage) -> None:
    await holding(stage)
    real = stage.store.claim

    async def unanswered(*args: Any, **kwargs: Any) -> Any:
        await real(*args, **kwargs)
        await asyncio.Event().wait()

    stage.store.claim = unanswered  # type: ignore[method-assign]
    await stage.tick("09:15:02", "103.00")
    await stage.settle(10.0)

    assert stage.sent()[1:] == [("STOP", "SELL", 100)]
    assert stage.store.intents[stage.broker.placed[1].tag].state is IntentState.ACKED


@pytest.mark.proves("F41", "I1", "I3", database="none")
async def test_an_exit_sent_before_the_outage_is_never_sent_a_second_time(stage: Stage) -> None:
    await holding(stage)
    stage.broker.script.append(LOST)
    stage.broker.tells_updates = False
    stage.store.is_available = True
    await stage.tick("09:15:02", "103.00")

    stage.store.is_available = False
    await stage.settle(60.0)
    stage.store.is_available = True
    await stage.settle(10.0)

    assert stage.sent()[1:] == [("STOP", "SELL", 100)]
    assert stage.store.intents[stage.broker.placed[1].tag].state is IntentState.ADOPTED


@pytest.mark.proves("F30", "I4", database="none")
async def test_what_the_broker_closed_meanwhile_is_not_closed_again(stage: Stage) -> None:
    await holding(stage)
    await cut_off(stage)
    stage.broker.trade_by_hand(KEY, Side.SELL, 100)

    await stage.tick("09:16:00", "103.00")
    await stage.settle(20.0)

    assert stage.sent() == [("ENTRY", "BUY", 100)]
    assert stage.broker.net(KEY) == 0


@pytest.mark.proves("I4", database="none")
async def test_an_exit_that_somebody_else_has_resting_leaves_no_room_for_ours(stage: Stage) -> None:
    await holding(stage)
    await cut_off(stage)
    other = PurposeKey(stage.session.tools.day, ACCOUNT, KEY, 7, Purpose.KILL)
    stage.broker.script.append(REST)
    await stage.broker.place(OrderIntent(other, Side.SELL, 100))

    await stage.tick("09:16:00", "103.00")
    await stage.settle(5.0)

    assert stage.sent()[1:] == [("KILL", "SELL", 100)]


@pytest.mark.parametrize("is_committed", [True, False])
@pytest.mark.proves("F40", "I2", "I12", database="none")
async def test_an_exit_that_was_claimed_too_late_and_then_denied_holds_up_no_other(
    stage: Stage, is_committed: bool
) -> None:
    await holding(stage)
    real, resting = stage.store.claim, PurposeKey(stage.session.tools.day, ACCOUNT, KEY, 7, Purpose.KILL)

    async def unanswered(*args: Any, **kwargs: Any) -> Any:
        if is_committed:
            await real(*args, **kwargs)
        stage.broker.script.append(REST)
        await stage.broker.place(OrderIntent(resting, Side.SELL, 100))
        await asyncio.Event().wait()

    stage.store.claim = unanswered  # type: ignore[method-assign]
    await stage.tick("09:15:02", "103.00")
    await stage.settle(3.5)
    stage.store.claim = real  # type: ignore[method-assign]
    await stage.broker.cancel(stage.broker.live()[0].order_id)
    await stage.settle(10.0)
    (first,) = (one.intent.tag for one in stage.store.intents.values() if one.intent.key.purpose is Purpose.STOP)
    assert stage.store.intents[first].state is (IntentState.REFUSED if is_committed else IntentState.DENIED)

    await stage.tick("09:15:30", "102.90")
    await stage.settle(20.0)

    assert stage.broker.net(KEY) == 0
    assert stage.broker.placed[-1].tag != first


@pytest.mark.parametrize(
    ("call", "state"), [("create_intent", IntentState.DENIED), ("claim", IntentState.REFUSED)], ids=["commit", "claim"]
)
@pytest.mark.proves("F40", "I12", database="none")
async def test_an_entry_whose_commit_was_not_answered_is_not_sent_and_the_database_comes_to_know_it(
    stage: Stage, call: str, state: IntentState
) -> None:
    stage.client()
    stage.plan(GILLETTE)
    await stage.start()
    real = getattr(stage.store, call)

    async def committed_unanswered(*args: Any, **kwargs: Any) -> Any:
        await real(*args, **kwargs)
        raise StoreUnavailable("the connection was lost")

    setattr(stage.store, call, committed_unanswered)
    await stage.ticks(*ENTRY)
    await stage.settle(2.0)

    assert stage.sent() == []
    assert [one.state for one in stage.store.intents.values()] == [state]


@pytest.mark.proves("F42", "I2", "I18", database="none")
async def test_a_full_disk_sends_nothing_and_calls_a_person_until_there_is_room(stage: Stage) -> None:
    await holding(stage)
    await cut_off(stage)
    stage.machine.is_full = True
    await stage.tick("09:16:00", "103.00")
    await stage.settle(20.0)
    assert stage.sent() == [("ENTRY", "BUY", 100)]

    stage.machine.is_full = False
    await stage.settle(5.0)

    assert stage.sent()[1:] == [("STOP", "SELL", 100)]
    stage.store.is_available = True
    await stage.settle(3.0)


@pytest.mark.proves("F34", "I3", database="none")
async def test_an_exit_waits_for_a_broker_that_cannot_be_read(stage: Stage) -> None:
    await holding(stage)
    await cut_off(stage)
    stage.broker.is_readable = False
    await stage.tick("09:16:00", "103.00")
    await stage.settle(10.0)
    assert stage.sent() == [("ENTRY", "BUY", 100)]

    stage.broker.is_readable = True
    await stage.settle(10.0)

    assert stage.sent()[1:] == [("STOP", "SELL", 100)]


@pytest.mark.proves("F12", "F41", database="none")
async def test_an_exit_lost_on_the_wire_during_an_outage_is_sent_again_only_after_proof(stage: Stage) -> None:
    await holding(stage)
    await cut_off(stage)
    stage.broker.script.append(DROPPED)
    await stage.tick("09:16:00", "103.00")
    await stage.settle(9.0)
    assert len(stage.sent()) == 2

    await stage.settle(20.0)

    assert stage.sent()[1:] == [("STOP", "SELL", 100), ("STOP", "SELL", 100)]
    assert stage.broker.net(KEY) == 0
    stage.store.is_available = True
    await stage.settle(5.0)
    states = [stage.store.intents[intent.tag].state for intent in stage.broker.placed[1:]]
    assert states == [IntentState.ABSENT, IntentState.ACKED]


@pytest.mark.proves("F19", "F41", database="none")
async def test_an_exit_refused_during_an_outage_is_tried_again(stage: Stage) -> None:
    await holding(stage)
    await cut_off(stage)
    stage.broker.script.append(REJECT)
    await stage.tick("09:16:00", "103.00")
    await stage.at("09:16:03", 1.0)

    assert stage.broker.net(KEY) == 0
    stage.store.is_available = True
    await stage.settle(5.0)
    states = [stage.store.intents[intent.tag].state for intent in stage.broker.placed[1:]]
    assert states == [IntentState.REFUSED, IntentState.ACKED]


@pytest.mark.proves("F41", "I6", database="none")
async def test_with_the_database_down_at_the_deadline_the_engine_squares_off_by_the_journal(stage: Stage) -> None:
    stage.plan(INFY, quantity=50)
    await holding(stage)
    await stage.tick("15:08:00", "108.10", INFY)
    await cut_off(stage)

    for at in ("15:10:00", "15:14:00", "15:15:00", "15:16:00"):
        await stage.at(at, 2.0)

    assert stage.broker.net(KEY) == stage.broker.net(INFY.key) == 0
    assert [purpose for purpose, _, _ in stage.sent()] == ["ENTRY", "SQUARE_OFF"]
    stage.store.is_available = True
    await stage.settle(5.0)
    assert "NOT_FLAT" not in stage.alarm_codes()
    assert len(stage.events("SQUARED_OFF")) >= 1


@pytest.mark.proves("F41", "F43", "I1", "I16", database="none")
@pytest.mark.parametrize("answered", [True, False], ids=["noted", "unanswered"])
async def test_the_next_life_brings_home_what_a_killed_engine_sent_by_the_journal(
    stage: Stage, *, answered: bool
) -> None:
    await holding(stage)
    await cut_off(stage)
    if not answered:
        stage.broker.script.append(LOST)
        stage.broker.sees_book = stage.broker.tells_updates = True
    await stage.tick("09:16:00", "103.00")
    if not answered:
        stage.machine.disk[ACCOUNT] = stage.machine.disk[ACCOUNT].splitlines(keepends=True)[0]
    await freeze(stage)
    stage.store.is_available = True

    await stage.start(holder="next")
    await stage.settle(20.0)

    assert stage.sent() == [("ENTRY", "BUY", 100), ("STOP", "SELL", 100)]
    expected = IntentState.ACKED if answered else IntentState.ADOPTED
    assert stage.store.intents[stage.broker.placed[1].tag].state is expected
    assert on_disk(stage) == []


async def test_what_became_of_an_order_is_owed_while_the_database_is_away_and_blocks_no_later_exit(
    stage: Stage,
) -> None:
    await holding(stage)
    stage.broker.script.append(REST)
    await stage.tick("09:15:02", "103.00")
    stage.store.is_available = False
    stage.broker.fill(stage.broker.live()[0].order_id)
    await stage.at("09:15:10", 1.0)

    stage.store.is_available = True
    await stage.settle(10.0)
    await stage.at("09:16:00", 5.0)

    assert stage.broker.net(KEY) == 0
    assert stage.store.exit_slots == {}


@pytest.mark.proves("F23", "F41", database="none")
async def test_an_exit_that_nobody_takes_is_re_priced_while_the_database_is_away(stage: Stage) -> None:
    await holding(stage)
    stage.broker.script.append(REST)
    stage.broker.fills_changed = True
    await stage.tick("09:15:02", "103.00")
    await cut_off(stage)

    await stage.at("09:15:10", 1.0)

    assert len(stage.broker.changed) == 1
    assert stage.broker.net(KEY) == 0
    assert [purpose for purpose, _, _ in stage.sent()] == ["ENTRY", "STOP"]


async def test_a_short_trouble_is_no_outage(stage: Stage) -> None:
    await holding(stage)
    stage.store.is_available = False
    await stage.settle(1.0)
    stage.store.is_available = True
    await stage.settle(5.0)

    assert "DATABASE_AWAY" not in [event.data.get("code") for event in stage.events("ALARM")]
    await stage.tick("09:15:02", "103.00")
    assert stage.machine.disk == {}
    assert ENTRY
