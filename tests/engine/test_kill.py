"""The kill switch: no entry after the press, cancels, flat, confirmed, HALTED, measured."""

from typing import Any

import pytest

from tests.engine.stage import DAY, GILLETTE, INFY, Stage
from tests.fakes.broker import LOST_RESTING, REST
from trading.domain.control import CommandKind, TradingState
from trading.domain.orders import IntentState, Side

ENTRY = (("09:15:00", "108.00"), ("09:15:01", "108.10"))


async def holding(stage: Stage, **changes: Any) -> Stage:
    """A client with 100 open."""
    stage.client(**changes)
    stage.plan(GILLETTE, quantity=100)
    await stage.start()
    await stage.ticks(*ENTRY)
    return stage


@pytest.mark.proves("I7")
async def test_a_kill_closes_everything_confirms_it_and_halts(stage: Stage) -> None:
    await holding(stage)

    command = stage.store.press_kill(1)
    await stage.settle(1.0)

    assert stage.sent()[-1] == ("KILL", "SELL", 100)
    assert stage.broker.net(GILLETTE.key) == 0
    assert stage.store.policies[1].state is TradingState.HALTED
    result = stage.store.results[command]
    assert result["flat"] is True
    assert 0 <= result["last_entry_ms"] <= result["cancels_ms"] <= result["flat_ms"]
    assert "confirmed by the broker" in stage.events("KILL_DONE")[0].data["text"]


@pytest.mark.proves("I7")
async def test_after_a_kill_nothing_is_entered_any_more(stage: Stage) -> None:
    await holding(stage)
    stage.store.press_kill(1)
    await stage.settle(1.0)

    await stage.ticks(("09:20:00", "101.50"), ("09:20:01", "100.90"), ("09:20:02", "100.80"))

    assert [purpose for purpose, _, _ in stage.sent()] == ["ENTRY", "KILL"]


async def test_the_kill_of_a_client_touches_nobody_else(stage: Stage) -> None:
    stage.client(2, "XY2001")
    stage.plan(GILLETTE, user_id="XY2001", quantity=10)
    await holding(stage)

    stage.store.press_kill(1)
    await stage.settle(1.0)

    assert stage.brokers["kite:XY2001"].net(GILLETTE.key) == 10
    assert stage.store.policies[2].state is TradingState.ACTIVE


async def test_a_kill_of_the_house_stops_every_client_and_halts_the_house(stage: Stage) -> None:
    stage.client(2, "XY2001")
    stage.plan(GILLETTE, user_id="XY2001", quantity=10)
    await holding(stage)

    command = stage.store.press_kill(None)
    await stage.settle(1.0)

    assert [broker.net(GILLETTE.key) for broker in stage.brokers.values()] == [0, 0]
    assert stage.store.house_state is TradingState.HALTED
    assert stage.store.results[command]["flat"] is True


@pytest.mark.proves("F66", "I7")
async def test_a_kill_cancels_a_working_entry_and_closes_what_it_filled(stage: Stage) -> None:
    stage.client().script.append("partial:30")
    stage.plan(GILLETTE, quantity=100)
    await stage.start()
    await stage.ticks(*ENTRY)

    stage.store.press_kill(1)
    await stage.settle(1.0)

    assert stage.broker.cancelled == ["AB1001-1"]
    assert stage.sent() == [("ENTRY", "BUY", 100), ("KILL", "SELL", 30)]
    assert stage.store.policies[1].state is TradingState.HALTED


@pytest.mark.proves("F66", "I7")
async def test_an_entry_that_was_decided_but_not_claimed_before_the_press_is_not_sent(stage: Stage) -> None:
    stage.client()
    stage.plan(GILLETTE, quantity=100)
    await stage.start()
    await stage.tick("09:15:00", "108.00")
    stage.store.press_kill(1)

    await stage.tick("09:15:01", "108.10")

    assert stage.sent() == []
    assert [stored.state for stored in stage.store.intents.values()] == [IntentState.DENIED]


