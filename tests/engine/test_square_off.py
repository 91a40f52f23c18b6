"""The end of the day: at the planned times, once, verified with the broker, whoever asks."""

from dataclasses import replace
from datetime import time
from decimal import Decimal

import pytest

from tests.engine.stage import DAY, GILLETTE, INFY, Stage
from tests.fakes.broker import REST
from trading.domain.control import CommandKind
from trading.domain.orders import BrokerPosition, Side
from trading.domain.timezone import at_ist


async def holding_both(stage: Stage) -> Stage:
    """Long 100 of a stock without and 50 of one with a closing auction."""
    stage.client()
    stage.plan(GILLETTE, quantity=100)
    stage.plan(INFY, quantity=50)
    await stage.start()
    for instrument in (GILLETTE, INFY):
        await stage.tick("09:15:00", "108.00", instrument)
        await stage.tick("09:15:01", "108.10", instrument)
    return stage


@pytest.mark.proves("F61", "I6")
async def test_a_stock_with_a_closing_auction_goes_at_1510_and_the_others_at_the_clients_time(stage: Stage) -> None:
    await holding_both(stage)

    await stage.at("15:09:59", 1.0)
    assert len(stage.sent()) == 2
    await stage.at("15:10:00", 1.0)
    assert stage.broker.net(INFY.key) == 0
    assert stage.broker.net(GILLETTE.key) == 100
    await stage.at("15:15:00", 1.0)

    assert stage.sent()[2:] == [("SQUARE_OFF", "SELL", 50), ("SQUARE_OFF", "SELL", 100)]
    assert stage.alarm_codes() == []
    assert [event.data["instruments"] for event in stage.events("SQUARED_OFF")] == [[INFY.key], "all"]


async def test_a_tick_at_the_square_off_time_and_the_timer_make_one_order(stage: Stage) -> None:
    await holding_both(stage)

    await stage.tick("15:10:00", "108.20", INFY)
    await stage.settle(1.0)

    assert stage.sent()[2:] == [("SQUARE_OFF", "SELL", 50)]
    assert [e["event"] for e in stage.ladder_events()].count("SQUARE_OFF") == 1


@pytest.mark.proves("F50", "I1", "I4")
async def test_beat_timer_and_a_person_together_square_off_once(stage: Stage) -> None:
    await holding_both(stage)
    stage.broker.script.extend([REST, REST])

    first = stage.store.add_command(CommandKind.SQUARE_OFF, 1, {"scheduled": True}, day=DAY)
    await stage.at("15:14:59", 0.5)
    second = stage.store.add_command(CommandKind.SQUARE_OFF, 1, {"scheduled": False}, day=DAY)
    await stage.settle(0.5)
    for order in stage.broker.live():
        stage.broker.fill(order.order_id)
    await stage.settle(3.0)

    assert sorted(stage.sent()[2:]) == [("SQUARE_OFF", "SELL", 50), ("SQUARE_OFF", "SELL", 100)]
    assert stage.store.results == {first: {"flat": True}, second: {"flat": True}}
    assert stage.broker.net(INFY.key) == stage.broker.net(GILLETTE.key) == 0


async def test_after_the_square_off_nothing_is_entered(stage: Stage) -> None:
    await holding_both(stage)
    stage.store.add_command(CommandKind.SQUARE_OFF, 1, {}, day=DAY)
    await stage.settle(1.0)

    await stage.tick("11:00:00", "101.00", INFY)
    await stage.tick("11:00:01", "100.90", INFY)

    assert len(stage.sent()) == 4


async def test_shorts_are_closed_first(stage: Stage) -> None:
    stage.client()
    stage.plan(GILLETTE, quantity=100)
    stage.plan(INFY, quantity=50)
    await stage.start()
    await stage.tick("09:15:00", "108.00", GILLETTE)
    await stage.tick("09:15:01", "108.10", GILLETTE)
    await stage.tick("09:15:00", "101.00", INFY)
    await stage.tick("09:15:02", "100.90", INFY)

    stage.store.add_command(CommandKind.SQUARE_OFF, 1, {}, day=DAY)
    await stage.settle(1.0)

    assert stage.sent()[2:] == [("SQUARE_OFF", "BUY", 50), ("SQUARE_OFF", "SELL", 100)]


