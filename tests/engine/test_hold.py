"""A market that waits: the engine answers when everything is decided, and speed or order of arrival change nothing."""

import asyncio
import json
import random
from datetime import datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.engine.stage import DAY, GILLETTE, INFY, Stage
from tests.fakes.market import TOKENS, WaitingBroker, WaitingMarket
from trading.domain.control import CommandKind
from trading.domain.errors import OrderOutcomeUnknown
from trading.domain.instruments import Instrument
from trading.domain.money import to_paisa, to_scaled
from trading.domain.ticks import Tick
from trading.domain.timezone import at_ist, to_ist

CASES = sorted((Path(__file__).parents[1] / "domain" / "vectors").glob("*.json"))
Step = tuple[datetime, tuple[Tick, ...]]


def step(at: str, *prices: tuple[Instrument, str]) -> Step:
    moment = at_ist(DAY, time.fromisoformat(at))
    ticks = []
    for instrument, price in prices:
        TOKENS[instrument.token] = instrument.key
        scaled = to_scaled(Decimal(price))
        ticks.append(Tick(instrument.token, scaled, int(moment.timestamp()), scaled, scaled, scaled, scaled, 1))
    return moment, tuple(ticks)


async def open_market(stage: Stage, jitter: random.Random | None = None, **changes: Any) -> WaitingMarket:
    """Start an engine at a waiting market with Alice's account."""
    stage.client(**changes)
    waiting = WaitingBroker(stage.clock.now)
    stage.brokers["kite:AB1001"] = waiting
    market = WaitingMarket(stage.clock, stage.feed, {"kite:AB1001": waiting}, jitter)
    await stage.start(hold=market)
    return market


async def test_an_order_is_filled_in_the_step_in_which_it_was_decided(stage: Stage) -> None:
    stage.plan(GILLETTE, quantity=100)
    market = await open_market(stage)

    await market.run([step("09:15:00", (GILLETTE, "108.00")), step("09:15:01", (GILLETTE, "108.10"))])

    assert stage.broker.net(GILLETTE.key) == 100
    assert stage.broker.fills[0].price == Decimal("108.10")
    assert stage.session.house.runners[("kite:AB1001", GILLETTE.key)].expected_open() == 100


@pytest.mark.parametrize("file", CASES[::3], ids=lambda file: file.stem)
def test_a_worked_case_gives_the_same_whatever_comes_first_in_a_step(file: Path) -> None:
    case = json.loads(file.read_text(encoding="utf-8"))

    for seed in range(3):
        events, pnl = asyncio.run(play(case, seed))
        assert events == case["expected"]["events"]
        assert pnl == Decimal(case["expected"]["realised_pnl"])


async def play(case: dict[str, Any], seed: int) -> tuple[list[dict[str, Any]], Decimal]:
    stage = Stage()
    told, high_low = case["instrument"], case["range"]
    instrument = Instrument("NSE", told["tradingsymbol"], 1281, Decimal(told["tick_size"]), told["lot_size"])
    day_range = (Decimal(high_low["high"]), Decimal(high_low["low"]))
    stage.plan(instrument, quantity=case["quantity"], config=case["config"], day_range=day_range)
    late = {"square_off_at": time(15, 28), "no_new_entry_after": time(15, 28)}
    market = await open_market(stage, random.Random(seed), **late)
    await market.run([step(at, (instrument, price)) for at, price in case["ticks"]])
    events, pnl = stage.ladder_events(), to_paisa(stage.broker.realised())
    await stage.stop()
    return events, pnl


async def test_an_order_that_rests_lets_the_market_go_on_and_its_timer_is_named(stage: Stage) -> None:
    stage.plan(GILLETTE, quantity=100)
    market = await open_market(stage)
    await market.run([step("09:15:00", (GILLETTE, "108.00"))])
    waiting = market._brokers["kite:AB1001"]
    waiting.rests = True

    await market.run([step("09:15:01", (GILLETTE, "108.10"))])
    assert market.next_due == at_ist(DAY, time(9, 15, 6))
    await market.run([step("09:20:00", (GILLETTE, "108.20"))])

    assert waiting.cancelled == ["AB1001-1"]
    assert waiting.live() == []


async def test_a_partly_filled_entry_keeps_its_fills_and_the_rest_goes(stage: Stage) -> None:
    stage.plan(GILLETTE, quantity=100)
    market = await open_market(stage)
    market._brokers["kite:AB1001"].fills_at_most = 10
    await market.run([step("09:15:00", (GILLETTE, "108.00")), step("09:15:01", (GILLETTE, "108.10"))])

    assert stage.broker.net(GILLETTE.key) == 100


async def test_the_square_off_times_are_named_and_kept_without_any_tick(stage: Stage) -> None:
    for instrument in (GILLETTE, INFY):
        stage.plan(instrument, quantity=100)
    market = await open_market(stage)
    await market.run(
        [
            step("09:15:00", (GILLETTE, "108.00"), (INFY, "101.00")),
            step("09:15:01", (GILLETTE, "108.10"), (INFY, "100.90")),
            step("15:20:00"),
        ]
    )

    assert [(fill.instrument, to_ist(fill.filled_at).time()) for fill in stage.broker.fills[2:]] == [
        (INFY.key, time(15, 10)),
        (GILLETTE.key, time(15, 15)),
    ]
    assert stage.alarm_codes() == []


