"""A file in the kill directory: the gate closes with it, and the rest follows also without a database."""

import json
from typing import Any

import pytest

from tests.engine.stage import GILLETTE, Stage
from trading.domain.control import TradingState
from trading.domain.orders import IntentState

ENTRY = (("09:15:00", "108.00"), ("09:15:01", "108.10"))
BEFORE, TRIGGER = ENTRY

pytestmark = [pytest.mark.proves("F67", "I7", database="none")]


async def planned(stage: Stage, **changes: Any) -> Stage:
    """Alice, about to enter at the next tick."""
    stage.client(**changes)
    stage.plan(GILLETTE, quantity=100)
    await stage.start()
    await stage.tick(*BEFORE)
    return stage


async def holding(stage: Stage, **changes: Any) -> Stage:
    """Alice with 100 open."""
    await planned(stage, **changes)
    await stage.tick(*TRIGGER)
    assert stage.broker.net(GILLETTE.key) == 100
    return stage


def denials(stage: Stage) -> list[str]:
    return [event.data["message"] for event in stage.events("ORDER_DENIED")]


@pytest.mark.parametrize("name", ["house", "client:1", "client:Client 1", "account:kite:AB1001"])
async def test_a_file_keeps_the_next_entry_from_leaving(stage: Stage, name: str) -> None:
    await planned(stage)
    stage.session.commands.kill_files.look = lambda: None  # type: ignore[method-assign]  # only the gate looks

    stage.kill_files.touch(name)
    await stage.tick(*TRIGGER)

    assert stage.sent() == []
    assert denials(stage) == [f"the kill file {name} is there"]


async def test_a_file_that_comes_while_the_claim_is_committed_keeps_the_entry_back(stage: Stage) -> None:
    await planned(stage)
    stage.session.commands.kill_files.look = lambda: None  # type: ignore[method-assign]
    real = stage.store.claim

    async def pressed_meanwhile(*args: Any, **kwargs: Any) -> Any:
        claim = await real(*args, **kwargs)
        stage.kill_files.touch("house")
        return claim

    stage.store.claim = pressed_meanwhile  # type: ignore[method-assign]
    await stage.tick(*TRIGGER)

    assert stage.sent() == []
    assert [stored.state for stored in stage.store.intents.values()] == [IntentState.REFUSED]


async def test_a_file_of_one_account_leaves_the_others_alone(stage: Stage) -> None:
    stage.client(2, "XY2001")
    stage.plan(GILLETTE, user_id="XY2001", quantity=10)
    stage.kill_files.touch("account:kite:AB1001")

    await planned(stage)
    await stage.tick(*TRIGGER)

    assert stage.sent() == []
    assert stage.brokers["kite:XY2001"].net(GILLETTE.key) == 10


async def test_the_whole_sequence_follows_from_a_file(stage: Stage) -> None:
    await holding(stage)

    stage.kill_files.touch("client:1")
    await stage.settle(2.0)

    assert stage.broker.net(GILLETTE.key) == 0
    assert stage.store.policies[1].state is TradingState.HALTED
    (result,) = stage.store.results.values()
    assert result["flat"] is True
    assert 0 <= result["gate_ms"] <= 200
    pressed = stage.events("KILL_PRESSED")[0].data
    assert (pressed["path"], pressed["by"]) == ("kill file", "kill file client:1")
    assert stage.events("KILL_DONE")[0].data["path"] == "kill file"


async def test_a_file_of_the_house_closes_everybody(stage: Stage) -> None:
    stage.client(2, "XY2001")
    stage.plan(GILLETTE, user_id="XY2001", quantity=10)
    await holding(stage)

    stage.kill_files.touch("house")
    await stage.settle(2.0)

    assert [broker.net(GILLETTE.key) for broker in stage.brokers.values()] == [0, 0]
    assert stage.store.house_state is TradingState.HALTED


async def test_what_stands_in_the_file_says_whether_positions_are_left(stage: Stage) -> None:
    await holding(stage)

    stage.kill_files.touch("house", json.dumps({"leave_positions": True, "by": "bob"}))
    await stage.settle(2.0)

    assert stage.broker.net(GILLETTE.key) == 100
    assert stage.store.house_state is TradingState.REDUCING
    assert stage.events("KILL_PRESSED")[0].data["by"] == "bob"


@pytest.mark.parametrize("text", ["garbage", "[1, 2]", '{"leave_positions": "no"}', "\x00\xff"])
async def test_garbage_in_a_file_is_a_kill_all_the_same_and_is_told(stage: Stage, text: str) -> None:
    await holding(stage)

    stage.kill_files.touch("house", text)
    await stage.settle(2.0)

    assert stage.broker.net(GILLETTE.key) == 0
    assert stage.alarm_codes() == ["KILL_FILE_UNCLEAR"]


