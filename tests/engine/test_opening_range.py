"""Ladders on the opening range: the same exact range whenever the engine began to look, or no entry at all."""

from datetime import datetime, time
from decimal import Decimal

import pytest

from tests.engine.stage import DAY, GILLETTE, RANGE, Stage
from tests.engine.test_hold import open_market, step
from tests.engine.test_restart import Mortal, bury
from tests.fakes.history import candle
from trading.domain.control import CommandKind
from trading.domain.ladder_config import RangeSource
from trading.domain.opening_range import OpeningRange
from trading.domain.timezone import at_ist, to_ist

OPENING = {"range_source": "opening_range"}
WINDOW = (
    ("09:08:00", "105.00"),
    ("09:15:00", "105.00"),
    ("09:18:00", "110.00"),
    ("09:22:00", "100.00"),
    ("09:29:59", "107.00"),
)
"""The auction, and a window of 100.00 to 110.00, so that the levels are those of the stage's RANGE."""
AFTER = (("09:30:00", "108.00"), ("09:30:01", "108.10"))
TOLD = {"source": "opening_range", "from": "09:15:00", "to": "09:30:00", "high": "110.00", "low": "100.00"}


def at(hhmmss: str) -> datetime:
    return at_ist(DAY, time.fromisoformat(hhmmss))


def put_candles(stage: Stage, *, later: bool = True) -> None:
    """Let the broker have the window's candles, and one after it."""
    candles = [candle(at("09:15:00"), "110.00", "104.00"), candle(at("09:22:00"), "106.00", "100.00")]
    if later:
        candles.append(candle(at("09:30:00"), "108.10", "108.00"))
    stage.history.by_token[GILLETTE.token] = candles


def told_ranges(stage: Stage) -> list[dict[str, object]]:
    return [dict(event.data) for event in stage.events("OPENING_RANGE")]


async def opened(stage: Stage, start_at: str = "09:00:00", **config: object) -> Stage:
    stage.clock.set_ist(start_at)
    stage.client()
    stage.plan(GILLETTE, config={**OPENING, **config}, day_range=None)
    return await stage.start()


async def test_a_window_that_was_seen_whole_gives_the_levels_without_asking_the_broker(stage: Stage) -> None:
    await opened(stage)

    await stage.ticks(*WINDOW)
    assert stage.sent() == []
    await stage.ticks(*AFTER)

    assert stage.sent() == [("ENTRY", "BUY", 100)]
    assert told_ranges(stage) == [{**TOLD, "told_by": "ticks"}]
    assert stage.history.asked == []
    assert stage.alarm_codes() == []
    (entry,) = stage.events("ENTRY")
    assert entry.data["range"] == {**TOLD, "told_by": "ticks"}
    assert entry.data["levels"]["entry"] == "108.10"
    (why,) = stage.store.reasons.values()
    assert why["range"] == {**TOLD, "told_by": "ticks"}


async def test_nothing_is_entered_inside_the_window_whatever_the_day_before_was(stage: Stage) -> None:
    stage.clock.set_ist("09:00:00")
    stage.client()
    stage.plan(GILLETTE, config={**OPENING, "trigger": "level"}, day_range=None)
    await stage.start()

    await stage.ticks(("09:15:00", "105.00"), ("09:20:00", "120.00"), ("09:29:59", "90.00"))

    assert stage.sent() == []


async def test_the_first_tick_after_the_window_is_judged_by_the_ladder(stage: Stage) -> None:
    await opened(stage, trigger="level")

    await stage.ticks(*WINDOW, ("09:30:00", "108.10"))

    assert stage.sent() == [("ENTRY", "BUY", 100)]


async def test_a_late_start_in_mid_window_takes_the_brokers_candles(stage: Stage) -> None:
    await stage.ticks(*WINDOW[:3])  # nobody looked
    await opened(stage, start_at="09:20:00")
    put_candles(stage)

    await stage.ticks(*WINDOW[3:], *AFTER)

    assert told_ranges(stage) == [{**TOLD, "told_by": "candles"}]
    assert [(token, to_ist(start).time()) for token, start, _ in stage.history.asked] == [(GILLETTE.token, time(9, 15))]
    assert stage.sent() == [("ENTRY", "BUY", 100)]


