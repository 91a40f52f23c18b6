"""A silent feed switches entries off and says so; bad ticks decide nothing."""

from collections.abc import Sequence
from decimal import Decimal

import pytest

from tests.engine.stage import GILLETTE, INFY, Stage
from trading.domain.money import to_scaled
from trading.domain.ticks import Tick
from trading.engine.ladder_book import BadTick, LadderBook

ENTRY = (("09:15:00", "108.00"), ("09:15:01", "108.10"))


@pytest.mark.proves("F01")
async def test_a_feed_that_falls_silent_is_told_and_told_again_when_it_is_back(stage: Stage) -> None:
    stage.client()
    stage.plan(GILLETTE)
    await stage.start()
    await stage.tick("09:15:00", "105.00")
    assert stage.live.messages

    stage.clock.set_ist("09:15:10")
    await stage.settle(3.0)
    assert stage.live.last("state")["reason"] == "prices stopped 09:15:00"

    await stage.tick("09:15:11", "105.00")
    await stage.settle(1.0)
    assert stage.live.last("state")["reason"] == ""
    assert [event.kind for event in stage.events("FEED_STALE", "FEED_FRESH")] == [
        "FEED_FRESH", "FEED_STALE", "FEED_FRESH",
    ]  # fmt: skip


async def test_a_market_that_jumps_while_ticks_come_is_not_silent(stage: Stage) -> None:
    stage.client()
    stage.plan(GILLETTE)
    await stage.start()

    for minute in range(15, 40):
        await stage.tick(f"09:{minute}:00", "105.00")

    assert stage.events("FEED_STALE") == []


@pytest.mark.proves("F04")
async def test_a_tick_older_than_the_last_one_is_left_out(stage: Stage) -> None:
    stage.client()
    stage.plan(GILLETTE, quantity=100)
    await stage.start()
    await stage.ticks(*ENTRY)
    early = int(stage.clock.now().timestamp()) - 1

    stage.feed.put(Tick(GILLETTE.token, 1030000, early, 0, 0, 0, 1081000, 1))
    await stage.settle(0.5)

    assert len(stage.sent()) == 1
    assert stage.session.house.book.rejected == {BadTick.OLD: 1}


@pytest.mark.proves("F02", "F05")
async def test_yesterdays_snapshot_and_a_price_of_zero_are_no_ticks(stage: Stage) -> None:
    stage.client()
    stage.plan(GILLETTE, quantity=100)
    await stage.start()
    now = int(stage.clock.now().timestamp())

    for ltp, stamp in ((1080000, now - 86_400), (0, now), (-5, now)):
        stage.feed.put(Tick(GILLETTE.token, ltp, stamp, 0, 0, 0, 1081000, 1))
    await stage.settle(0.5)

    assert stage.session.house.book.last(GILLETTE.token) is None
    assert stage.session.house.book.rejected == {BadTick.OLD: 1, BadTick.NO_PRICE: 2}


@pytest.mark.proves("F03")
async def test_duplicated_ticks_decide_once(stage: Stage) -> None:
    stage.client()
    stage.plan(GILLETTE, quantity=100)
    await stage.start()

    await stage.ticks(*ENTRY, ENTRY[1], ENTRY[1], ("09:15:02", "108.60"), ("09:15:02", "108.60"))

    assert stage.sent() == [("ENTRY", "BUY", 100), ("TARGET", "SELL", 10)]


class CountingTaker:
    """A ladder that counts the ticks it is shown."""

    def __init__(self, token: int, low: int, high: int) -> None:
        self.token = token
        self.shown = 0
        self._bounds = (low, high)

    def bounds(self) -> tuple[int, int]:
        return self._bounds

    def until(self) -> int:
        return 2_000

    def on_tick(self, tick: Tick) -> None:
        self.shown += 1


def tick(price: int, at: int = 1_500) -> Tick:
    return Tick(INFY.token, price, at, 0, 0, 0, 0, 0)


def test_ticks_inside_the_bounds_are_shown_to_no_ladder() -> None:
    book, takers = LadderBook(1_000), [CountingTaker(INFY.token, 90, 110), CountingTaker(INFY.token, 101, 120)]
    for taker in takers:
        book.put(taker)

    for price in (102, 105, 109):
        book.take(tick(price))
    assert [taker.shown for taker in takers] == [0, 0]

    for price in (105, 101, 105, 109, 110):
        book.take(tick(price))
    assert [taker.shown for taker in takers] == [2, 2]


def test_from_the_square_off_on_every_tick_is_shown() -> None:
    book, taker = LadderBook(1_000), CountingTaker(INFY.token, 90, 110)
    book.put(taker)

    book.take(tick(100, at=1_999))
    book.take(tick(100, at=2_000))

    assert taker.shown == 1


@pytest.mark.proves("F04", "F58")
async def test_a_tick_from_the_future_blinds_no_ladder(stage: Stage) -> None:
    """Taken for the newest it would make every later tick an old one, and the feed would never look stale."""
    stage.client()
    stage.plan(GILLETTE, quantity=100)
    await stage.start()
    await stage.ticks(*ENTRY)
    stage.feed.put(_tick("108.10", at=int(stage.clock.now().timestamp()) + 3_600))

    await stage.tick("09:15:02", "103.00")
    assert stage.sent()[1:] == [("STOP", "SELL", 100)]

    stage.clock.set_ist("09:15:20")
    await stage.settle(3.0)
    assert stage.events("FEED_STALE")


