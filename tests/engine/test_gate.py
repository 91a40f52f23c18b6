"""The gate denies entries for every reason it knows, keeps its verdicts, and lets exits pass."""

from dataclasses import replace
from datetime import date, time
from decimal import Decimal
from typing import Any

import pytest

from tests.engine.stage import DAY, GILLETTE, INFY, Stage
from trading.domain.control import CommandKind, TradingState
from trading.domain.orders import Side
from trading.domain.ticks import Tick
from trading.domain.timezone import at_ist

ENTRY = (("09:15:00", "108.00"), ("09:15:01", "108.10"))


def denials(stage: Stage) -> list[str]:
    return [event.data["code"] for event in stage.events("ORDER_DENIED")]


@pytest.mark.proves("I13")
@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"state": TradingState.REDUCING}, "KILL_SWITCH"),
        ({"state": TradingState.HALTED}, "KILL_SWITCH"),
        ({"max_trades_per_day": 0}, "MAX_TRADES_PER_DAY"),
        ({"max_open_positions": 0}, "MAX_OPEN_POSITIONS"),
        ({"max_order_value": Decimal(10809)}, "MAX_ORDER_VALUE"),
    ],
)
async def test_an_entry_against_a_clients_rule_is_denied(stage: Stage, changes: dict[str, Any], code: str) -> None:
    stage.client(**changes)
    stage.plan(GILLETTE, quantity=100)
    await stage.start()

    await stage.ticks(*ENTRY)

    assert stage.sent() == []
    assert denials(stage) == [code]


async def test_an_order_worth_exactly_the_most_passes(stage: Stage) -> None:
    stage.client(max_order_value=Decimal(10810), max_trades_per_day=1, max_open_positions=1)
    stage.plan(GILLETTE, quantity=100)
    await stage.start()

    await stage.ticks(*ENTRY)

    assert len(stage.sent()) == 1


@pytest.mark.proves("I13")
async def test_the_second_position_beyond_the_limit_is_denied(stage: Stage) -> None:
    stage.client(max_open_positions=1)
    stage.plan(GILLETTE, quantity=100)
    stage.plan(INFY, quantity=100)
    await stage.start()
    await stage.ticks(*ENTRY)

    await stage.tick("09:15:02", "108.00", INFY)
    await stage.tick("09:15:03", "108.10", INFY)

    assert len(stage.sent()) == 1
    assert denials(stage) == ["MAX_OPEN_POSITIONS"]


@pytest.mark.proves("F60", "I8")
async def test_a_holiday_enters_nothing_and_says_why() -> None:
    stage = Stage(day=date(2026, 12, 25))
    stage.client()
    stage.plan(GILLETTE, quantity=100)
    await stage.start()

    await stage.ticks(*ENTRY)
    await stage.settle(0.5)

    assert stage.sent() == []
    assert denials(stage) == ["MARKET_CLOSED"]
    assert "holiday" in stage.live.last("state")["reason"]
    await stage.stop()


@pytest.mark.proves("F60", "I8")
async def test_in_a_year_that_no_calendar_knows_nothing_is_entered_and_what_is_open_can_be_closed() -> None:
    stage = Stage(day=date(2031, 1, 6))
    stage.client()
    stage.plan(GILLETTE, quantity=100)
    await stage.start()
    await stage.ticks(*ENTRY)
    assert stage.sent() == []
    assert "no holiday list of 2031 is known" in stage.events("ORDER_DENIED")[0].data["message"]

    stage.broker.trade_by_hand(GILLETTE.key, Side.BUY, 50)
    await stage.settle(31.0)
    stage.store.press_kill(1)
    await stage.settle(3.0)

    assert stage.sent() == [("KILL", "SELL", 50)]
    assert stage.alarm_codes() == []
    await stage.stop()


@pytest.mark.proves("F02", "I8")
async def test_an_entry_on_a_stale_tick_is_denied(stage: Stage) -> None:
    stage.client()
    stage.plan(GILLETTE, quantity=100)
    await stage.start()
    await stage.tick("09:15:00", "108.00")

    stage.clock.set_ist("09:15:10")
    old = int(at_ist(DAY, time(9, 15, 5)).timestamp())
    stage.feed.put(Tick(GILLETTE.token, 1081000, old, 0, 0, 0, 1081000, 1))
    await stage.settle(0.5)

    assert stage.sent() == []
    assert denials(stage) == ["STALE_TICK"]


@pytest.mark.proves("F05", "I8", "I13")
async def test_an_entry_far_from_yesterdays_close_is_not_believed(stage: Stage) -> None:
    stage.client()
    stage.plan(GILLETTE, quantity=100)
    await stage.start()
    await stage.tick("09:15:00", "108.00")

    stage.clock.set_ist("09:15:01")
    now = int(stage.clock.now().timestamp())
    stage.feed.put(Tick(GILLETTE.token, 1081000, now, 0, 0, 0, 800000, 1))
    await stage.settle(0.5)

    assert denials(stage) == ["PRICE_COLLAR"]


@pytest.mark.proves("F01")
async def test_exits_pass_while_the_client_is_reducing_and_the_feed_is_silent(stage: Stage) -> None:
    stage.client()
    stage.plan(GILLETTE, quantity=100)
    await stage.start()
    await stage.ticks(*ENTRY)
    stage.store.policies[1] = replace(stage.store.policies[1], state=TradingState.REDUCING)
    stage.clock.set_ist("09:30:00")
    await stage.settle(5.0)

    stage.store.add_command(CommandKind.SQUARE_OFF, 1, {}, day=DAY)
    await stage.settle(1.0)

    assert stage.sent()[1:] == [("SQUARE_OFF", "SELL", 100)]


@pytest.mark.proves("I8", "I16")
async def test_an_account_that_is_not_reconciled_enters_nothing(stage: Stage) -> None:
    stage.client().is_readable = False
    stage.plan(GILLETTE, quantity=100)
    await stage.start()

    await stage.ticks(*ENTRY)
    assert stage.sent() == []

    stage.broker.is_readable = True
    await stage.settle(40.0)
    await stage.ticks(("09:16:00", "108.00"), ("09:16:01", "108.10"))
    assert stage.sent() == [("ENTRY", "BUY", 100)]


async def test_nothing_is_entered_while_the_price_of_what_is_open_is_not_known(stage: Stage) -> None:
    """The day's loss could be anything: nobody can say that its limit is not reached."""
    broker = stage.client(daily_loss_limit=Decimal(1000))
    stage.plan(GILLETTE, quantity=100)
    broker.prices[INFY.key] = Decimal(1500)
    broker.trade_by_hand(INFY.key, Side.BUY, 10)
    broker.quotes_fail = True
    await stage.start()

    await stage.ticks(*ENTRY)

    assert stage.sent() == []
    assert denials(stage) == ["UNPRICED"]


async def test_a_denied_entry_does_not_count_as_an_entry(stage: Stage) -> None:
    stage.client(state=TradingState.REDUCING)
    stage.plan(GILLETTE, quantity=100)
    await stage.start()
    await stage.ticks(*ENTRY)
    stage.store.policies[1] = replace(stage.store.policies[1], state=TradingState.ACTIVE)
    await stage.settle(1.0)

    await stage.ticks(("09:16:00", "108.00"), ("09:16:01", "108.10"))

    assert stage.sent() == [("ENTRY", "BUY", 100)]