async def test_a_lost_tick_batch_holds_the_market_only_for_a_while(stage: Stage) -> None:
    stage.plan(GILLETTE, quantity=100)
    market = await open_market(stage)
    await market.run([step("09:15:00", (GILLETTE, "108.00"))])
    market._send_ticks = lambda ticks: None  # type: ignore[method-assign]

    begun = stage.clock.monotonic()
    await market.run([step("09:15:01", (GILLETTE, "108.10"))])

    assert 4.9 < stage.clock.monotonic() - begun < 6.0
    assert market.busy_count >= 4


async def test_without_a_ticker_no_batch_is_waited_for(stage: Stage) -> None:
    stage.plan(GILLETTE, quantity=100)
    market = await open_market(stage)
    market.has_ticker = False

    begun = stage.clock.monotonic()
    await market.run([step("09:15:01"), step("09:15:02")])

    assert stage.clock.monotonic() - begun < 0.2


async def test_an_order_message_that_never_comes_is_replaced_by_reading_the_book(stage: Stage) -> None:
    stage.plan(GILLETTE, quantity=100)
    market = await open_market(stage)
    waiting = market._brokers["kite:AB1001"]
    real = waiting.tell
    waiting.tell = lambda order: setattr(waiting, "_serial", waiting._serial + 1)  # type: ignore[method-assign]

    await market.run([step("09:15:00", (GILLETTE, "108.00")), step("09:15:01", (GILLETTE, "108.10"))])

    assert stage.session.house.runners[("kite:AB1001", GILLETTE.key)].line.lot == 100
    waiting.tell = real  # type: ignore[method-assign]


async def test_a_kill_between_two_steps_takes_the_answer_back_and_is_flat_in_the_same_step(stage: Stage) -> None:
    stage.plan(GILLETTE, quantity=100)
    market = await open_market(stage)
    await market.run([step("09:15:00", (GILLETTE, "108.00")), step("12:00:00", (GILLETTE, "108.10"))])
    busy_before = market.busy_count

    command = stage.store.press_kill(1)
    await stage.settle(0.5)
    assert market.busy_count > busy_before
    assert market.answers[-1] == (market._step, 2)
    await market.finish_step()
    await stage.settle(2.0)

    assert stage.store.results[command]["flat"] is True
    assert stage.broker.net(GILLETTE.key) == 0


async def test_a_command_written_while_beat_held_the_market_is_seen_before_the_next_step_is_decided(
    stage: Stage,
) -> None:
    market = await open_market(stage)
    await market.run([step("09:00:00")])
    stage.plan(GILLETTE, quantity=100)
    await stage.clock.pass_wire(0.02)
    stage.store.add_command(CommandKind.RELOAD, 1, day=DAY)
    await market.run([step("09:15:00", (GILLETTE, "108.00")), step("09:15:01", (GILLETTE, "108.10"))])

    assert stage.broker.net(GILLETTE.key) == 100


async def test_the_market_waits_while_an_order_is_in_doubt(stage: Stage) -> None:
    stage.plan(GILLETTE, quantity=100)
    market = await open_market(stage)
    await market.run([step("09:15:00", (GILLETTE, "108.00"))])
    waiting = market._brokers["kite:AB1001"]
    real = waiting.place

    async def loses_the_answer(intent: Any) -> str:
        await real(intent)
        raise OrderOutcomeUnknown("read timed out")

    waiting.place = loses_the_answer  # type: ignore[method-assign]
    begun = stage.clock.monotonic()
    await market.run([step("09:15:01", (GILLETTE, "108.10"))])

    assert stage.clock.monotonic() - begun >= 0.5
    assert stage.broker.net(GILLETTE.key) == 100
    assert len(stage.broker.placed) == 1


async def test_a_standby_answers_at_once_while_the_holder_is_alive_and_holds_the_market_while_it_is_not(
    stage: Stage,
) -> None:
    stage.client()
    waiting = WaitingBroker(stage.clock.now)
    stage.brokers["kite:AB1001"] = waiting
    epoch = await stage.store.acquire("main", "engine", seen=None)
    assert epoch == 1
    market = WaitingMarket(stage.clock, stage.feed, {"kite:AB1001": waiting})
    await stage.start(standby=True, hold=market)
    await stage.store.renew("main", 1)
    await stage.settle(0.6)

    await market.run([step("09:15:01")])
    assert market.busy_count == 0

    await stage.settle(1.5)
    await market.run([step("09:15:02")])
    assert market.busy_count >= 1
    assert stage.session.tools.right.may_enter is False


async def test_a_standby_answers_in_advance_and_takes_it_back_before_it_decides_anything(stage: Stage) -> None:
    stage.client()
    waiting = WaitingBroker(stage.clock.now)
    stage.brokers["kite:AB1001"] = waiting
    await stage.store.acquire("main", "engine", seen=None)
    market = WaitingMarket(stage.clock, stage.feed, {"kite:AB1001": waiting})
    await stage.start(standby=True, hold=market)
    await stage.store.renew("main", 1)
    await stage.settle(0.6)

    await market.run([step("09:15:01")])
    assert market.answered_until is not None
    await stage.settle(10)
    busy_before = market.busy_count
    await market.run([step("09:15:02")])

    assert market.busy_count > busy_before
    assert market.answered_until is None
