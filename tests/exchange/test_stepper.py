"""The market's steps and rounds, on a hand-made venue and a hand-turned wire clock."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import date, time
from typing import Any

import pytest

from trading.domain.calendar import MarketCalendar
from trading.domain.timezone import at_ist
from trading.exchange.clock import MarketClock, to_ms
from trading.exchange.participants import Participants
from trading.exchange.stepper import Stepper

DAY = date(2026, 11, 23)
OPEN_MS = to_ms(at_ist(DAY, time(9, 15)))


class FakeVenue:
    """Ticks every second of the first minute; orders are words, matched sorted."""

    def __init__(self) -> None:
        self.pending: list[str] = []
        self.matched: list[list[str]] = []
        self.advanced: list[int] = []
        self.flying_s = 0.0

    def step_times(self) -> Sequence[int]:
        return [OPEN_MS + second * 1000 for second in range(1, 60)]

    def advance(self, to_ms: int) -> None:
        self.advanced.append(to_ms)

    def in_flight_s(self) -> float:
        return self.flying_s

    def has_pending(self) -> bool:
        return bool(self.pending)

    def match_pending(self) -> None:
        self.matched.append(sorted(self.pending))
        self.pending.clear()

    def frames(self) -> Mapping[str, int]:
        return {"OP1000": len(self.advanced)}

    def updates(self) -> Mapping[str, int]:
        return {}


class Wire:
    """Wire time that the test turns."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Market:
    """A stepper at 09:15 with everything around it; the ceiling is out of the way unless a test sets it."""

    def __init__(self, *, pace: str = "hold", roles: Sequence[str] = ("engine", "ticker", "beat")) -> None:
        self.wire = Wire()
        self.venue = FakeVenue()
        self.clock = MarketClock(day=DAY, calendar=MarketCalendar.load(), now_ms=OPEN_MS, speed=600, pace=pace, step=0)
        self.participants = Participants()
        self.told: list[Mapping[str, Any]] = []
        self.kept: list[tuple[int, int]] = []
        self.stepper = Stepper(
            self.clock, self.venue, self.participants, monotonic=self.wire, keep=self._keep, tell=self.told.append
        )
        self.by_role = {role: self.participants.join(role, role, at=0.0) for role in roles}

    def _keep(self) -> None:
        """Note the clock as it would go to disk, and how many steps had been seen by anybody then."""
        self.kept.append((self.clock.now_ms, len(self.venue.advanced)))

    def done(self, role: str, **extra: Any) -> None:
        step, round_ = self.stepper.present_round
        extra = {"due_ms": None, "until_ms": None} | extra
        self.participants.heard(self.by_role[role], at=self.wire.now)
        self.participants.done(self.by_role[role], step, round_, **extra)
        self.stepper.stir()

    async def settle(self, turns: int = 8) -> None:
        for _ in range(turns):
            await asyncio.sleep(0)


Start = Callable[[Market], Market]


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    tasks = []

    def _start(market: Market) -> Market:
        tasks.append(asyncio.create_task(market.stepper.run()))
        return market

    yield _start
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_the_market_stands_until_everybody_has_answered(start: Start) -> None:
    market = start(Market())
    await market.settle()
    market.wire.now += 1
    market.done("engine")
    market.done("ticker")
    await market.settle()
    assert market.venue.advanced == []

    market.done("beat")
    await market.settle()

    assert market.venue.advanced == [OPEN_MS + 1000]


async def test_the_clock_is_on_disk_before_anybody_sees_the_step(start: Start) -> None:
    market = start(Market(roles=()))
    market.clock.run_until(OPEN_MS + 3000)
    for _ in range(3):
        await market.settle()
        market.wire.now += 60
        market.stepper.stir()
    await market.settle()

    assert market.kept == [(OPEN_MS + 1000, 0), (OPEN_MS + 2000, 1), (OPEN_MS + 3000, 2)]


async def test_orders_are_matched_sorted_once_the_engine_answered_and_make_another_round(
    start: Start,
) -> None:
    market = start(Market(roles=("engine", "beat")))
    await market.settle()
    market.venue.pending += ["TAGB", "TAGA"]
    market.stepper.stir()
    await market.settle()
    assert market.venue.matched == []

    market.done("engine")
    await market.settle()

    assert market.venue.matched == [["TAGA", "TAGB"]]
    assert market.stepper.present_round == (0, 2)
    assert market.told[-1]["round"] == 2


