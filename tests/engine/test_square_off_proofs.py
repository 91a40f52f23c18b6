"""The evening goes wrong: a broker that is down, a Beat that is dead, doubled or late, a hundred positions."""

from datetime import datetime
from decimal import Decimal

import pytest

from tests.engine.stage import DAY, GILLETTE, INFY, Stage
from tests.fakes.broker import REST
from trading.domain.control import CommandKind
from trading.domain.orders import Side
from trading.domain.timezone import to_ist


async def holding(stage: Stage, *, long: int = 100, short: int = 50) -> Stage:
    """Long a stock without, short one with a closing auction, both by hand; the engine comes up at 15:07."""
    stage.client()
    stage.plan(GILLETTE, quantity=100)
    stage.plan(INFY, quantity=50)
    for instrument, side, units in ((GILLETTE, Side.BUY, long), (INFY, Side.SELL, short)):
        stage.broker.prices[instrument.key] = Decimal("108.10")
        stage.broker.trade_by_hand(instrument.key, side, units)
    stage.clock.set_ist("15:07:00")
    return await stage.start()


def alarms(stage: Stage, code: str) -> list[tuple[str, str]]:
    """Give time of day and text of the alarms of one code."""
    found = [event for event in stage.events("ALARM") if event.data["code"] == code]
    return [(f"{to_ist(event.at):%H:%M:%S}", event.data["text"]) for event in found]


@pytest.mark.proves("F34", "I6", "I18")
async def test_a_broker_that_is_down_at_the_square_off_is_told_in_seconds_and_closed_at_when_it_is_back(
    stage: Stage,
) -> None:
    await holding(stage)
    await stage.live_until("15:08:00")
    stage.broker.is_down = True

    await stage.live_until("15:08:30")
    await stage.live_until("15:22:00", 5)
    told = alarms(stage, "BROKER_SILENT")
    assert told[0][0] <= "15:08:12"  # positions are read every 5 s: the first failed read is at 15:08:05 at the latest
    assert "+100 NSE:GILLETTE, -50 NSE:INFY" in told[0][1]
    assert "phone desk (+91" in told[0][1]
    assert len(told) >= 12  # every minute again
    assert [at for at, _ in alarms(stage, "NOT_FLAT")][:1] == ["15:14:00"]
    tags = {intent.tag for intent in stage.broker.placed}
    assert len(tags) == len(stage.broker.placed) <= 4
    assert stage.events("SQUARED_OFF") == []

    stage.broker.is_down = False
    await stage.live_until("15:23:00")

    assert (stage.broker.net(GILLETTE.key), stage.broker.net(INFY.key)) == (0, 0)
    whole = [event for event in stage.events("SQUARED_OFF") if event.data["instruments"] == "all"]
    assert len(whole) == 1
    assert all(stage.broker.most_open[key] <= units for key, units in ((GILLETTE.key, 100), (INFY.key, 50)))


@pytest.mark.proves("F49", "F51", "F52", "I6")
async def test_without_any_word_of_beat_the_engine_squares_off_by_its_own_timer(stage: Stage) -> None:
    await holding(stage)

    for moment in ("15:10:00", "15:15:00"):
        await stage.at(moment, 5.0)

    assert (stage.broker.net(GILLETTE.key), stage.broker.net(INFY.key)) == (0, 0)
    assert "NOT_FLAT" not in stage.alarm_codes()
    assert stage.store.commands == {}


@pytest.mark.proves("F50", "F51", "I1", "I4")
async def test_beat_doubled_and_late_the_timer_and_a_person_at_once_square_off_once(stage: Stage) -> None:
    await holding(stage)
    stage.store.add_command(CommandKind.SQUARE_OFF, None, {"only_due": True}, day=DAY)
    await stage.at("15:10:00", 3.0)
    stage.broker.script.append(REST)

    for arguments in ({"scheduled": True}, {"scheduled": True}, {"scheduled": False}):
        stage.store.add_command(CommandKind.SQUARE_OFF, 1, arguments, day=DAY)
    stage.store.add_command(CommandKind.SQUARE_OFF, None, {"only_due": True}, day=DAY)
    await stage.at("15:15:00", 0.5)
    (order,) = stage.broker.live()
    stage.broker.fill(order.order_id)
    await stage.settle(3.0)
    stage.store.add_command(CommandKind.SQUARE_OFF, 1, {"scheduled": True}, day=DAY)  # an hour's backlog of Beat
    await stage.at("16:15:00", 3.0)

    assert sorted(stage.sent()) == [("SQUARE_OFF", "BUY", 50), ("SQUARE_OFF", "SELL", 100)]
    assert len(stage.store.results) == 6
    assert (stage.broker.net(GILLETTE.key), stage.broker.net(INFY.key)) == (0, 0)


@pytest.mark.proves("I6", "I13")
async def test_a_hundred_positions_are_flat_in_time_at_eight_orders_a_second(stage: Stage) -> None:
    await holding(stage)
    for number in range(100):
        key = f"NFO:OPTION{number:04}"
        stage.broker.prices[key] = Decimal(100 + number)
        stage.broker.trade_by_hand(key, Side.SELL if number % 4 == 0 else Side.BUY, 75)
    sent_at: list[float] = []
    stage.broker.before_place = lambda intent: sent_at.append(stage.clock.monotonic())

    await stage.at("15:10:00", 5.0)
    await stage.at("15:14:59", 40.0)
    await stage.live_until("15:16:00")

    assert all(stage.broker.net(key) == 0 for key in stage.broker.prices)
    assert stage.events("SQUARED_OFF")[-1].at <= datetime.fromisoformat("2026-11-23T15:15:30+05:30")
    assert "NOT_FLAT" not in stage.alarm_codes()
    assert max(sum(at <= one < at + 1.0 for one in sent_at) for at in sent_at) == 8
    sides = [side for _, side, _ in stage.sent()[1:]]  # after the auction's stock
    assert sides == ["BUY"] * 25 + ["SELL"] * 76  # shorts first
    symbols = [intent.key.instrument for intent in stage.broker.placed[1:26]]
    assert symbols == sorted(symbols, reverse=True)  # and of them the greatest value
