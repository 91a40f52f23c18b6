"""The opening range over deaths, restarts, reloads and changes of the line: kept once, and no second order."""

from datetime import time
from decimal import Decimal

import pytest

from tests.engine.mortal import Mortal, bury, live_through
from tests.engine.opening import AFTER, OPENING, TOLD, WINDOW, at, opened, put_candles, told_ranges
from tests.engine.stage import DAY, GILLETTE, Stage
from tests.engine.test_hold import open_market, step
from trading.domain.control import CommandKind
from trading.domain.opening_range import OpeningRange
from trading.domain.timezone import to_ist


async def test_a_kill_in_mid_window_and_a_restart_have_the_same_range(stage: Stage) -> None:
    mortal = Mortal(10_000, after_the_call=False)
    await opened(stage)
    await stage.ticks(*WINDOW[:3])
    await bury(stage, mortal)
    put_candles(stage)
    await stage.start(holder="second")
    await stage.settle(4.0)

    await stage.ticks(*WINDOW[3:], *AFTER)

    assert told_ranges(stage) == [{**TOLD, "told_by": "candles"}]
    assert stage.sent() == [("ENTRY", "BUY", 100)]


async def test_a_restart_after_the_window_reads_the_range_that_was_kept(stage: Stage) -> None:
    await opened(stage)
    await stage.ticks(*WINDOW, *AFTER)
    await stage.stop()

    await stage.start()
    await stage.ticks(("10:00:00", "108.60"), ("10:00:01", "108.05"))

    assert stage.sent() == [("ENTRY", "BUY", 100), ("TARGET", "SELL", 10), ("STOP", "SELL", 90)]
    assert len(told_ranges(stage)) == 1
    assert stage.history.asked == []


async def test_a_line_moved_to_the_opening_range_at_noon_takes_it_from_candles_and_is_not_armed_by_its_old_levels(
    stage: Stage,
) -> None:
    stage.client()
    stage.plan(GILLETTE, day_range=(Decimal(120), Decimal(110)))  # B 118.10
    await stage.start()
    await stage.tick("12:00:00", "112.00")  # armed below 118.10, but above the 108.10 to come
    put_candles(stage)
    stage.store.plans.clear()
    stage.plan(GILLETTE, config=OPENING, day_range=None)

    stage.store.add_command(CommandKind.RELOAD, 1, day=DAY)
    await stage.settle(1.0)
    await stage.tick("12:00:02", "108.30")
    assert stage.sent() == []
    await stage.ticks(("12:00:03", "108.00"), ("12:00:04", "108.10"))

    assert stage.sent() == [("ENTRY", "BUY", 100)]
    assert len(told_ranges(stage)) == 1


async def test_a_reload_after_the_window_changes_nothing(stage: Stage) -> None:
    await opened(stage)
    await stage.ticks(*WINDOW, AFTER[0])
    runner = stage.session.house.runners[("kite:AB1001", GILLETTE.key)]

    stage.store.add_command(CommandKind.RELOAD, 1, day=DAY)
    await stage.settle(1.0)

    assert stage.session.house.runners[("kite:AB1001", GILLETTE.key)] is runner
    await stage.tick(*AFTER[1])
    assert stage.sent() == [("ENTRY", "BUY", 100)]


async def test_an_open_position_keeps_the_ladder_it_was_entered_with_over_a_restart_inside_a_window(
    stage: Stage,
) -> None:
    stage.client()
    stage.plan(GILLETTE)
    await stage.start()
    await stage.ticks(("09:15:00", "108.00"), ("09:15:01", "108.10"))
    stage.store.plans.clear()
    stage.plan(GILLETTE, config=OPENING, day_range=None)
    await stage.stop()

    await stage.start()
    await stage.ticks(("09:20:00", "108.60"), ("09:20:01", "108.05"))

    assert stage.sent() == [("ENTRY", "BUY", 100), ("TARGET", "SELL", 10), ("STOP", "SELL", 90)]
    assert stage.alarm_codes() == []


async def test_entries_made_before_the_line_was_moved_to_the_opening_range_still_count(stage: Stage) -> None:
    stage.client()
    stage.plan(GILLETTE)
    await stage.start()
    await stage.ticks(("09:15:00", "108.00"), ("09:15:01", "108.10"), ("09:15:02", "103.00"))
    put_candles(stage)
    stage.store.plans.clear()
    stage.plan(GILLETTE, config=OPENING, day_range=None)
    await stage.stop()
    stage.clock.set_ist("10:00:00")

    await stage.start()
    await stage.ticks(("10:00:01", "108.00"), ("10:00:02", "108.10"))

    assert [purpose for purpose, _, _ in stage.sent()] == ["ENTRY", "STOP"]