async def test_an_engine_that_says_busy_is_waited_for_again(start: Start) -> None:
    market = start(Market(roles=("engine",)))
    market.clock.hold()
    await market.settle()
    market.done("engine")
    await market.settle()

    market.participants.busy(market.by_role["engine"], *market.stepper.present_round)
    market.venue.pending.append("TAG")
    market.stepper.stir()
    await market.settle()
    assert market.venue.matched == []

    market.done("engine")
    await market.settle()
    assert market.venue.matched == [["TAG"]]


async def test_a_participant_silent_for_five_seconds_leaves_and_its_next_word_brings_it_back(start: Start) -> None:
    market = start(Market(roles=("engine", "ticker")))
    await market.settle()
    market.done("engine")
    market.wire.now += 5
    await asyncio.sleep(0.3)

    assert market.by_role["ticker"].state == "out"
    assert market.stepper.round_message()["roles"] == ["engine"]

    market.participants.heard(market.by_role["ticker"], at=market.wire.now)
    assert market.stepper.round_message()["roles"] == ["engine", "ticker"]


async def test_the_free_pace_waits_for_nobody_and_matches_at_once(start: Start) -> None:
    market = start(Market(pace="free"))
    market.venue.pending.append("TAG")
    market.stepper.stir()
    await market.settle()

    assert market.venue.matched == [["TAG"]]


async def test_a_due_moment_is_a_step_of_its_own(start: Start) -> None:
    market = start(Market(roles=("engine",)))
    await market.settle()
    market.wire.now += 1
    market.done("engine", due_ms=OPEN_MS + 250)
    await market.settle()

    assert market.venue.advanced == [OPEN_MS + 250]


async def test_run_until_stops_exactly_there(start: Start) -> None:
    market = start(Market(roles=()))
    market.clock.run_until(OPEN_MS + 2500)
    market.wire.now += 60
    for _ in range(6):
        market.stepper.stir()
        await market.settle()
        market.wire.now += 60

    assert market.venue.advanced == [OPEN_MS + 1000, OPEN_MS + 2000, OPEN_MS + 2500]
    assert market.clock.is_held


async def test_speed_is_a_ceiling(start: Start) -> None:
    market = start(Market(roles=()))
    await market.settle()
    assert market.venue.advanced == []

    market.wire.now += 1 / 600 + 0.0001
    market.stepper.stir()
    await market.settle()

    assert market.venue.advanced == [OPEN_MS + 1000]


def test_the_clock_refuses_words_and_speeds_it_does_not_know() -> None:
    clock = Market().clock

    with pytest.raises(ValueError, match="speed must be 1 to 600, was 601"):
        clock.set_speed(601)
    with pytest.raises(ValueError, match="pace must be hold or free, was 'fast'"):
        clock.set_pace("fast")
    with pytest.raises(ValueError, match="run_until must not be before"):
        clock.run_until(OPEN_MS - 1)


async def test_under_hold_the_market_stands_while_something_is_on_its_way_and_asks_the_engine_again(
    start: Start,
) -> None:
    market = Market(roles=("engine",))
    market.venue.flying_s = 3.0
    start(market)
    await market.settle()
    market.wire.now += 60
    market.done("engine")
    await market.settle()
    stood = list(market.venue.advanced)

    market.venue.flying_s = 0.0
    market.stepper.stir()
    await market.settle()
    asked = market.told[-1]["round"]
    still = list(market.venue.advanced)
    market.done("engine")
    await market.settle()

    assert (stood, asked, still) == ([], 2, [])
    assert market.venue.advanced == [OPEN_MS + 1000]


async def test_the_free_pace_waits_for_nothing_on_its_way(start: Start) -> None:
    market = Market(pace="free", roles=())
    market.venue.flying_s = 3.0
    start(market)
    await market.settle()
    market.wire.now += 60
    market.stepper.stir()
    await market.settle()

    assert market.venue.advanced[0] == OPEN_MS + 1000