async def test_leaving_positions_keeps_stops_and_the_square_off_working(stage: Stage) -> None:
    await holding(stage, squares_off_on_kill=False)

    command = stage.store.press_kill(1)
    await stage.settle(1.0)
    assert stage.broker.net(GILLETTE.key) == 100
    assert stage.store.policies[1].state is TradingState.REDUCING
    assert stage.store.results[command]["left_open"] == {GILLETTE.key: 100}

    await stage.tick("09:20:00", "103.00")
    assert stage.sent()[-1] == ("STOP", "SELL", 100)


async def test_a_kill_outranks_a_working_target_exit(stage: Stage) -> None:
    await holding(stage)
    stage.broker.script.append(REST)
    await stage.tick("09:15:02", "108.60")

    stage.store.press_kill(1)
    await stage.settle(1.0)

    assert stage.sent()[1:] == [("TARGET", "SELL", 10), ("KILL", "SELL", 100)]
    assert stage.broker.net(GILLETTE.key) == 0


@pytest.mark.proves("F28", "I24")
async def test_a_kill_that_cannot_confirm_flat_does_not_say_so(stage: Stage) -> None:
    await holding(stage)
    stage.broker.is_readable = False

    command = stage.store.press_kill(1)
    await stage.settle(5.0)

    assert command not in stage.store.results
    assert stage.store.policies[1].state is TradingState.REDUCING
    stage.broker.is_readable = True
    await stage.settle(5.0)
    assert stage.store.results[command]["flat"] is True


@pytest.mark.proves("I7", "I16")
async def test_a_kill_cut_short_by_a_crash_is_finished_by_the_next_engine(stage: Stage) -> None:
    await holding(stage)
    await stage.stop()
    command = stage.store.press_kill(1)

    await stage.start()
    await stage.settle(2.0)

    assert stage.broker.net(GILLETTE.key) == 0
    assert stage.store.results[command]["flat"] is True


async def test_one_position_is_closed_by_hand_and_the_others_stay(stage: Stage) -> None:
    await holding(stage)
    stage.plan(INFY, quantity=50)
    reload = stage.store.add_command(CommandKind.RELOAD, 1, day=DAY)
    await stage.settle(1.0)
    assert reload in stage.store.results
    await stage.tick("09:16:00", "108.00", INFY)
    await stage.tick("09:16:01", "108.10", INFY)

    arguments = {"account_key": "kite:AB1001", "instrument": GILLETTE.key}
    command = stage.store.add_command(CommandKind.EXIT_POSITION, 1, arguments, day=DAY)
    await stage.settle(1.0)

    assert stage.store.results[command] == {"flat": True}
    assert stage.broker.net(GILLETTE.key) == 0
    assert stage.broker.net(INFY.key) == 50


async def test_a_position_of_somebody_else_cannot_be_closed(stage: Stage) -> None:
    stage.client(2, "XY2001")
    await holding(stage)

    arguments = {"account_key": "kite:AB1001", "instrument": GILLETTE.key}
    command = stage.store.add_command(CommandKind.EXIT_POSITION, 2, arguments, day=DAY)
    await stage.settle(1.0)

    assert stage.store.results[command]["flat"] is False
    assert stage.broker.net(GILLETTE.key) == 100


@pytest.mark.proves("F24", "I7", "I12")
async def test_an_order_that_fills_after_the_halt_is_closed_with_an_alarm(stage: Stage) -> None:
    """Brokers report a cancel and fill the order all the same (forum 8676)."""
    stage.client().script.append(REST)
    stage.plan(GILLETTE, quantity=100)
    await stage.start()
    await stage.ticks(*ENTRY)
    stage.store.press_kill(1)
    await stage.settle(1.0)
    assert stage.store.policies[1].state is TradingState.HALTED

    stage.broker.fill("AB1001-1")
    await stage.settle(1.0)

    assert stage.broker.net(GILLETTE.key) == 0
    assert {"LATE_FILL", "STRAY_POSITION"} <= set(stage.alarm_codes())


