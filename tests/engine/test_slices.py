"""More than the freeze quantity goes in slices: each an order of its own, one alive at a time."""

from decimal import Decimal
from typing import Any

import pytest

from tests.engine.stage import Stage
from tests.fakes.broker import DIE, DROPPED, REJECT, REST
from trading.domain.instruments import Instrument, InstrumentType
from trading.domain.orders import IntentState, Side

NIFTY = Instrument("NFO", "NIFTY26DECFUT", 99, Decimal("0.05"), 50, InstrumentType.FUT, "NFO-FUT", "NIFTY")
KEY = NIFTY.key
ENTRY = (("09:15:00", "108.00"), ("09:15:01", "108.10"))
QUANTITY = 4000
"""Of a freeze quantity of 1,800: two whole slices and 400."""


async def entered(stage: Stage, *outcomes: str, **policy: Any) -> Stage:
    stage.client(**policy).script.extend(outcomes)
    stage.plan(NIFTY, quantity=QUANTITY)
    await stage.start()
    await stage.ticks(*ENTRY)
    return stage


def units(stage: Stage, purpose: str) -> list[int]:
    return [quantity for name, _, quantity in stage.sent() if name == purpose]


@pytest.mark.proves("F21", "I1")
async def test_an_entry_goes_in_slices_that_the_ladder_counts_as_one(stage: Stage) -> None:
    await entered(stage)

    assert units(stage, "ENTRY") == [1800, 1800, 400]
    assert [intent.key.slice for intent in stage.broker.placed] == [0, 1, 2]
    assert len({intent.tag for intent in stage.broker.placed}) == 3
    runner = stage.session.house.runners[("kite:AB1001", KEY)]
    assert runner.expected_open() == QUANTITY


@pytest.mark.proves("F21", "I5")
async def test_an_exit_goes_in_slices_one_after_the_other(stage: Stage) -> None:
    await entered(stage)
    stage.broker.script.append(REST)
    await stage.tick("09:15:02", "103.00")
    assert units(stage, "STOP") == [1800], "the next waits for this one"

    stage.broker.fill(stage.broker.live()[0].order_id)
    await stage.settle(1.0)

    assert units(stage, "STOP") == [1800, 1800, 400]
    assert [intent.key.slice for intent in stage.broker.placed[3:]] == [0, 1, 2]
    assert stage.broker.net(KEY) == 0


@pytest.mark.proves("F21", "I4")
async def test_the_rest_of_an_exit_goes_on_after_a_slice_that_failed(stage: Stage) -> None:
    await entered(stage)
    stage.broker.script.extend(["fill", REJECT])
    await stage.tick("09:15:02", "103.00")

    await stage.at("09:15:05", 1.0)

    assert units(stage, "STOP") == [1800, 1800, 1800, 400]
    assert len({intent.tag for intent in stage.broker.placed}) == 7
    assert stage.broker.net(KEY) == 0


@pytest.mark.proves("F21")
async def test_the_rest_of_an_entry_goes_on_after_a_slice_that_the_broker_refused(stage: Stage) -> None:
    await entered(stage, "fill", DIE, "fill")
    await stage.settle(1.0)

    assert units(stage, "ENTRY") == [1800, 1800, 400]
    assert stage.broker.net(KEY) == 2200
    await stage.tick("09:15:03", "103.00")
    assert units(stage, "STOP") == [1800, 400]
    assert stage.broker.net(KEY) == 0


@pytest.mark.proves("F18", "F21", "I4")
async def test_an_entry_whose_first_slice_rests_is_over_after_five_seconds(stage: Stage) -> None:
    await entered(stage, "partial:700")

    await stage.at("09:15:06", 1.0)

    assert units(stage, "ENTRY") == [1800]
    await stage.tick("09:15:07", "103.00")
    assert units(stage, "STOP") == [700]
    assert stage.broker.net(KEY) == 0


@pytest.mark.proves("F21", "I7")
async def test_a_kill_between_two_slices_stops_the_entry_and_closes_what_is_open(stage: Stage) -> None:
    await entered(stage, "fill", REST)

    stage.store.press_kill(1)
    await stage.settle(2.0)

    assert units(stage, "ENTRY") == [1800, 1800]
    assert units(stage, "KILL") == [1800]
    assert stage.broker.net(KEY) == 0
    assert stage.broker.live() == []


async def test_a_kill_closes_what_is_open_while_another_slice_of_the_entry_is_in_doubt(stage: Stage) -> None:
    await entered(stage, "fill", DROPPED)

    stage.store.press_kill(1)
    await stage.settle(2.0)

    assert stage.broker.net(KEY) == 0
    assert IntentState.IN_DOUBT in [stored.state for stored in stage.store.intents.values()]


async def test_the_slices_of_an_entry_are_one_trade_and_one_order_value(stage: Stage) -> None:
    await entered(stage, max_trades_per_day=1)
    assert units(stage, "ENTRY") == [1800, 1800, 400]
    await stage.stop()


@pytest.mark.proves("F21", "I13")
async def test_slices_do_not_slip_under_the_limit_of_an_orders_value(stage: Stage) -> None:
    await entered(stage, max_order_value=Decimal(200_000))  # one slice is worth 194,580

    assert stage.sent() == []


@pytest.mark.proves("F21", "I16")
async def test_a_restart_between_two_slices_counts_what_all_of_them_filled(stage: Stage) -> None:
    await entered(stage, "fill", "partial:300")
    await stage.stop()

    await stage.start()
    await stage.at("09:15:07", 2.0)

    assert stage.session.house.runners[("kite:AB1001", KEY)].expected_open() == 2100
    await stage.tick("09:15:10", "103.00")
    assert units(stage, "STOP") == [1800, 300]
    assert stage.broker.net(KEY) == 0


@pytest.mark.proves("F21", "F29", "I4")
async def test_what_the_client_closes_by_hand_between_two_slices_is_not_sold_again(stage: Stage) -> None:
    await entered(stage)
    stage.broker.script.append(REST)
    await stage.tick("09:15:02", "103.00")
    stage.broker.trade_by_hand(KEY, Side.SELL, 2000)
    stage.broker.fill(stage.broker.live()[0].order_id)

    await stage.settle(2.0)

    assert units(stage, "STOP") == [1800, 200]
    assert "EXIT_FAILED" not in stage.alarm_codes()
    assert stage.broker.net(KEY) == 0
