"""Stops on good ticks only: what is absurd, old or the same again decides nothing, and a stop never loosens."""

from collections.abc import Mapping
from datetime import time
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.stage import DAY, GILLETTE, INFY, Stage
from trading.domain.ladder import Ladder
from trading.domain.ladder_config import LadderConfig
from trading.domain.money import to_scaled
from trading.domain.ticks import Tick
from trading.domain.timezone import at_ist, midnight_epoch
from trading.engine.ladder_book import BadTick, LadderBook

ENTRY = (("09:15:00", "108.00"), ("09:15:01", "108.10"))
MIDNIGHT, OPEN = midnight_epoch(DAY), int(at_ist(DAY, time(9, 15)).timestamp())
NO_PRICES = (0, -1, -500, -10_000, -1_081_000, -(2**31), -(2**63))
OFF_BY_SCALE = (1, 10_810, 108_100, 10_810_000, 108_100_000, 1_081_000_000, 10_810_000_000)
OFF_BY_WIDTH = (2**16, 2**24, 2**31 - 1, 2**31, 2**32 - 1, 2**40, 2**63 - 1)
SPIKES = (
    *("0.05", "27", "54.05", "70", "80", "86.48", "90", "97.25", "102.95"),
    *("113.35", "114", "118.90", "119", "125", "129.75", "140", "162.15", "216.20", "300"),
)
ABSURD = (*NO_PRICES, *OFF_BY_SCALE, *OFF_BY_WIDTH, *(to_scaled(Decimal(price)) for price in SPIKES))
"""F05: 0, negative, x100, /100, other scales and widths, beyond circuit, and spikes of one tick either way."""


async def holding(stage: Stage, **client: Any) -> Stage:
    """Long 100 from 108.10, the stop at 103.10, the first target at 108.60."""
    stage.client(**client)
    stage.plan(GILLETTE, quantity=100)
    await stage.start()
    await stage.ticks(*ENTRY)
    return stage


def packet(stage: Stage, ltp: int, *, token: int = GILLETTE.token) -> Tick:
    known = stage.packets[token]
    return known._replace(ltp=ltp, exchange_ts=int(stage.clock.now().timestamp()), volume=known.volume + 1)


@pytest.mark.proves("F05", "I8", "I19")
async def test_forty_absurd_prices_decide_nothing_and_are_counted(stage: Stage) -> None:
    assert len(ABSURD) == len(set(ABSURD)) == 40
    await holding(stage, daily_loss_limit=Decimal(400), daily_profit_limit=Decimal(400))  # a spike would reach them
    stop = stage.live.last("position")["stop"]
    rejected = stage.session.house.book.rejected

    for number, ltp in enumerate(ABSURD):
        before = rejected.total()
        stage.clock.set_ist(f"09:{16 + number // 60:02}:{number % 60:02}")
        stage.feed.put(packet(stage, ltp))
        await stage.settle(0.3)
        assert rejected.total() == before + 1, ltp
        await stage.tick(f"09:{16 + number // 60:02}:{number % 60:02}", "108.15")
        assert stage.sent() == [("ENTRY", "BUY", 100)], ltp
    await stage.settle(2.0)

    assert stage.live.last("position")["stop"] == stop
    assert rejected == {BadTick.NO_PRICE: len(NO_PRICES), BadTick.JUMP: 40 - len(NO_PRICES)}
    assert "LIMIT_REACHED_TODAY" not in [event.kind for event in stage.store.events]


@pytest.mark.proves("F05")
async def test_a_spike_that_the_brokers_quote_does_not_bear_out_was_no_price(stage: Stage) -> None:
    await holding(stage)
    stage.clock.set_ist("09:15:02")

    stage.feed.put(packet(stage, to_scaled(Decimal("102.00"))))
    await stage.settle(1.5)

    assert stage.sent() == [("ENTRY", "BUY", 100)]
    (told,) = stage.events("PRICE_REJECTED")
    assert told.data["text"] == "102.00 was no price: the broker quotes 108.10"
    stage.feed.put(packet(stage, to_scaled(Decimal("101.90"))))  # no second word: the first was refused
    await stage.settle(0.01)
    assert len(stage.sent()) == 1


@pytest.mark.proves("F05")
async def test_a_fall_that_the_brokers_quote_bears_out_stops_within_a_second_though_no_tick_follows(
    stage: Stage,
) -> None:
    await holding(stage)

    await stage.tick("09:15:02", "102.00")  # the market really trades there
    await stage.settle(0.9)

    assert stage.sent()[1:] == [("STOP", "SELL", 100)]