async def test_a_range_that_another_life_kept_first_is_the_one_that_counts(stage: Stage) -> None:
    await opened(stage)
    kept = OpeningRange("kite", GILLETTE.key, 15, "candles", Decimal(110), Decimal(100))
    await stage.store.save_opening_range(DAY, kept)

    await stage.ticks(("09:08:00", "105"), ("09:16:00", "104"), ("09:17:00", "106"), ("09:30:00", "105"))

    assert told_ranges(stage) == [{**TOLD, "told_by": "candles"}]


async def test_while_the_database_is_away_the_range_is_not_used(stage: Stage) -> None:
    await opened(stage, trigger="level")
    await stage.ticks(*WINDOW)
    real = stage.store.save_opening_range
    stage.store.save_opening_range = stage.store.opening_ranges.__getitem__  # type: ignore[assignment, method-assign]
    await stage.ticks(("09:30:00", "108.10"))
    assert stage.sent() == []
    stage.store.save_opening_range = real  # type: ignore[method-assign]

    await stage.at("09:30:03", 0.5)

    assert stage.sent() == [("ENTRY", "BUY", 100)]


async def run_waiting_day(*, lost: str = "") -> Stage:
    """Play the window and a crossing to an engine at a market that waits; the packet of one moment may be lost."""
    stage = Stage(start_at="09:00:00")
    stage.plan(GILLETTE, config=OPENING, day_range=None)
    put_candles(stage)
    market = await open_market(stage)
    steps = []
    for moment, price in (*WINDOW, *AFTER, ("09:31:00", "108.60"), ("09:31:01", "107.00")):
        when, (tick,) = step(moment, (GILLETTE, price))
        packet = stage.trade(price, GILLETTE)._replace(exchange_ts=tick.exchange_ts)
        steps.append((when, () if moment == lost else (packet,)))
    await market.run(steps)
    await stage.stop()
    return stage


async def test_a_market_that_waits_has_the_range_in_the_step_in_which_the_window_ends() -> None:
    stage = await run_waiting_day()

    assert told_ranges(stage) == [{**TOLD, "told_by": "ticks"}]
    assert [event.at for event in stage.events("OPENING_RANGE")] == [at("09:30:00")]
    assert to_ist(stage.broker.fills[0].filled_at).time() == time(9, 30, 1)


async def test_the_same_day_twice_and_a_day_with_a_lost_packet_give_the_same_decisions() -> None:
    first, second, torn = [await run_waiting_day(lost=lost) for lost in ("", "", "09:18:00")]

    assert [event["event"] for event in first.ladder_events()] == ["ENTRY", "TARGET", "TRAIL", "STOP"]
    assert second.events("ENTRY", "TARGET", "TRAIL", "STOP") == first.events("ENTRY", "TARGET", "TRAIL", "STOP")
    assert torn.ladder_events() == first.ladder_events()
    assert told_ranges(torn) == [{**TOLD, "told_by": "candles"}]


@pytest.mark.parametrize("dies_at", range(1, 40))
async def test_a_death_at_any_call_around_the_windows_end_makes_no_second_order_and_no_other_range(
    dies_at: int,
) -> None:
    stage = Stage(start_at="09:00:00")
    stage.client()
    stage.plan(GILLETTE, config=OPENING, day_range=None)
    put_candles(stage)
    mortal = Mortal(dies_at, after_the_call=bool(dies_at % 2))
    await live_through(
        stage, mortal, (*WINDOW, *AFTER, ("09:31:00", "108.60"), ("09:31:01", "108.00"), ("09:31:02", "108.10"))
    )
    await stage.at("15:15:00")
    await stage.settle(5.0)

    (kept,) = stage.store.opening_ranges.values()
    assert (kept.high, kept.low) == (Decimal(110), Decimal(100))
    assert {(told["high"], told["low"]) for told in told_ranges(stage)} == {("110.00", "100.00")}
    placed = stage.broker.placed
    assert len({intent.tag for intent in placed}) == len(placed)
    assert [intent.key.purpose.value for intent in placed].count("ENTRY") <= 1
    assert stage.broker.net(GILLETTE.key) == 0
    await stage.stop()