@pytest.mark.proves("F29", "I6")
async def test_what_the_client_holds_by_hand_goes_too_also_in_instruments_nobody_planned(stage: Stage) -> None:
    await holding_both(stage)
    stage.broker.prices["NSE:SBIN"] = stage.broker.prices[INFY.key]
    stage.broker.trade_by_hand("NSE:SBIN", Side.SELL, 7)
    stage.broker.trade_by_hand(INFY.key, Side.BUY, 5)

    await stage.at("15:14:00", 5.0)
    await stage.at("15:15:00", 12.0)

    assert stage.broker.net("NSE:SBIN") == 0
    assert stage.broker.net(INFY.key) == 0


@pytest.mark.proves("I6", "I18")
async def test_a_client_that_is_not_flat_in_time_alarms_with_instrument_and_quantity(stage: Stage) -> None:
    await holding_both(stage)
    stage.broker.script.extend([REST] * 9)

    await stage.at("15:10:00", 1.0)
    await stage.at("15:14:30", 1.0)

    assert ("NOT_FLAT") in stage.alarm_codes()
    text = next(text for _, code, text in stage.store.alarms if code == "NOT_FLAT")
    assert "+50 NSE:INFY" in text
    assert "15:14:00" in text
    assert "phone desk" in text


@pytest.mark.proves("F28", "I6", "I24")
async def test_positions_that_cannot_be_read_are_not_flat(stage: Stage) -> None:
    await holding_both(stage)
    stage.broker.is_readable = False

    await stage.at("15:10:00", 1.0)
    await stage.at("15:14:30", 1.0)

    assert stage.events("SQUARED_OFF") == []
    assert "NOT_FLAT" in stage.alarm_codes()


@pytest.mark.proves("F51", "F56", "I6", "I16")
async def test_an_engine_that_starts_after_the_time_squares_off_at_once(stage: Stage) -> None:
    await holding_both(stage)
    await stage.stop()
    stage.clock.set_ist("15:12:00")

    await stage.start()
    await stage.settle(2.0)

    assert stage.broker.net(INFY.key) == 0
    assert stage.broker.net(GILLETTE.key) == 100


@pytest.mark.proves("I4", "I5")
async def test_a_target_exit_that_rests_is_cancelled_before_the_square_off(stage: Stage) -> None:
    await holding_both(stage)
    stage.broker.script.append(REST)
    await stage.tick("15:09:58", "108.60", INFY)
    assert stage.broker.live()[0].quantity == 5

    await stage.at("15:10:00", 1.0)

    assert stage.sent()[3:] == [("SQUARE_OFF", "SELL", 50)]
    assert stage.broker.net(INFY.key) == 0


async def test_what_the_client_bought_by_hand_goes_before_the_closing_auction_too(stage: Stage) -> None:
    """Nobody described it: a stock may have an auction, an option has none."""
    await holding_both(stage)
    for key in ("NSE:SBIN", "NFO:NIFTY26NOV25000CE"):
        stage.broker.prices[key] = stage.broker.prices[INFY.key]
        stage.broker.trade_by_hand(key, Side.BUY, 75)

    await stage.at("15:10:00", 6.0)

    assert stage.broker.net("NSE:SBIN") == 0
    assert stage.broker.net("NFO:NIFTY26NOV25000CE") == 75
    assert stage.broker.net(GILLETTE.key) == 100
    await stage.at("15:15:00", 6.0)
    assert stage.broker.net("NFO:NIFTY26NOV25000CE") == 0


@pytest.mark.proves("F11", "I6")
async def test_a_square_off_is_not_confirmed_before_the_broker_told_of_earlier_orders(stage: Stage) -> None:
    stage.client(square_off_at=time(14, 0), no_new_entry_after=time(14, 0)).script.append("lost resting")
    stage.plan(GILLETTE, quantity=100)
    await stage.start()
    await stage.ticks(("13:59:58", "108.00"), ("13:59:59", "108.10"))
    await stage.stop()
    stage.clock.set_ist("14:00:05")
    stage.broker.is_readable = False
    real = stage.broker.positions

    async def positions_only() -> list[BrokerPosition]:
        stage.broker.is_readable = True
        answer = await real()
        stage.broker.is_readable = False
        return answer

    stage.broker.positions = positions_only  # type: ignore[method-assign]
    await stage.start(holder="second")
    await stage.settle(5.0)
    assert stage.events("SQUARED_OFF") == []

    stage.broker.positions = real  # type: ignore[method-assign]
    stage.broker.is_readable = True
    await stage.settle(20.0)

    assert stage.broker.live() == []
    assert len(stage.events("SQUARED_OFF")) == 1


