"""A silent feed switches entries off and says so; bad ticks decide nothing."""

from tests.engine.stage import GILLETTE, INFY, Stage
from trading.domain.ticks import Tick
from trading.engine.ladder_book import LadderBook

ENTRY = (("09:15:00", "108.00"), ("09:15:01", "108.10"))


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


async def test_a_tick_older_than_the_last_one_is_left_out(stage: Stage) -> None:
    stage.client()
    stage.plan(GILLETTE, quantity=100)
    await stage.start()
    await stage.ticks(*ENTRY)
    early = int(stage.clock.now().timestamp()) - 1

    stage.feed.put(Tick(GILLETTE.token, 1030000, early, 0, 0, 0, 1081000, 1))
    await stage.settle(0.5)

    assert len(stage.sent()) == 1
    assert stage.session.house.book.rejected == 1


async def test_yesterdays_snapshot_and_a_price_of_zero_are_no_ticks(stage: Stage) -> None:
    stage.client()
    stage.plan(GILLETTE, quantity=100)
    await stage.start()
    now = int(stage.clock.now().timestamp())

    for ltp, stamp in ((1080000, now - 86_400), (0, now), (-5, now)):
        stage.feed.put(Tick(GILLETTE.token, ltp, stamp, 0, 0, 0, 1081000, 1))
    await stage.settle(0.5)

    assert stage.session.house.book.last(GILLETTE.token) is None
    assert stage.session.house.book.rejected == 3


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
    book, takers = LadderBook(1_000), [CountingTaker(INFY.token, 90, 110), CountingTaker(INFY.token, 95, 120)]
    for taker in takers:
        book.put(taker)

    for price in (96, 100, 109):
        book.take(tick(price))
    assert [taker.shown for taker in takers] == [0, 0]

    for price in (95, 110):
        book.take(tick(price))
    assert [taker.shown for taker in takers] == [2, 2]


def test_from_the_square_off_on_every_tick_is_shown() -> None:
    book, taker = LadderBook(1_000), CountingTaker(INFY.token, 90, 110)
    book.put(taker)

    book.take(tick(100, at=1_999))
    book.take(tick(100, at=2_000))

    assert taker.shown == 1
