"""Ladders on the opening range: the same exact range whenever the engine began to look, or no entry at all."""

from datetime import time
from decimal import Decimal

from tests.engine.opening import AFTER, OPENING, TOLD, WINDOW, opened, put_candles, told_ranges
from tests.engine.stage import DAY, GILLETTE, RANGE, Stage
from trading.domain.control import CommandKind
from trading.domain.ladder_config import RangeSource
from trading.domain.timezone import to_ist


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


async def test_a_broken_configuration_is_told_at_once_and_not_when_its_range_is_known(stage: Stage) -> None:
    stage.client()
    stage.plan(GILLETTE, config={"range_source": "opening_range", "opening_range_minutes": 0}, day_range=None)

    await stage.start()

    assert stage.alarm_codes() == ["LADDER_REFUSED"]


def test_the_stages_range_is_the_windows() -> None:
    assert (Decimal(110), Decimal(100)) == RANGE
    assert RangeSource.OPENING_RANGE.value == TOLD["source"]