async def test_a_quote_that_comes_after_a_newer_tick_is_no_second_word(stage: Stage) -> None:
    await holding(stage)
    stage.clock.set_ist("09:15:02")
    stage.broker.prices[GILLETTE.key] = Decimal("102.00")
    stage.feed.put(packet(stage, to_scaled(Decimal("102.00"))), packet(stage, to_scaled(Decimal("108.15"))))

    await stage.settle(1.5)

    assert stage.sent() == [("ENTRY", "BUY", 100)]


@pytest.mark.proves("F02")
async def test_the_price_that_a_broker_kept_is_shown_and_decides_nothing(stage: Stage) -> None:
    """An engine that comes up in the middle of the day gets the last packet of an instrument that traded long ago."""
    await holding(stage)
    await stage.stop()
    stage.clock.set_ist("10:00:00")
    await stage.start(holder="second")
    kept = stage.packets[GILLETTE.token]._replace(ltp=to_scaled(Decimal("103.00")))

    stage.feed.put(kept)
    await stage.settle(1.0)
    assert stage.session.house.instruments.last_price(GILLETTE.key) == Decimal(103)
    assert len(stage.sent()) == 1

    await stage.tick("10:00:02", "103.00")
    assert stage.sent()[1:] == [("STOP", "SELL", 100)]


@pytest.mark.proves("F07", "I8")
async def test_where_feed_and_quote_differ_nothing_is_entered_and_what_is_open_is_still_closed(stage: Stage) -> None:
    stage.client()
    stage.plan(GILLETTE, quantity=100)
    stage.plan(INFY, quantity=50)
    await stage.start()
    await stage.tick("09:15:00", "108.00", INFY)
    await stage.ticks(*ENTRY)
    await stage.tick("09:15:02", "108.00", INFY)
    stage.broker.prices[INFY.key] = Decimal("108.60")  # more than half a percent from the feed, twice

    await stage.live_until("09:15:04")
    await stage.settle(30.0)
    (told,) = [text for _, code, text in stage.store.alarms if code == "PRICES_DISAGREE"]
    assert told == "the feed says 108 for NSE:INFY where the broker quotes 108.60: nothing is entered there"
    stage.clock.set_ist("09:16:00")
    stage.feed.put(packet(stage, to_scaled(Decimal("108.10")), token=INFY.token))
    await stage.settle(0.5)
    assert stage.sent() == [("ENTRY", "BUY", 100)]
    denied = stage.events("ORDER_DENIED")
    assert [event.data["code"] for event in denied] == ["STALE_FEED"]

    await stage.tick("09:16:01", "104.50")
    await stage.tick("09:16:02", "103.00")
    assert stage.sent()[1:] == [("STOP", "SELL", 100)]


async def test_once_feed_and_quote_agree_entries_pass_again(stage: Stage) -> None:
    stage.client()
    stage.plan(GILLETTE, quantity=100)
    await stage.start()
    await stage.tick("09:15:00", "108.00")
    stage.broker.prices[GILLETTE.key] = Decimal("109.00")
    await stage.settle(20.0)
    assert stage.session.house.control.disputed

    stage.broker.prices[GILLETTE.key] = Decimal("108.00")
    await stage.settle(20.0)
    assert stage.session.house.control.disputed == {}
    await stage.tick("09:15:01", "108.10")

    assert stage.sent() == [("ENTRY", "BUY", 100)]


def test_an_older_packet_of_the_same_second_is_told_by_its_volume() -> None:
    book = LadderBook(MIDNIGHT)
    book.watch(GILLETTE.token)
    newest = Tick(GILLETTE.token, 1_081_000, OPEN, 0, 0, 0, 1_081_000, 500)

    for tick in (newest, newest._replace(ltp=1_080_000, volume=499), newest):
        book.take(tick)

    assert book.last(GILLETTE.token) == newest
    assert book.rejected == {BadTick.OLD: 1, BadTick.DUPLICATE: 1}


class WatchedLadder:
    """A real ladder in the book, long or short on its own levels, that keeps every stop it had."""

    token = GILLETTE.token

    def __init__(self) -> None:
        config = LadderConfig.from_mapping({"booking_fractions": ["0.1"] * 10})
        self.ladder = Ladder(
            config, high=Decimal(110), low=Decimal(100), tick_size=Decimal("0.05"), lot_size=1, quantity=100
        )
        self.taken: list[Tick] = []
        self.entries = 0
        self.stops: list[tuple[int, int, int]] = []
        """(number of the entry, side, stop) after each tick."""

    def bounds(self) -> tuple[int, int]:
        return self.ladder.bounds()

    def until(self) -> int:
        return MIDNIGHT + self.ladder.square_off_second

    def on_tick(self, tick: Tick) -> None:
        self.taken.append(tick)
        events = self.ladder.on_tick(tick.exchange_ts - MIDNIGHT, tick.ltp)
        self.entries += sum(event.word == "ENTRY" for event in events)
        side, stop = self.ladder.position_side, self.ladder.stop
        if side is not None and stop is not None:
            self.stops.append((self.entries, side.sign, stop))


