"""What a standby that stands in does: all that is open is closed by the exit journal, and nothing is sent twice."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from tests.engine.stage import DAY, GILLETTE, INFY, Stage
from tests.engine.standing_in import ACCOUNT, KEY, LOOKS_AROUND_S, alone, close_of_day, dies, watched
from tests.engine.test_alarms import FakePost
from tests.engine.test_database_away import on_disk
from tests.engine.test_exits_never_lost import ENTRY, holding
from tests.fakes.broker import LOST, LOST_RESTING, REST
from trading.domain.orders import IntentState, OrderIntent, Purpose, PurposeKey, Side
from trading.engine.runtime import Engine
from trading.ports import EngineEvent


@pytest.mark.proves("F41", "I1", "I3", database="none")
async def test_what_the_dead_engine_sent_by_the_journal_is_not_sent_again(stage: Stage) -> None:
    await holding(stage)
    standby = await watched(stage)
    stage.store.is_available = False
    await stage.settle(5.0)
    stage.broker.script.append(REST)
    await stage.tick("09:16:00", "103.00")
    await stage.settle(1.0)
    assert len(on_disk(stage)) == 1
    await dies(stage)

    await stage.settle(20.0)
    await stage.at("09:16:30", 3.0)

    assert standby.session is not None
    assert stage.sent() == [("ENTRY", "BUY", 100), ("STOP", "SELL", 100)]
    assert stage.broker.changed, "the one that rests is taken further, as after any takeover"


@pytest.mark.proves("F41", "F44", "I1", "I3", database="none")
async def test_what_the_dead_engine_wrote_ahead_and_lost_on_the_wire_is_looked_up_first(stage: Stage) -> None:
    await holding(stage)
    await watched(stage)
    stage.store.is_available = False
    await stage.settle(5.0)
    stage.broker.script.append(LOST)
    stage.broker.tells_updates = False
    await stage.tick("09:16:00", "103.00")
    stage.machine.disk[ACCOUNT] = stage.machine.disk[ACCOUNT].splitlines(keepends=True)[0]
    await dies(stage)

    await stage.settle(20.0)
    await close_of_day(stage)

    assert stage.sent() == [("ENTRY", "BUY", 100), ("STOP", "SELL", 100)]
    assert stage.broker.net(KEY) == 0


@pytest.mark.proves("I1", "I4", database="none")
async def test_what_the_dead_engine_sent_after_the_copy_was_made_is_not_sent_again(stage: Stage) -> None:
    await alone(stage)
    key = PurposeKey(DAY, ACCOUNT, KEY, 1, Purpose.SQUARE_OFF)
    stage.broker.script.append(REST)
    stage.broker.tells_updates = False
    await stage.broker.place(OrderIntent(key, Side.SELL, 100))

    await close_of_day(stage)
    stage.broker.fill(stage.broker.live()[0].order_id)
    await stage.settle(20.0)

    assert stage.sent()[1:] == [("SQUARE_OFF", "SELL", 100)]
    assert stage.broker.net(KEY) == 0


@pytest.mark.proves("F13", "F17", "F41", "F44", "I1", "I3", database="none")
@pytest.mark.parametrize("outcome", [LOST, LOST_RESTING])
async def test_what_the_dead_engine_sent_in_its_last_moment_shows_late_and_is_not_doubled(
    stage: Stage, outcome: str
) -> None:
    await holding(stage)
    await watched(stage)
    stage.broker.script.append(outcome)
    stage.broker.tells_updates = stage.broker.sees_book = False
    await stage.tick("09:16:00", "103.00")
    assert stage.sent()[1:] == [("STOP", "SELL", 100)]
    assert on_disk(stage) == [], "it went the normal way"
    stage.store.is_available = False
    await dies(stage)

    await stage.settle(4.0)
    await stage.tick("09:16:02", "102.90")
    await stage.settle(4.0)
    stage.broker.sees_book = True
    await stage.settle(LOOKS_AROUND_S)
    stage.broker.fills_changed = True
    await close_of_day(stage)

    assert stage.sent() == [("ENTRY", "BUY", 100), ("STOP", "SELL", 100)]
    assert stage.broker.net(KEY) == 0


@pytest.mark.proves("F41", "I4", "I6", database="none")
async def test_an_unrecorded_entry_counts_as_ours_and_is_closed_since_no_ladder_knows_it(stage: Stage) -> None:
    stage.client()
    stage.plan(GILLETTE, quantity=100)
    await stage.start()
    standby = await watched(stage)
    frozen = await stage.store.copy_book(DAY)

    async def old(*_: Any) -> Any:
        return frozen

    setattr(stage.store, "copy_book", old)  # noqa: B010
    await stage.ticks(*ENTRY)
    stage.store.is_available = False
    await dies(stage)

    await stage.settle(LOOKS_AROUND_S)

    assert standby.session is not None
    assert "STRAY_POSITION" in [event.data.get("code") for event in pending(standby)]
    assert [side for _, side, _ in stage.sent()] == ["BUY", "SELL"]
    assert stage.broker.net(KEY) == 0


def pending(engine: Engine) -> list[EngineEvent]:
    """Give what waits for the database."""
    assert engine.session is not None
    return engine.session.tools.journal._pending


async def test_a_stranger_is_no_order_of_ours(stage: Stage) -> None:
    standby = await alone(stage)
    stage.broker.trade_by_hand(KEY, Side.BUY, 5)
    await stage.settle(40.0)

    assert standby.session is not None
    assert len(standby.session.house.accounts[ACCOUNT].desk.orders.by_tag) == 1


@pytest.mark.proves("F43", "I6", database="none")
async def test_an_entry_that_the_copy_calls_unsent_and_that_rests_at_the_broker_is_cancelled(stage: Stage) -> None:
    stage.client()
    stage.plan(GILLETTE, quantity=100)
    await stage.start()
    stage.broker.script.append(REST)
    await stage.ticks(*ENTRY)
    (tag,) = stage.store.intents
    sent = stage.store.intents[tag]
    stage.store.intents[tag] = replace(sent, state=IntentState.NEW, order=None)  # as it was a moment before the claim
    standby = await watched(stage)
    stage.store.intents[tag] = sent
    stage.store.is_available = False
    await dies(stage)
    await stage.settle(LOOKS_AROUND_S)
    assert standby.session is not None

    await close_of_day(stage)

    assert stage.broker.live() == []
    assert stage.broker.net(KEY) == 0


@pytest.mark.proves("I8", database="none")
async def test_a_standby_that_stands_in_enters_nothing(stage: Stage) -> None:
    stage.client()
    stage.plan(GILLETTE, quantity=100)
    stage.plan(INFY, quantity=50)
    await stage.start()
    await stage.ticks(*ENTRY)
    standby = await watched(stage)
    stage.store.is_available = False
    await dies(stage)
    await stage.settle(LOOKS_AROUND_S)
    assert standby.session is not None

    await stage.tick("09:16:05", "108.00", INFY)
    await stage.tick("09:16:06", "108.10", INFY)
    await stage.settle(3.0)

    assert stage.sent() == [("ENTRY", "BUY", 100)]


@pytest.mark.proves("F28", "I6", database="none")
async def test_what_the_client_bought_by_hand_in_the_outage_is_squared_off_too(stage: Stage) -> None:
    standby = await alone(stage)
    assert standby.session is not None
    stage.broker.prices[INFY.key] = Decimal(108)
    stage.broker.trade_by_hand(INFY.key, Side.BUY, 7)

    await close_of_day(stage)

    assert stage.broker.net(KEY) == stage.broker.net(INFY.key) == 0
    assert stage.broker.most_open[KEY] == 100


@pytest.mark.proves("I6", "I18", database="none")
async def test_who_is_not_flat_is_told_without_the_database(stage: Stage) -> None:
    post = FakePost()
    await alone(stage, alarm_post=post)
    stage.broker.is_readable = False

    await close_of_day(stage)
    await stage.settle(10.0)

    assert "STANDBY_STANDS_IN" in post.codes
    assert "NOT_FLAT" in post.codes
    assert stage.broker.net(KEY) == 100


@pytest.mark.proves("F66", "F67", "I7", database="none")
async def test_a_kill_that_was_half_way_when_both_were_lost_is_carried_out(stage: Stage) -> None:
    await holding(stage)
    stage.broker.is_readable = False  # so that the engine cannot finish it
    stage.store.press_kill(1)
    await watched(stage)
    stage.store.is_available = False
    await stage.settle(5.0)
    sent = len(stage.sent())
    await dies(stage)
    stage.broker.is_readable = True

    await stage.settle(30.0)

    assert stage.broker.net(KEY) == 0
    assert len(stage.sent()) == max(2, sent)