async def test_a_kill_that_begins_before_the_broker_told_of_earlier_orders_waits_for_them(stage: Stage) -> None:
    stage.client(squares_off_on_kill=False).script.append(REST)
    stage.plan(GILLETTE, quantity=100)
    await stage.start()
    await stage.ticks(*ENTRY)
    await stage.stop()
    stage.broker.is_readable = False
    await stage.start(holder="second")
    command = stage.store.press_kill(1)
    await stage.settle(3.0)
    assert command not in stage.store.results

    stage.broker.is_readable = True
    await stage.settle(10.0)

    assert stage.broker.live() == []
    assert stage.store.results[command]["left_open"] == {}


async def test_an_account_that_never_signed_in_and_never_traded_keeps_no_kill_open(stage: Stage) -> None:
    """Its positions are unknown, so it is named and not called flat; a person can go on without it."""
    stage.client(2, "XY2001").has_session = False
    await holding(stage)

    command = stage.store.press_kill(None)
    await stage.settle(3.0)

    result = stage.store.results[command]
    assert (result["flat"], result["unconfirmed"]) == (False, ["kite:XY2001"])
    assert stage.broker.net(GILLETTE.key) == 0
    assert stage.store.house_state is TradingState.REDUCING
    told = {event.client_id: event.data["text"] for event in stage.events("KILL_DONE")}
    assert "kite:XY2001 must be signed in" in told[2]
    assert "confirmed by the broker" in told[1]


@pytest.mark.proves("F31", "F68", "I24")
async def test_an_account_that_lost_its_session_after_trading_keeps_the_kill_open(stage: Stage) -> None:
    await holding(stage)
    stage.broker.has_session = False

    command = stage.store.press_kill(1)
    await stage.settle(10.0)
    assert command not in stage.store.results

    stage.broker.has_session = True
    await stage.settle(60.0)
    assert stage.store.results[command]["flat"] is True


async def test_a_command_that_fails_is_told_and_tried_again(stage: Stage) -> None:
    await holding(stage)
    runner = stage.session.house.runners[("kite:AB1001", GILLETTE.key)]
    real, failures = runner.flatten, [RuntimeError("poison")] * 2

    def failing(*args: Any, **kwargs: Any) -> None:
        if failures:
            raise failures.pop()
        real(*args, **kwargs)

    runner.flatten = failing  # type: ignore[method-assign]
    command = stage.store.press_kill(1)
    await stage.settle(10.0)

    assert stage.store.results[command]["flat"] is True
    assert stage.alarm_codes() == ["FLATTEN_FAILED"]


async def test_a_command_without_its_arguments_is_told_to_a_person(stage: Stage) -> None:
    await holding(stage)

    stage.store.add_command(CommandKind.EXIT_POSITION, 1, {}, day=DAY)
    await stage.settle(5.0)

    assert stage.alarm_codes() == ["COMMAND_FAILED"]


async def test_a_kill_of_a_client_that_came_after_the_day_was_loaded_reaches_its_positions(stage: Stage) -> None:
    await holding(stage)
    late = stage.client(2, "XY2001")
    late.prices["NSE:SBIN"] = stage.broker.prices[GILLETTE.key]
    late.trade_by_hand("NSE:SBIN", Side.BUY, 5)

    command = stage.store.press_kill(2)
    await stage.settle(10.0)

    assert late.net("NSE:SBIN") == 0
    assert stage.store.results[command]["flat"] is True


async def two_accounts(stage: Stage) -> Stage:
    """Alice with a position in each of two accounts."""
    stage.client()
    stage.account(1, "AB1002")
    for user_id in ("AB1001", "AB1002"):
        stage.plan(GILLETTE, user_id=user_id, quantity=100)
    await stage.start()
    await stage.ticks(*ENTRY)
    return stage


