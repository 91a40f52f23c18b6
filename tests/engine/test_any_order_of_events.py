"""Fills, cancels, changes, lost answers, duplicates and restarts in any order: what must hold at every moment of it."""

import random
from decimal import Decimal
from typing import Any

import pytest

from tests.engine.stage import Stage
from tests.fakes.broker import DIE, DROPPED, FILL, LOST, LOST_RESTING, REJECT, REST, TOO_MANY
from trading.domain.instruments import Instrument, InstrumentType
from trading.domain.orders import IntentState, Side
from trading.domain.timezone import to_ist

FUTURE = Instrument("NFO", "NIFTY26DECFUT", 99, Decimal("0.05"), 50, InstrumentType.FUT, "F", "NIFTY")
KEY = FUTURE.key
DAYS, STEPS = 8, 40
OUTCOMES = (
    FILL,
    FILL,
    FILL,
    "partial:50",
    "partial:700",
    REST,
    REST,
    REJECT,
    DIE,
    LOST,
    LOST_RESTING,
    DROPPED,
    TOO_MANY,
)
CHANGES = (FILL, FILL, REJECT, LOST, DROPPED)
PRICES = ("107.90", "108.10", "108.60", "109.10", "105.00", "103.00", "101.00", "100.90", "100.40")


class Day:
    """One random day of one instrument, and what must hold in it."""

    def __init__(self, stage: Stage, seed: int) -> None:
        self.stage = stage
        self.dice = random.Random(seed)
        self.seconds = 0
        self.did: list[str] = []

    @property
    def broker(self) -> Any:
        return self.stage.broker

    async def step(self) -> None:
        name = self.dice.choice(
            (
                "tick",
                "tick",
                "tick",
                "tick",
                "wait",
                "wait",
                "fill",
                "part",
                "again",
                "by_hand",
                "cancels",
                "mute",
                "restart",
            )
        )
        self.did.append(name)
        await getattr(self, name)()

    async def tick(self) -> None:
        self.broker.script.extend([self.dice.choice(OUTCOMES)] if not self.broker.script else [])
        self.broker.change_script.extend([self.dice.choice(CHANGES)] if not self.broker.change_script else [])
        self.seconds += self.dice.randrange(1, 4)
        await self.stage.tick(self.time(), self.dice.choice(PRICES), FUTURE)

    async def wait(self) -> None:
        self.seconds += self.dice.randrange(1, 10)
        await self.stage.at(self.time(), self.dice.choice((0.5, 3.0, 12.0)))

    async def fill(self) -> None:
        for order in self.broker.live()[:1]:
            self.broker.fill(order.order_id)
        await self.stage.settle(0.1)

    async def part(self) -> None:
        for order in self.broker.live()[:1]:
            left = order.quantity - order.filled_quantity
            self.broker.fill(order.order_id, self.dice.randrange(1, left + 1))
        await self.stage.settle(0.1)

    async def again(self) -> None:
        for order in self.dice.sample(list(self.broker.book.values()), min(3, len(self.broker.book))):
            self.broker.tell(order)
        await self.stage.settle(0.1)

    async def by_hand(self) -> None:
        """The client closes a part, while nothing of ours could fill at the same moment."""
        net = self.broker.net(KEY)
        if net and not self.broker.live():
            units = self.dice.randrange(1, abs(net) + 1)
            self.broker.trade_by_hand(KEY, Side.SELL if net > 0 else Side.BUY, units)
            await self.stage.settle(32.0)

    async def cancels(self) -> None:
        self.broker.takes_cancels = not self.broker.takes_cancels

    async def mute(self) -> None:
        self.broker.tells_updates = not self.broker.tells_updates

    async def restart(self) -> None:
        await self.stage.stop()
        await self.stage.start()

    def time(self) -> str:
        minutes, seconds = divmod(15 * 60 + self.seconds, 60)
        return f"{9 + minutes // 60:02}:{minutes % 60:02}:{seconds:02}"

    def check(self) -> None:
        """At most one live exit, and never more leaving than is open."""
        exits = [order for order in self.broker.live() if self.is_exit(order.tag)]
        words = f"after {self.did[-6:]} at {to_ist(self.stage.clock.now()):%H:%M:%S}: {exits}"
        assert len(exits) <= 1, words
        for order in exits:
            left = order.quantity - order.filled_quantity
            net = self.broker.net(KEY)
            assert net * order.side.sign < 0, words
            assert left <= abs(net), words

    def is_exit(self, tag: str) -> bool:
        return self.stage.store.intents[tag].intent.key.purpose.is_exit

    async def end(self) -> None:
        """Everything is well again: the square-off makes it flat."""
        self.broker.script.clear()
        self.broker.change_script.clear()
        self.broker.takes_cancels = self.broker.tells_updates = self.broker.fills_changed = True
        await self.stage.settle(150.0)
        for moment in ("15:15:00", "15:15:02", "15:15:06", "15:15:14", "15:15:30", "15:17:40", "15:20:00"):
            await self.stage.at(moment, 20.0)
            for order in self.broker.live():
                self.broker.fill(order.order_id)
            await self.stage.settle(5.0)


@pytest.mark.proves("F18", "F24", "F26", "I4", "I5")
async def test_never_more_out_than_in_at_most_one_live_exit_and_flat_when_asked(tally: Any) -> None:
    for seed in range(DAYS):
        stage = Stage()
        stage.client()
        stage.plan(FUTURE, quantity=4000)
        await stage.start()
        day = Day(stage, seed)
        try:
            for _ in range(STEPS):
                await day.step()
                day.check()
            await day.end()
            assert stage.broker.net(KEY) == 0, f"seed {seed}: {day.did}"
            assert stage.broker.live() == [], f"seed {seed}: {day.did}"
            states = {stored.state for stored in stage.store.intents.values()}
            assert not states & {IntentState.NEW, IntentState.SENDING, IntentState.IN_DOUBT}, f"seed {seed}"
        finally:
            await stage.stop()
        tally.count(tried=1, survived=1)
