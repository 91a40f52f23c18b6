"""Daily limits: reached means closed and latched until the next session."""

import asyncio
from dataclasses import replace
from datetime import time, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.engine.stage import DAY, GILLETTE, INFY, Stage
from trading.domain.control import CommandKind, TradingState
from trading.domain.money import to_scaled
from trading.domain.ticks import Tick
from trading.domain.timezone import at_ist
from trading.engine.client import DayPnl

ENTRY = (("09:15:00", "108.00"), ("09:15:01", "108.10"))


@pytest.mark.proves("I13")
async def test_an_open_loss_at_the_limit_closes_everything_and_latches(stage: Stage) -> None:
    stage.client(daily_loss_limit=Decimal(200))
    stage.plan(GILLETTE, quantity=100)
    await stage.start()
    await stage.ticks(*ENTRY, ("09:15:02", "106.15"))
    assert len(stage.sent()) == 1

    await stage.tick("09:15:03", "106.10")
    await stage.settle(1.0)

    assert stage.sent()[1:] == [("LIMIT_REACHED", "SELL", 100)]
    assert stage.store.policies[1].state is TradingState.ACTIVE
    assert stage.store.latches[1].state is TradingState.HALTED
    assert "loss limit of 200" in stage.store.latches[1].reason


@pytest.mark.proves("I13")
async def test_a_latched_client_enters_nothing_more_today(stage: Stage) -> None:
    stage.client(daily_loss_limit=Decimal(100))
    stage.plan(GILLETTE, quantity=100)
    stage.plan(INFY, quantity=100)
    await stage.start()
    await stage.ticks(*ENTRY, ("09:15:02", "107.10"))
    await stage.settle(1.0)

    await stage.tick("09:16:00", "108.00", INFY)
    await stage.tick("09:16:01", "108.10", INFY)

    assert [purpose for purpose, _, _ in stage.sent()] == ["ENTRY", "LIMIT_REACHED"]


async def test_a_closed_loss_counts_together_with_an_open_one(stage: Stage) -> None:
    stage.client(daily_loss_limit=Decimal(520))
    stage.plan(GILLETTE, quantity=100)
    stage.plan(INFY, quantity=100)
    await stage.start()
    await stage.ticks(*ENTRY, ("09:15:02", "103.10"))
    assert stage.broker.realised() == Decimal(-500)

    await stage.tick("09:16:00", "108.00", INFY)
    await stage.tick("09:16:01", "108.10", INFY)
    await stage.tick("09:16:02", "107.95", INFY)
    assert stage.sent()[-1] == ("ENTRY", "BUY", 100)
    await stage.tick("09:16:03", "107.90", INFY)
    await stage.settle(1.0)

    assert stage.sent()[-1] == ("LIMIT_REACHED", "SELL", 100)


async def test_the_profit_limit_closes_too(stage: Stage) -> None:
    stage.client(daily_profit_limit=Decimal(40))
    stage.plan(GILLETTE, quantity=100)
    await stage.start()

    await stage.ticks(*ENTRY, ("09:15:02", "108.50"))
    await stage.settle(1.0)

    assert stage.sent()[1:] == [("LIMIT_REACHED", "SELL", 100)]
    assert stage.broker.realised() == Decimal("40.00")


@pytest.mark.proves("I13", "I16")
async def test_the_latch_survives_a_restart(stage: Stage) -> None:
    stage.client(daily_profit_limit=Decimal(40))
    stage.plan(GILLETTE, quantity=100)
    stage.plan(INFY, quantity=100)
    await stage.start()
    await stage.ticks(*ENTRY, ("09:15:02", "108.50"))
    await stage.settle(1.0)
    await stage.stop()

    await stage.start()
    await stage.tick("09:16:00", "108.00", INFY)
    await stage.tick("09:16:01", "108.10", INFY)

    assert len(stage.sent()) == 2