steps = st.lists(
    st.tuples(
        st.integers(-60, 60),  # paise times 5 from the last good price
        st.integers(0, 3),  # seconds on
        st.sampled_from(["good", "good", "good", "twice", "late", "absurd", "spike", "zero"]),
    ),
    min_size=20,
    max_size=120,
)


@pytest.mark.proves("I25", "F03", "F04")
@given(steps, st.booleans())
@settings(max_examples=150, deadline=None)
def test_a_stop_moves_only_to_the_protective_side_and_only_by_accepted_ticks(
    moves: list[tuple[int, int, str]], is_long: bool
) -> None:
    book, ladder = LadderBook(MIDNIGHT), WatchedLadder()
    book.put(ladder)
    price, second, volume = (1_080_000, OPEN + 60, 1) if is_long else (1_010_000, OPEN + 60, 1)
    offered: list[Tick] = []

    def offer(ltp: int, at: int, number: int) -> None:
        tick = Tick(GILLETTE.token, ltp, at, 0, 0, 0, 1_050_000, number)
        offered.append(tick)
        book.take(tick)

    for move, later, kind in moves:
        second, volume = second + later, volume + 1
        if kind in ("absurd", "spike", "zero"):
            offer({"absurd": price * 100, "spike": price * 9 // 10 - 5_000, "zero": 0}[kind], second, volume)
            continue
        price = max(500_000, price + move * 500)
        offer(price, second, volume)
        if kind == "twice":
            offer(price, second, volume)
        if kind == "late":
            offer(price - 20_000, second - 2, volume - 3)

    for (entry, side, stop), (next_entry, _, next_stop) in zip(ladder.stops, ladder.stops[1:], strict=False):
        if entry == next_entry:
            assert (next_stop - stop) * side >= 0
    shown = [(tick.exchange_ts, tick.volume) for tick in ladder.taken]
    assert shown == sorted(shown)
    assert all(tick != following for tick, following in zip(ladder.taken, ladder.taken[1:], strict=False))
    assert all(tick.ltp > 0 for tick in ladder.taken)


@pytest.mark.proves("F03", "F04", "F05")
async def test_what_was_left_out_is_told_by_reason_and_the_worst_instrument_first(stage: Stage) -> None:
    told: list[Mapping[str, Any]] = []
    stage.client()
    stage.plan(GILLETTE)
    stage.plan(INFY)
    await stage.start(keep_feed_health=told.append)
    await stage.tick("09:15:00", "105.00")
    await stage.tick("09:15:01", "105.00", INFY)
    same = stage.packets[GILLETTE.token]

    stage.feed.put(same, same, same)
    old = stage.packets[INFY.token]._replace(exchange_ts=same.exchange_ts - 1)
    stage.feed.put(old, old._replace(ltp=0), packet(stage, 2_000_000, token=INFY.token))
    stage.brokers["kite:AB1001"].is_readable = False
    await stage.settle(6.0)

    report = told[-1]
    assert (report["taken"], report["waiting"], report["since"]) == (2, 1, "09:14:00")
    assert report["reasons"] == {"NO_PRICE": 1, "OLD": 1, "DUPLICATE": 3, "JUMP": 1}
    assert [(row["instrument"], row["count"], row["waits"]) for row in report["worst"]] == [
        (INFY.key, 3, True), (GILLETTE.key, 3, False),
    ]  # fmt: skip


@pytest.mark.proves("F05")
async def test_a_feed_that_turns_bad_late_in_a_good_day_is_sick_within_minutes(stage: Stage) -> None:
    told: list[Mapping[str, Any]] = []
    stage.client()
    stage.plan(GILLETTE)
    await stage.start(keep_feed_health=told.append)
    await stage.tick("09:15:00", "105.00")
    first = stage.packets[GILLETTE.token]
    for number in range(1, 600):  # a good morning, in which twenty odd ones are less than a twentieth
        stage.feed.put(first._replace(volume=first.volume + number))
    stage.packets[GILLETTE.token] = first._replace(volume=first.volume + 600)
    await stage.settle(0.1)
    await stage.tick("09:30:00", "105.00")
    await stage.settle(6.0)
    assert (told[-1]["sick"], told[-1]["taken"]) == (0, 601)

    for moment in ("09:36:00", "09:42:00"):
        await stage.tick(moment, "105.00")
        await stage.settle(6.0)
    for _ in range(20):
        stage.feed.put(packet(stage, 0))
    await stage.settle(6.0)

    assert told[-1]["sick"] == 1
    assert (told[-1]["worst"][0]["odd"], told[-1]["worst"][0]["sick"]) == (20, True)
