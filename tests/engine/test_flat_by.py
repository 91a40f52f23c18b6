"""At the moment to be flat at the broker is asked once more; the alarm names what is open, and what nobody can see."""

from decimal import Decimal

import pytest

from tests.engine.stage import DAY, GILLETTE, INFY, Stage
from tests.fakes.broker import LOST_RESTING, REST
from trading.domain.control import CommandKind
from trading.domain.orders import OrderIntent, Side


async def evening(stage: Stage) -> Stage:
    """Nothing open; INFY has to be flat at 15:14, everything at 15:16."""
    stage.client()
    stage.plan(GILLETTE, quantity=100)
    stage.plan(INFY, quantity=50)
    for one in (GILLETTE, INFY):
        stage.broker.prices[one.key] = Decimal("108.10")
    stage.clock.set_ist("15:09:40")
    return await stage.start()


def not_flat(stage: Stage) -> list[str]:
    return [text for _, code, text in stage.store.alarms if code == "NOT_FLAT"]


@pytest.mark.proves("F29", "I6")
async def test_what_a_hand_opened_after_the_confirmed_square_off_is_closed_and_named_when_it_must_be_flat(
    stage: Stage,
) -> None:
    await evening(stage)
    await stage.live_until("15:10:10")
    assert len(stage.events("SQUARED_OFF")) == 1
    stage.broker.trade_by_hand(INFY.key, Side.SELL, 5)

    await stage.at("15:13:50", 6.0)
    await stage.at("15:14:00", 5.0)

    assert "kite:AB1001: -5 NSE:INFY" in not_flat(stage)[0]
    assert stage.broker.net(INFY.key) == 0
    assert len(stage.events("SQUARED_OFF")) == 2


@pytest.mark.proves("I6")
async def test_where_nothing_was_traded_since_the_last_look_is_silent(stage: Stage) -> None:
    await evening(stage)
    await stage.at("15:10:00", 1.0)
    await stage.at("15:13:59", 6.0)
    read = stage.broker.calls.count("positions")
    await stage.at("15:14:00", 0.5)
    assert stage.broker.calls.count("positions") > read

    for at in ("15:14:05", "15:15:00", "15:16:00", "15:16:05"):
        await stage.at(at, 5.0)

    assert [event.data["instruments"] for event in stage.events("SQUARED_OFF")][1:] == ["all"]
    assert not_flat(stage) == []


@pytest.mark.proves("F29", "I6")
async def test_a_person_s_square_off_earlier_in_the_day_is_no_word_for_the_evening(stage: Stage) -> None:
    await evening(stage)
    stage.store.add_command(CommandKind.SQUARE_OFF, 1, {}, day=DAY)
    await stage.settle(2.0)
    stage.broker.trade_by_hand(INFY.key, Side.BUY, 5)
    stage.broker.script.extend([REST] * 9)

    await stage.at("15:13:50", 6.0)
    await stage.at("15:14:00", 5.0)

    assert "+5 NSE:INFY" in not_flat(stage)[0]


@pytest.mark.proves("F34", "I6")
async def test_a_broker_that_went_away_after_flat_was_confirmed_is_named_with_the_time_of_its_last_word(
    stage: Stage,
) -> None:
    await evening(stage)
    await stage.live_until("15:10:10")
    stage.broker.is_down = True

    await stage.at("15:13:50", 1.0)
    await stage.at("15:14:00", 6.0)
    await stage.at("15:14:05", 1.0)

    assert "kite:AB1001: it could not be read since 15:10:10, what is open there is not known" in not_flat(stage)[0]


@pytest.mark.proves("F11", "F34", "I6")
async def test_an_order_of_which_nobody_knows_what_became_is_named_with_its_units(stage: Stage) -> None:
    stage.client()
    stage.plan(GILLETTE, quantity=100)
    await stage.start()
    stage.broker.script.append(LOST_RESTING)

    def goes_down(intent: OrderIntent) -> None:
        stage.broker.is_readable = stage.broker.takes_cancels = stage.broker.tells_updates = False

    stage.broker.before_place = goes_down
    await stage.ticks(("14:59:00", "108.00"), ("14:59:01", "108.10"))
    await stage.at("15:10:00", 1.0)
    await stage.at("15:15:00", 1.0)
    await stage.at("15:16:00", 1.0)

    assert "BUY 100 NSE:GILLETTE may have filled" in not_flat(stage)[-1]
    assert "it could not be read since 09:14:00, more may be open" in not_flat(stage)[-1]


@pytest.mark.proves("F30", "I4")
async def test_an_exit_that_met_a_position_closed_already_is_told_and_put_right(stage: Stage) -> None:
    await evening(stage)
    stage.broker.trade_by_hand(INFY.key, Side.SELL, 6)
    await stage.settle(10.0)

    def closes(intent: OrderIntent) -> None:
        stage.broker.before_place = lambda _: None
        stage.broker.trade_by_hand(INFY.key, Side.BUY, 6)
        stage.clock.set_ist("15:10:01")

    stage.broker.before_place = closes
    stage.broker.script.extend(["partial:2", REST])
    await stage.at("15:10:00", 10.0)

    told = [text for _, code, text in stage.store.alarms if code == "STRAY_POSITION"]
    assert told == ["+2 NSE:INFY are open: the exit met a position that was closed already"]
    assert [(i.side.value, i.quantity) for i in stage.broker.placed] == [("BUY", 6), ("SELL", 2)]