async def test_a_start_after_the_window_takes_the_brokers_candles(stage: Stage) -> None:
    put_candles(stage)
    await opened(stage, start_at="10:00:00")

    await stage.ticks(("10:00:01", "108.00"), ("10:00:02", "108.10"))

    assert told_ranges(stage) == [{**TOLD, "told_by": "candles"}]
    assert stage.sent() == [("ENTRY", "BUY", 100)]


async def test_a_gap_in_the_feed_that_hid_an_extreme_takes_the_brokers_candles(stage: Stage) -> None:
    await opened(stage)
    put_candles(stage)
    await stage.ticks(*WINDOW[:2])
    stage.clock.set_ist("09:18:00")
    stage.trade("110.00", GILLETTE)  # its packet is lost

    await stage.ticks(*WINDOW[3:], *AFTER)

    assert told_ranges(stage) == [{**TOLD, "told_by": "candles"}]
    assert stage.sent() == [("ENTRY", "BUY", 100)]


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


async def test_without_a_readable_history_a_half_seen_window_enters_nothing_and_says_so(stage: Stage) -> None:
    stage.history.is_readable = False
    await stage.ticks(*WINDOW[:3])
    await opened(stage, start_at="09:20:00")

    await stage.ticks(*WINDOW[3:], *AFTER, ("09:31:00", "108.00"), ("09:31:01", "108.10"))
    for moment in ("09:31:05", "09:31:20", "09:32:00", "09:33:00"):
        await stage.at(moment, 0.5)

    assert stage.sent() == []
    assert told_ranges(stage) == []
    assert stage.alarm_codes().count("OPENING_RANGE_UNKNOWN") == 1
    text = next(text for _, code, text in stage.store.alarms if code == "OPENING_RANGE_UNKNOWN")
    assert text == (
        "NSE:GILLETTE: nothing is entered, its opening range (09:15 to 09:30) is not known: "
        "the broker's candles could not be read"
    )

    stage.history.is_readable = True
    put_candles(stage)
    await stage.at("09:34:00", 0.5)
    await stage.ticks(("09:35:00", "108.00"), ("09:35:01", "108.10"))
    assert stage.sent() == [("ENTRY", "BUY", 100)]


async def test_candles_that_may_still_change_are_waited_for(stage: Stage) -> None:
    put_candles(stage, later=False)
    await stage.ticks(*WINDOW[:3])
    await opened(stage, start_at="09:20:00")
    await stage.ticks(*WINDOW[3:], AFTER[0])
    assert told_ranges(stage) == []

    put_candles(stage)
    await stage.at("09:30:03", 0.5)

    assert told_ranges(stage) == [{**TOLD, "told_by": "candles"}]


async def test_an_instrument_without_a_trade_in_the_window_is_not_traded_today(stage: Stage) -> None:
    await opened(stage)

    await stage.at("09:30:05", 0.5)
    assert stage.ladder_events() == []
    for moment in ("09:30:08", "09:30:13", "09:30:23", "09:30:38", "09:31:08"):
        await stage.at(moment, 0.5)
    expected = {"event": "NOT_TRADED", "reason": "range_unknown", "text": "no trade from 09:15 to 09:30"}
    assert stage.ladder_events() == [expected]

    await stage.stop()
    await stage.start()
    await stage.ticks(("10:00:00", "108.00"), ("10:00:01", "108.10"))

    assert stage.sent() == []
    assert stage.ladder_events() == [expected]
    assert stage.alarm_codes() == []


async def test_an_instrument_that_traded_at_one_price_has_a_range_that_is_too_small(stage: Stage) -> None:
    await opened(stage)

    await stage.ticks(("09:08:00", "105"), ("09:16:00", "105"), ("09:30:00", "105"))

    assert stage.ladder_events() == [{"event": "NOT_TRADED", "reason": "range_too_small"}]