@pytest.mark.parametrize("name", ["clinet:1", "client:7", "account:kite:GONE", "HOUSE", "x", "client:"])
async def test_a_name_that_fits_nobody_stops_everybodys_entries_and_closes_nothing(stage: Stage, name: str) -> None:
    stage.client(2, "XY2001")
    await holding(stage)

    stage.kill_files.touch(name)
    await stage.settle(1.0)
    await stage.tick("09:15:02", "103.00")  # the stop
    await stage.tick("09:15:03", "101.50")
    await stage.tick("09:15:04", "100.90")  # a short entry

    assert stage.alarm_codes() == ["KILL_FILE_UNKNOWN"]
    assert [purpose for purpose, _, _ in stage.sent()] == ["ENTRY", "STOP"]
    assert stage.store.house_state is TradingState.ACTIVE
    assert set(denials(stage)) == {f"the kill file {name} fits nobody, so it stops everybody"}


async def test_a_directory_that_cannot_be_read_stops_entries_and_calls_a_person_once(stage: Stage) -> None:
    await planned(stage)

    stage.kill_files.error = PermissionError(13, "Permission denied")
    await stage.tick(*TRIGGER)
    await stage.settle(5.0)

    assert stage.sent() == []
    assert stage.alarm_codes() == ["KILL_DIRECTORY"]
    assert "cannot be read" in denials(stage)[0]


async def test_exits_pass_whatever_lies_in_the_directory(stage: Stage) -> None:
    await holding(stage)
    stage.kill_files.error = PermissionError(13, "Permission denied")

    await stage.tick("09:20:00", "103.00")

    assert stage.sent()[-1] == ("STOP", "SELL", 100)


async def test_without_a_database_the_state_is_kept_and_written_when_it_is_back(stage: Stage) -> None:
    broker = await holding(stage, squares_off_on_kill=False)
    stage.store.is_available = False

    stage.kill_files.touch("client:1")
    await stage.settle(0.5)
    assert stage.session.house.state_of(1) is TradingState.REDUCING
    stage.kill_files.remove("client:1")  # taking the file away raises nothing
    await stage.settle(0.5)
    assert stage.session.house.state_of(1) is TradingState.REDUCING

    stage.store.is_available = True
    await stage.settle(10.0)

    assert broker.broker.net(GILLETTE.key) == 100
    assert stage.store.policies[1].state is TradingState.REDUCING
    assert [result["left_open"] for result in stage.store.results.values()] == [{GILLETTE.key: 100}]


async def test_a_working_entry_is_cancelled_while_the_database_is_away(stage: Stage) -> None:
    stage.client().script.append("rest")
    stage.plan(GILLETTE, quantity=100)
    await stage.start()
    await stage.ticks(*ENTRY)
    assert len(stage.broker.live()) == 1
    stage.store.is_available = False

    stage.kill_files.touch("house")
    await stage.settle(5.0)

    assert stage.broker.live() == []


async def test_a_file_is_carried_out_once_however_long_it_lies_there(stage: Stage) -> None:
    await holding(stage)
    stage.kill_files.touch("client:1")
    await stage.settle(10.0)

    assert len(stage.store.commands) == 1
    assert len(stage.events("KILL_DONE")) == 1


async def test_an_engine_that_starts_beside_an_old_file_closes_nothing_again(stage: Stage) -> None:
    """What the client opened by hand after the kill is not ours to close at every start."""
    await holding(stage)
    stage.kill_files.touch("client:1")
    await stage.settle(2.0)
    await stage.stop()
    stage.broker.trade_by_hand(GILLETTE.key, stage.broker.fills[0].side, 5)

    await stage.start()
    await stage.settle(5.0)

    assert stage.broker.net(GILLETTE.key) == 5
    assert len(stage.store.commands) == 1


async def test_a_second_touch_is_a_second_press(stage: Stage) -> None:
    await holding(stage)
    stage.kill_files.touch("client:1")
    await stage.settle(2.0)
    stage.broker.trade_by_hand(GILLETTE.key, stage.broker.fills[0].side, 5)

    stage.kill_files.touch("client:1")
    await stage.settle(5.0)

    assert stage.broker.net(GILLETTE.key) == 0
    assert len(stage.store.commands) == 2


async def test_a_file_of_an_unfinished_kill_is_finished_by_the_next_engine(stage: Stage) -> None:
    await holding(stage)
    stage.broker.is_readable = False
    stage.kill_files.touch("client:1")
    await stage.settle(2.0)
    await stage.stop()
    stage.broker.is_readable = True

    await stage.start(holder="second")
    await stage.settle(5.0)

    assert stage.broker.net(GILLETTE.key) == 0
    assert stage.store.policies[1].state is TradingState.HALTED
    assert len(stage.store.results) == 1