async def test_the_page_is_told_pnl_and_what_is_left_of_the_limits(stage: Stage) -> None:
    stage.client(daily_loss_limit=Decimal(1000), daily_profit_limit=Decimal(2000))
    stage.plan(GILLETTE, quantity=100)
    await stage.start()

    await stage.ticks(*ENTRY, ("09:15:02", "108.05"))
    await stage.settle(0.5)

    assert stage.live.last("pnl") == {
        "realised": "0.00",
        "unrealised": "-5.00",
        "total": "-5.00",
        "loss_left": "995.00",
        "profit_left": "2005.00",
        "unpriced": [],
    }
    position = stage.live.last("position")
    assert (position["side"], position["open"], position["k"], position["stop"]) == ("long", 100, 0, "103.10")


async def test_the_curve_keeps_one_point_a_market_minute(stage: Stage) -> None:
    stage.client()
    stage.plan(GILLETTE, quantity=100)
    await stage.start()

    await stage.ticks(*ENTRY, ("09:15:30", "108.20"), ("09:16:00", "108.30"))
    await stage.settle(1.0)

    assert list(stage.store.pnl.values()) == [(Decimal(0), Decimal(0)), (Decimal(0), Decimal(20))]


async def both(stage: Stage) -> Stage:
    """Two instruments armed, to be crossed in one batch."""
    stage.plan(GILLETTE, quantity=100)
    stage.plan(INFY, quantity=50)
    await stage.start()
    await stage.tick("09:15:00", "108.00", GILLETTE)
    await stage.tick("09:15:00", "108.00", INFY)
    return stage


async def cross_both(stage: Stage) -> None:
    """Both entries are decided in the same turn."""
    stage.clock.set_ist("09:15:01")
    stamp, price = int(stage.clock.now().timestamp()), to_scaled(Decimal("108.10"))
    for instrument in (GILLETTE, INFY):
        stage.broker.prices[instrument.key] = Decimal("108.10")
        stage.feed.put(Tick(instrument.token, price, stamp, price, price, price, price, 1))
    await stage.settle(1.0)


@pytest.mark.proves("I13")
@pytest.mark.parametrize("limits", [{"max_trades_per_day": 1}, {"max_open_positions": 1}])
async def test_of_two_entries_decided_at_once_the_limit_lets_exactly_one_pass(
    stage: Stage, limits: dict[str, Any]
) -> None:
    stage.client(**limits)
    await both(stage)

    await cross_both(stage)

    assert stage.sent() == [("ENTRY", "BUY", 100)]


async def latch_waits_for_the_database(stage: Stage) -> asyncio.Event:
    """Reach the limit while the latch cannot be stored; the event lets it be."""
    stage.client(daily_loss_limit=Decimal(100))
    await both(stage)
    await stage.tick("09:15:01", "108.10", GILLETTE)
    real, waiting = stage.store.lower_state, asyncio.Event()

    async def slow(*args: Any, **kwargs: Any) -> None:
        await waiting.wait()
        await real(*args, **kwargs)

    stage.store.lower_state = slow  # type: ignore[method-assign]
    await stage.tick("09:15:02", "107.10", GILLETTE)
    await stage.settle(1.0)
    return waiting


@pytest.mark.proves("I13")
async def test_rows_read_before_the_latch_was_stored_do_not_let_an_entry_pass(stage: Stage) -> None:
    waiting = await latch_waits_for_the_database(stage)

    await stage.tick("09:15:03", "108.30", GILLETTE)
    await stage.tick("09:15:04", "108.10", INFY)

    assert [purpose for purpose, _, _ in stage.sent()] == ["ENTRY", "LIMIT_REACHED"]
    waiting.set()
    await stage.settle(1.0)
    assert [purpose for purpose, _, _ in stage.sent()] == ["ENTRY", "LIMIT_REACHED"]
    assert stage.store.latches[1].state is TradingState.HALTED


async def test_a_latch_that_cannot_be_stored_keeps_no_exit_waiting(stage: Stage) -> None:
    await latch_waits_for_the_database(stage)

    assert stage.sent()[-1] == ("LIMIT_REACHED", "SELL", 100)
    assert stage.store.latches == {}


async def test_a_limit_that_was_reached_is_told_to_people(stage: Stage) -> None:
    stage.client(daily_loss_limit=Decimal(100))
    stage.plan(GILLETTE, quantity=100)
    await stage.start()

    await stage.ticks(*ENTRY, ("09:15:02", "107.10"))
    await stage.settle(1.0)

    assert stage.alarm_codes() == ["DAILY_LIMIT"]


