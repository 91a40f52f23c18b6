"""Minutes before the square-off each client is told what it would be, and what stands in its way. Nothing is sent."""

from collections.abc import Mapping
from datetime import time
from decimal import Decimal
from typing import Any

import pytest

from tests.engine.stage import GILLETTE, INFY, Stage
from trading.domain.orders import Side
from trading.domain.timezone import to_ist


async def holding(stage: Stage, **client: Any) -> Stage:
    """Long a stock without, short one with a closing auction, both by hand."""
    stage.client(**client)
    stage.plan(GILLETTE, quantity=100)
    stage.plan(INFY, quantity=50)
    for instrument, side, units in ((GILLETTE, Side.BUY, 100), (INFY, Side.SELL, 50)):
        stage.broker.prices[instrument.key] = Decimal("108.10")
        stage.broker.trade_by_hand(instrument.key, side, units)
    stage.clock.set_ist("15:00:00")
    return await stage.start()


def rehearsed(stage: Stage) -> list[tuple[str, Mapping[str, Any]]]:
    return [(f"{to_ist(event.at):%H:%M:%S}", event.data) for event in stage.events("SQUARE_OFF_REHEARSED")]


async def test_five_minutes_before_the_first_start_the_plan_is_told_once_and_nothing_is_sent(stage: Stage) -> None:
    await holding(stage)
    await stage.tick("15:04:58", "108.10", GILLETTE)
    await stage.tick("15:04:59", "108.10", INFY)
    assert rehearsed(stage) == []

    await stage.at("15:05:00", 1.0)
    await stage.at("15:06:00", 1.0)

    ((at, told),) = rehearsed(stage)
    assert at == "15:05:00"
    busy = [group for group in told["groups"] if group["positions"]]
    assert [(group["start"], group["flat_by"], group["orders"], group["seconds"]) for group in busy] == [
        ("15:10:00", "15:14:00", 1, 22),
        ("15:15:00", "15:16:00", 1, 22),
    ]
    assert busy[0]["positions"] == [
        {"account": "kite:AB1001", "instrument": INFY.key, "quantity": -50, "orders": 1, "value": "5405.00"}
    ]
    assert (told["fits"], told["hinders"]) == (True, [])
    assert told["text"] == (
        "1 position by 1 order from 15:10:00, about 22 s, flat by 15:14:00; "
        "1 position by 1 order from 15:15:00, about 22 s, flat by 15:16:00. Nothing hinders it"
    )
    assert stage.sent() == []
    assert "SQUARE_OFF_HINDERED" not in stage.alarm_codes()


async def test_on_a_day_without_an_early_start_it_is_at_ten_past_three(stage: Stage) -> None:
    """Nothing is open and the client's time is early: five minutes before that."""
    stage.client(square_off_at=time(14, 30), no_new_entry_after=time(14, 0))
    stage.plan(GILLETTE)
    stage.clock.set_ist("14:00:00")
    await stage.start()

    await stage.at("14:25:00", 1.0)

    ((at, told),) = rehearsed(stage)
    assert (at, told["text"]) == ("14:25:00", "nothing is open. Nothing hinders it")


@pytest.mark.proves("F34")
async def test_an_account_that_cannot_be_read_or_signed_in_is_told_with_an_alarm(stage: Stage) -> None:
    await holding(stage)
    stage.broker.is_readable = False

    await stage.at("15:05:00", 1.0)

    ((_, told),) = rehearsed(stage)
    assert told["hinders"] == ["kite:AB1001 does not answer: its positions are our own count"]
    assert "SQUARE_OFF_HINDERED" in stage.alarm_codes()


@pytest.mark.proves("F22")
@pytest.mark.parametrize(
    ("bands", "words"),
    [
        (("108.10", "150.00"), "NSE:GILLETTE cannot be sold now: it is locked at its circuit limit of 108.10"),
        (("50.00", "108.10"), "NSE:INFY cannot be bought now: it is locked at its circuit limit of 108.10"),
        (("50.00", "150.00"), ""),
    ],
)
async def test_what_is_locked_at_its_circuit_is_told_on_the_side_on_which_nobody_trades(
    stage: Stage, bands: tuple[str, str], words: str
) -> None:
    await holding(stage)
    for instrument in (GILLETTE, INFY):
        stage.broker.bands[instrument.key] = (Decimal(bands[0]), Decimal(bands[1]))

    await stage.at("15:05:00", 2.0)

    ((_, told),) = rehearsed(stage)
    assert told["hinders"] == ([f"{words}, and may stay open overnight"] if words else [])
    assert ("SQUARE_OFF_HINDERED" in stage.alarm_codes()) is bool(words)


async def test_what_the_broker_shows_and_we_do_not_count_is_told(stage: Stage) -> None:
    await holding(stage)
    stage.broker.prices["NSE:SBIN"] = Decimal(800)
    stage.broker.trade_by_hand("NSE:SBIN", Side.BUY, 7)

    await stage.at("15:05:00", 1.0)

    ((_, told),) = rehearsed(stage)
    assert told["hinders"] == [
        "kite:AB1001 shows +100 NSE:GILLETTE, -50 NSE:INFY, +7 NSE:SBIN where we count +100 NSE:GILLETTE, -50 NSE:INFY"
    ]


async def test_more_than_there_is_time_for_is_an_alarm(stage: Stage) -> None:
    """500 contracts, found by an engine that comes up at 15:13: 1,000 calls at 300 a minute are too many."""
    stage.client()
    stage.plan(GILLETTE)
    for number in range(500):
        key = f"NFO:OPTION{number:04}"
        stage.broker.prices[key] = Decimal(100)
        stage.broker.trade_by_hand(key, Side.BUY, 75)
    stage.clock.set_ist("15:13:00")

    await stage.start()
    await stage.at("15:13:02", 3.0)

    ((_, told),) = rehearsed(stage)
    assert told["fits"] is False
    assert told["hinders"][0].startswith("500 orders take about 214 s and only 178 s are left")
    assert "SQUARE_OFF_TOO_LONG" in stage.alarm_codes()