async def test_one_search_serves_every_client_and_the_second_account_reads_where_the_first_cannot(
    stage: Stage,
) -> None:
    put_candles(stage)
    stage.clock.set_ist("10:00:00")
    for number, user_id in ((1, "AB1001"), (2, "XY2001")):
        stage.client(number, user_id)
        stage.plan(GILLETTE, user_id=user_id, config=OPENING, day_range=None)
    readers: list[str] = []

    def history_for(ref: object) -> object:
        readers.append(getattr(ref, "key", ""))
        stage.history.has_session = len(readers) > 1
        return stage.history

    await stage.start(history_for=history_for)

    await stage.ticks(("10:00:01", "108.00"), ("10:00:02", "108.10"))

    assert readers == ["kite:AB1001", "kite:XY2001"]
    assert [len(stage.brokers[f"kite:{user}"].placed) for user in ("AB1001", "XY2001")] == [1, 1]
    assert len(told_ranges(stage)) == 2
    await stage.stop()
    assert stage.history.closed == 2


async def test_two_windows_of_one_instrument_are_two_ranges(stage: Stage) -> None:
    stage.clock.set_ist("09:00:00")
    for number, user_id, minutes in ((1, "AB1001", 15), (2, "XY2001", 5)):
        stage.client(number, user_id)
        config = {**OPENING, "opening_range_minutes": minutes}
        stage.plan(GILLETTE, user_id=user_id, config=config, day_range=None)
    await stage.start()

    await stage.ticks(*WINDOW[:3], ("09:20:00", "106.00"), *WINDOW[3:], AFTER[0])

    assert [(told["to"], told["high"], told["low"]) for told in told_ranges(stage)] == [
        ("09:20:00", "110.00", "105.00"),
        ("09:30:00", "110.00", "100.00"),
    ]


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


async def test_a_square_off_before_the_range_is_known_ends_the_day_for_it_too(stage: Stage) -> None:
    stage.history.is_readable = False
    await opened(stage, start_at="10:00:00")
    stage.store.add_command(CommandKind.SQUARE_OFF, 1, {}, day=DAY)
    await stage.settle(1.0)
    stage.history.is_readable = True
    put_candles(stage)

    await stage.at("10:01:00", 0.5)
    await stage.ticks(("10:02:00", "108.00"), ("10:02:01", "108.10"))

    assert len(told_ranges(stage)) == 1
    assert stage.events("ENTRY") == []


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


async def test_a_broken_configuration_is_told_at_once_and_not_when_its_range_is_known(stage: Stage) -> None:
    stage.client()
    stage.plan(GILLETTE, config={"range_source": "opening_range", "opening_range_minutes": 0}, day_range=None)

    await stage.start()

    assert stage.alarm_codes() == ["LADDER_REFUSED"]


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


def test_the_stages_range_is_the_windows() -> None:
    assert (Decimal(110), Decimal(100)) == RANGE
    assert RangeSource.OPENING_RANGE.value == TOLD["source"]


@pytest.mark.parametrize("dies_at", range(1, 40))
async def test_a_death_at_any_call_around_the_windows_end_makes_no_second_order_and_no_other_range(
    dies_at: int,
) -> None:
    stage = Stage(start_at="09:00:00")
    stage.client()
    stage.plan(GILLETTE, config=OPENING, day_range=None)
    put_candles(stage)
    mortal = Mortal(dies_at, after_the_call=bool(dies_at % 2))
    brokers = dict(stage.brokers)
    store = mortal.port(stage.store)
    await stage.start(
        store=store,
        leases=store,
        broker_for=lambda ref: mortal.port(brokers[ref.key]),
        history_for=lambda ref: mortal.port(stage.history),
    )
    is_second = False
    for moment, price in (*WINDOW, *AFTER, ("09:31:00", "108.60"), ("09:31:01", "108.00"), ("09:31:02", "108.10")):
        await stage.tick(moment, price)
        if mortal.is_dead and not is_second:
            is_second = True
            await bury(stage, mortal)
            await stage.start(holder="second")
            await stage.settle(4.0)
            await stage.tick(moment, price)
            await stage.settle(20.0)
    await stage.settle(20.0)
    if not is_second:
        await bury(stage, mortal)
        await stage.start(holder="second")
        await stage.settle(20.0)
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