async def test_one_paisa_before_the_limit_nothing_happens_and_at_it_everything_closes(stage: Stage) -> None:
    stage.client(daily_loss_limit=Decimal(100), daily_profit_limit=Decimal(100))
    stage.plan(GILLETTE, quantity=1)
    await stage.start()
    await stage.ticks(*ENTRY)
    client = stage.session.house.clients[1]

    for pnl in ("-99.99", "99.99"):
        stage.session._limits.judge(client, DayPnl(Decimal(pnl), Decimal(0)))
    await stage.settle(1.0)
    assert len(stage.sent()) == 1
    stage.session._limits.judge(client, DayPnl(Decimal("60.00"), Decimal("40.00")))
    await stage.settle(1.0)

    assert stage.sent()[1:] == [("LIMIT_REACHED", "SELL", 1)]
    assert "profit limit" in stage.store.latches[1].reason


@pytest.mark.proves("F63")
async def test_on_the_next_day_a_limit_of_yesterday_holds_nobody(stage: Stage) -> None:
    stage.client(daily_loss_limit=Decimal(100))
    stage.plan(GILLETTE, quantity=100)
    await stage.start()
    await stage.ticks(*ENTRY, ("09:15:02", "107.10"))
    await stage.settle(1.0)
    assert [purpose for purpose, _, _ in stage.sent()] == ["ENTRY", "LIMIT_REACHED"]

    tomorrow = DAY + timedelta(days=2)  # the day between is a holiday
    stage.clock.set(at_ist(tomorrow, time(0, 0, 1)))
    await stage.settle(5.0)
    stage.packets.clear()
    stage.clock.set(at_ist(tomorrow, time(9, 14)))
    await stage.settle(1.0)
    await stage.ticks(*ENTRY)

    assert [purpose for purpose, _, _ in stage.sent()] == ["ENTRY", "LIMIT_REACHED", "ENTRY"]


@pytest.mark.proves("I16")
async def test_a_square_off_by_a_limit_that_a_crash_cut_short_is_finished_by_the_next_engine(stage: Stage) -> None:
    stage.client(daily_loss_limit=Decimal(100))
    stage.plan(GILLETTE, quantity=100)
    await stage.start()
    await stage.ticks(*ENTRY)
    await stage.store.lower_state(1, TradingState.REDUCING, "the day's loss", latch=True)
    await stage.stop()

    await stage.start(holder="second")
    await stage.tick("09:15:05", "108.20")
    await stage.settle(2.0)

    assert stage.sent()[-1] == ("LIMIT_REACHED", "SELL", 100)
    assert stage.store.latches[1].state is TradingState.HALTED


async def test_a_latch_that_somebody_took_out_of_the_database_is_judged_anew(stage: Stage) -> None:
    stage.client(daily_loss_limit=Decimal(100))
    stage.plan(GILLETTE, quantity=100)
    await stage.start()
    await stage.ticks(*ENTRY, ("09:15:02", "107.10"))
    await stage.settle(1.0)
    assert stage.store.latches[1].state is TradingState.HALTED

    del stage.store.latches[1]
    stage.store.policies[1] = replace(stage.store.policies[1], daily_loss_limit=Decimal(250))
    stage.store.add_command(CommandKind.RELOAD, 1, day=DAY)
    await stage.settle(1.0)
    await stage.ticks(("09:16:00", "101.00"), ("09:16:01", "100.90"), ("09:16:02", "102.50"))
    await stage.settle(1.0)

    assert [purpose for purpose, _, _ in stage.sent()] == ["ENTRY", "LIMIT_REACHED", "ENTRY", "LIMIT_REACHED"]


async def test_a_limit_lowered_below_what_was_lost_already_latches_at_once(stage: Stage) -> None:
    stage.client()
    stage.plan(GILLETTE, quantity=100)
    await stage.start()
    await stage.ticks(*ENTRY, ("09:15:02", "103.10"))
    assert stage.store.latches == {}

    stage.store.policies[1] = replace(stage.store.policies[1], daily_loss_limit=Decimal(400))
    stage.store.add_command(CommandKind.RELOAD, 1, day=DAY)
    await stage.settle(3.0)

    assert stage.store.latches[1].state is TradingState.HALTED
