"""After the close: units and P&L to the paisa; a difference holds the client off until a person looked."""

from dataclasses import replace
from decimal import Decimal

import pytest

from tests.engine.stage import GILLETTE, Stage
from trading.domain.control import TradingState
from trading.domain.orders import BrokerPosition, Side

ENTRY = (("09:15:00", "108.00"), ("09:15:01", "108.10"))


async def to_the_end(stage: Stage, paise: str = "0") -> None:
    """Trade a position of 100 in and out; from 15:30 on the broker's P&L is off by so much."""
    stage.client()
    stage.plan(GILLETTE, quantity=100)
    await stage.start()
    await stage.ticks(*ENTRY, ("09:15:02", "103.00"))
    real = stage.broker.positions

    async def shown() -> list[BrokerPosition]:
        return [replace(row, pnl=row.pnl + Decimal(paise)) for row in await real()]

    stage.broker.positions = shown  # type: ignore[method-assign]
    await stage.at("15:30:00", 1.0)
    await stage.at("16:00:00", 3.0)


@pytest.mark.proves("I11")
async def test_a_day_that_agrees_is_said_to_agree(stage: Stage) -> None:
    await to_the_end(stage)

    (event,) = stage.events("CLOSING_CHECK")
    assert event.data["differences"] == []
    assert stage.store.policies[1].state is TradingState.ACTIVE


@pytest.mark.proves("I9", "I11")
@pytest.mark.parametrize("paise", ["0.01", "-0.01"])
async def test_a_paisa_of_difference_is_an_alarm_and_holds_the_client_off(stage: Stage, paise: str) -> None:
    await to_the_end(stage, paise)

    assert "CLOSING_DIFFERS" in stage.alarm_codes()
    assert stage.store.policies[1].state is TradingState.REDUCING
    assert "NSE:GILLETTE MIS: our P&L is -510.00" in stage.events("CLOSING_CHECK")[0].data["text"]


@pytest.mark.proves("F29", "I9", "I11")
async def test_what_was_traded_by_hand_and_in_another_product_is_compared_too(stage: Stage) -> None:
    stage.client()
    stage.plan(GILLETTE, quantity=100)
    await stage.start()
    stage.broker.prices["NSE:SBIN"] = Decimal(800)
    stage.broker.trade_by_hand("NSE:SBIN", Side.BUY, 7, "CNC")
    await stage.at("16:00:00", 3.0)
    assert stage.events("CLOSING_CHECK")[0].data["differences"] == []


@pytest.mark.proves("I11")
async def test_a_broker_that_cannot_be_read_after_the_close_is_an_alarm_and_no_agreement(stage: Stage) -> None:
    stage.client()
    stage.plan(GILLETTE, quantity=100)
    await stage.start()
    await stage.ticks(*ENTRY, ("09:15:02", "103.00"))
    stage.broker.is_readable = False

    for minute in range(6):
        await stage.at(f"16:0{minute}:00", 2.0)

    assert stage.events("CLOSING_CHECK") == []
    assert "CLOSING_UNCHECKED" in stage.alarm_codes()


async def test_a_day_without_a_trade_has_nothing_to_compare(stage: Stage) -> None:
    stage.client()
    await stage.start()

    await stage.at("16:00:00", 3.0)

    assert stage.events("CLOSING_CHECK") == []