@pytest.mark.proves("F05")
@pytest.mark.parametrize("absurd", ["1.08", "10810.00", "0.05", "90.00", "130.00"])
async def test_one_absurd_price_neither_stops_books_nor_reaches_a_limit(stage: Stage, absurd: str) -> None:
    stage.client(daily_loss_limit=Decimal(1000), daily_profit_limit=Decimal(1000))
    stage.plan(GILLETTE, quantity=100)
    await stage.start()
    await stage.ticks(*ENTRY)

    tick = _tick(absurd, at=int(stage.clock.now().timestamp()))
    stage.feed.put(tick)
    stage.feed.put(tick)  # the same packet again is no second word
    await stage.tick("09:15:02", "108.20")
    await stage.settle(1.0)

    assert stage.sent() == [("ENTRY", "BUY", 100)]
    assert [event.kind for event in stage.events("PRICE_DOUBTED")] == ["PRICE_DOUBTED"]


@pytest.mark.proves("F05")
async def test_a_jump_that_a_second_packet_confirms_is_believed(stage: Stage) -> None:
    stage.client()
    stage.plan(GILLETTE, quantity=100)
    await stage.start()
    await stage.ticks(*ENTRY)
    stage.broker.is_readable = False

    await stage.tick("09:15:02", "90.00")
    assert len(stage.sent()) == 1
    await stage.tick("09:15:03", "89.50")

    assert stage.sent()[1:] == [("STOP", "SELL", 100)]


async def test_a_first_price_far_from_yesterdays_close_is_believed_at_the_second_packet(stage: Stage) -> None:
    stage.client()
    stage.plan(GILLETTE, quantity=100)
    await stage.start()
    now = int(stage.clock.now().timestamp())

    stage.feed.put(_tick("150.00", at=now, close="108.00"))
    await stage.settle(0.1)
    assert stage.session.house.instruments.last_price(GILLETTE.key) is None
    stage.feed.put(_tick("150.05", at=now + 1, close="108.00"))
    await stage.settle(0.1)

    assert stage.session.house.instruments.last_price(GILLETTE.key) == Decimal("150.05")


async def silent(stage: Stage, quote: str) -> Stage:
    """Holding 100 while the feed is dead; the broker quotes this price."""
    stage.plan(GILLETTE, quantity=100)
    stage.plan(INFY, quantity=50)
    await stage.start()
    await stage.tick("09:15:00", "108.00", INFY)
    await stage.ticks(*ENTRY)
    stage.clock.set_ist("09:16:00")
    stage.broker.prices[GILLETTE.key] = stage.broker.prices[INFY.key] = Decimal(quote)
    return stage


@pytest.mark.proves("F01", "I8")
async def test_while_the_feed_is_dead_a_stop_goes_by_the_brokers_quote_and_nothing_is_entered(stage: Stage) -> None:
    stage.client()
    await silent(stage, "103.00")

    await stage.settle(10.0)

    assert stage.sent()[1:] == [("STOP", "SELL", 100)]
    assert stage.alarm_codes() == []


@pytest.mark.proves("F01", "I18")
async def test_a_feed_that_stays_dead_while_something_is_open_calls_a_person(stage: Stage) -> None:
    stage.client()
    await silent(stage, "108.20")

    await stage.settle(30.0)

    assert stage.alarm_codes() == ["FEED_STALE"]
    assert len(stage.sent()) == 1


@pytest.mark.proves("F01", "I18")
async def test_when_the_quotes_fail_too_a_person_is_told_that_no_stop_is_decided_once_a_minute(stage: Stage) -> None:
    stage.client()
    await silent(stage, "103.00")
    stage.broker.quotes_fail = True

    await stage.settle(30.0)
    blind = [text for _, code, text in stage.store.alarms if code == "PRICES_UNKNOWN"]
    assert blind == [
        "neither feed nor quotes of kite:AB1001 tell a price: no stop is decided there; open: +100 NSE:GILLETTE"
    ]
    assert len(stage.sent()) == 1

    stage.broker.quotes_fail = False
    await stage.settle(10.0)
    assert stage.sent()[1:] == [("STOP", "SELL", 100)]


@pytest.mark.proves("F01")
async def test_while_the_feed_is_dead_a_limit_goes_by_the_brokers_quote(stage: Stage) -> None:
    stage.client(daily_loss_limit=Decimal(200))
    await silent(stage, "106.00")

    await stage.settle(10.0)

    assert stage.sent()[1:] == [("LIMIT_REACHED", "SELL", 100)]


async def test_a_quote_that_jumps_is_asked_for_again_before_it_is_believed(stage: Stage) -> None:
    stage.client()
    await silent(stage, "10.30")
    real, answers = stage.broker.last_prices, [Decimal("10.30"), Decimal("108.00")]

    async def one_wrong(instruments: Sequence[str]) -> dict[str, Decimal]:
        stage.broker.prices[GILLETTE.key] = answers.pop(0) if len(answers) > 1 else answers[0]
        return await real(instruments)

    stage.broker.last_prices = one_wrong  # type: ignore[method-assign]
    await stage.settle(20.0)

    assert len(stage.sent()) == 1


def _tick(price: str, *, at: int, close: str | None = None) -> Tick:
    scaled = to_scaled(Decimal(price))
    return Tick(GILLETTE.token, scaled, at, scaled, scaled, scaled, to_scaled(Decimal(close or price)), 10_000)