async def test_a_square_off_by_hand_earlier_in_the_day_does_not_silence_the_alarm_of_the_evening(stage: Stage) -> None:
    await holding_both(stage)
    stage.store.add_command(CommandKind.SQUARE_OFF, 1, {}, day=DAY)
    await stage.settle(2.0)
    assert len(stage.events("SQUARED_OFF")) == 1
    stage.broker.trade_by_hand(GILLETTE.key, Side.BUY, 5)
    stage.broker.script.extend([REST] * 9)

    await stage.at("15:15:00", 3.0)
    await stage.at("15:16:00", 1.0)

    text = next(text for _, code, text in stage.store.alarms if code == "NOT_FLAT")
    assert "+5 NSE:GILLETTE" in text


async def test_a_square_off_by_hand_still_counts_after_a_restart(stage: Stage) -> None:
    await holding_both(stage)
    stage.store.add_command(CommandKind.SQUARE_OFF, 1, {}, day=DAY)
    await stage.settle(1.0)
    await stage.stop()
    sbin = replace(INFY, tradingsymbol="SBIN", token=779521)
    stage.plan(sbin, quantity=10)

    await stage.start(holder="second")
    await stage.tick("11:00:00", "108.00", sbin)
    await stage.tick("11:00:01", "108.10", sbin)

    assert len(stage.sent()) == 4


@pytest.mark.proves("F29", "I6", "I27")
async def test_the_alarm_names_what_the_broker_shows_though_no_trade_explains_it(stage: Stage) -> None:
    """A position converted by hand is in the positions and in no trade: only a person can say what it is."""
    await holding_both(stage)
    real, reads = stage.broker.positions, []

    async def with_converted() -> list[BrokerPosition]:
        zero = Decimal(0)
        reads.append(stage.clock.monotonic())
        return [*await real(), BrokerPosition("NSE:SBIN", "MIS", 30, zero, zero, zero)]

    stage.broker.positions = with_converted  # type: ignore[method-assign]
    await stage.at("15:10:00", 3.0)
    reads.clear()
    await stage.settle(60.0)
    await stage.at("15:14:30", 1.0)

    text = next(text for _, code, text in stage.store.alarms if code == "NOT_FLAT")
    assert "+30 NSE:SBIN" in text
    assert len(reads) < 30


async def test_only_what_is_due_is_squared_off_when_beat_asks_for_that(stage: Stage) -> None:
    await holding_both(stage)
    stage.clock.set_ist("15:10:00")
    flat_by = at_ist(DAY, time(15, 14))
    stage.session.tools.timers.cancel(("square off", 1, flat_by))

    command = stage.store.add_command(CommandKind.SQUARE_OFF, None, {"only_due": True}, day=DAY)
    await stage.settle(2.0)

    assert stage.store.results[command] == {"flat": True}
    assert (stage.broker.net(INFY.key), stage.broker.net(GILLETTE.key)) == (0, 100)


@pytest.mark.proves("F19", "I6")
async def test_an_exit_that_was_given_up_is_tried_again_after_two_minutes(stage: Stage) -> None:
    await holding_both(stage)
    stage.broker.script.extend(["reject"] * 5)
    await stage.at("15:10:00", 1.0)
    for at in ("15:10:02", "15:10:06", "15:10:14", "15:10:22", "15:10:30", "15:11:30"):
        await stage.at(at, 0.3)
    assert "EXIT_GIVEN_UP" in stage.alarm_codes()
    assert len(stage.sent()) == 2 + 5

    await stage.at("15:12:31", 3.0)

    assert stage.broker.net(INFY.key) == 0