async def test_the_kill_of_an_account_leaves_the_clients_other_account_alone(stage: Stage) -> None:
    await two_accounts(stage)

    command = stage.store.press_kill(1, account_key="kite:AB1002")
    await stage.settle(1.0)

    assert stage.brokers["kite:AB1002"].net(GILLETTE.key) == 0
    assert stage.brokers["kite:AB1001"].net(GILLETTE.key) == 100
    assert stage.store.account_states == {"kite:AB1002": TradingState.HALTED}
    assert stage.store.policies[1].state is TradingState.ACTIVE
    assert stage.store.results[command]["flat"] is True
    done = stage.events("KILL_DONE")[0]
    assert (done.client_id, done.account_key) == (1, "kite:AB1002")


async def test_after_the_kill_of_an_account_only_that_account_enters_nothing(stage: Stage) -> None:
    await two_accounts(stage)
    stage.store.press_kill(1, account_key="kite:AB1002")
    await stage.settle(1.0)
    for user_id in ("AB1001", "AB1002"):
        stage.plan(INFY, user_id=user_id, quantity=50)
    stage.store.add_command(CommandKind.RELOAD, 1, day=DAY)
    await stage.settle(1.0)

    await stage.tick("09:16:00", "108.00", INFY)
    await stage.tick("09:16:01", "108.10", INFY)

    assert stage.brokers["kite:AB1001"].net(INFY.key) == 50
    assert stage.brokers["kite:AB1002"].net(INFY.key) == 0
    denied = stage.events("ORDER_DENIED")[0]
    assert (denied.account_key, denied.data["message"]) == ("kite:AB1002", "the account was HALTED")


@pytest.mark.proves("F68", "I24")
async def test_the_kill_of_an_account_that_is_not_served_is_not_called_flat(stage: Stage) -> None:
    await holding(stage)
    stage.store.account_states["kite:GONE"] = TradingState.ACTIVE

    command = stage.store.press_kill(1, account_key="kite:GONE")
    await stage.settle(1.0)

    result = stage.store.results[command]
    assert (result["flat"], result["unconfirmed"]) == (False, ["kite:GONE"])
    assert stage.broker.net(GILLETTE.key) == 100


@pytest.mark.proves("F66", "I7")
async def test_the_last_entry_that_left_is_measured_at_the_wire(stage: Stage) -> None:
    """An entry whose claim was committed before the press leaves after it, and is closed."""
    broker = stage.client()
    stage.plan(GILLETTE, quantity=100)
    await stage.start()
    real = stage.store.claim

    async def slow(*args: Any, **kwargs: Any) -> Any:
        stage.store.claim = real  # type: ignore[method-assign]
        claim = await real(*args, **kwargs)
        stage.store.press_kill(1)
        await stage.clock.sleep(0.02)
        return claim

    stage.store.claim = slow  # type: ignore[method-assign]
    await stage.ticks(*ENTRY)
    await stage.settle(3.0)

    (result,) = stage.store.results.values()
    assert [purpose for purpose, _, _ in stage.sent()] == ["ENTRY", "KILL"]
    assert broker.net(GILLETTE.key) == 0
    assert result["last_entry_ms"] == 20


async def test_a_kill_that_leaves_positions_is_not_done_while_an_entry_is_in_doubt(stage: Stage) -> None:
    stage.client(squares_off_on_kill=False).script.append(LOST_RESTING)
    stage.plan(GILLETTE, quantity=100)
    stage.broker.sees_book = False
    await stage.start()
    await stage.ticks(*ENTRY)

    command = stage.store.press_kill(1)
    await stage.settle(20.0)
    assert command not in stage.store.results

    stage.broker.sees_book = True
    await stage.settle(20.0)
    assert stage.broker.live() == []
    assert stage.store.results[command]["left_open"] == {}
