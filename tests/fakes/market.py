"""A market that waits for the engine, as the simulated exchange does: steps, rounds, matching sorted by tag."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from decimal import Decimal

from tests.fakes.broker import FakeBroker
from tests.fakes.feed import FakeFeed
from tests.fakes.virtual_clock import VirtualClock, let_run
from trading.domain.orders import OrderIntent, OrderStatus
from trading.domain.ticks import Tick
from trading.ports import MarketRound


class WaitingBroker(FakeBroker):
    """Carries nothing out before the market matches. `fills_at_most` limits one matching of an order."""

    fills_at_most: int | None = None
    rests: bool = False

    async def place(self, intent: OrderIntent) -> str:
        self.before_place(intent)
        self.placed.append(intent)
        return self._accept(intent)

    async def cancel(self, order_id: str) -> None:
        self.cancelled.append(order_id)

    def match(self) -> bool:
        """Carry out what was asked for; says whether anything changed."""
        changed = False
        for order in sorted(self.live(), key=lambda order: order.tag):
            if order.order_id in self.cancelled:
                self._change(order.order_id, status=OrderStatus.CANCELLED)
            elif self.rests:
                continue
            else:
                left = order.quantity - order.filled_quantity
                self.fill(order.order_id, min(left, self.fills_at_most or left))
            changed = True
        return changed

    @property
    def told(self) -> int:
        """Order messages sent on the present connection."""
        return self._serial


class WaitingMarket:
    """Implements MarketHold and moves the clock. `jitter` lets ticks and messages come in any order in a step."""

    def __init__(
        self,
        clock: VirtualClock,
        feed: FakeFeed,
        brokers: dict[str, WaitingBroker],
        jitter: random.Random | None = None,
    ) -> None:
        self.busy_count = 0
        self.answers: list[tuple[int, int]] = []
        self.next_due: datetime | None = None
        self.answered_until: datetime | None = None
        self.has_ticker = True
        self._clock = clock
        self._feed = feed
        self._brokers = brokers
        self._jitter = jitter
        self._rounds: asyncio.Queue[MarketRound] = asyncio.Queue()
        self._step = 0
        self._round = 1

    # -- MarketHold --------------------------------------------------------------------------------------------

    async def rounds(self) -> AsyncIterator[MarketRound]:
        while True:
            yield await self._rounds.get()

    async def answer(self, round_: MarketRound, *, next_due: datetime | None, until: datetime | None = None) -> None:
        self.answers.append((round_.step, round_.round))
        self.next_due, self.answered_until = next_due, until

    async def busy(self, round_: MarketRound) -> None:
        self.busy_count += 1
        self.answered_until = None
        self.answers = [answer for answer in self.answers if answer < (round_.step, round_.round)]

    # -- the exchange ------------------------------------------------------------------------------------------

    async def run(self, day: Sequence[tuple[datetime, Sequence[Tick]]]) -> None:
        """Play a day: stop at every tick's moment and at every moment that the engine named in between."""
        for at, ticks in day:
            while self.next_due is not None and self._clock.now() < self.next_due < at:
                await self.step(self.next_due, ())
            await self.step(at, ticks)

    async def step(self, at: datetime, ticks: Sequence[Tick], *, within_s: float = 60.0) -> None:
        """Move to a moment and let everything that belongs to it happen. Fails when the engine does not answer."""
        self._step += 1
        self._clock.set(at)
        for tick in ticks:
            for broker in self._brokers.values():
                broker.prices[_key(tick)] = Decimal(tick.ltp) / 10_000
        for broker in self._brokers.values():
            broker.match()
        late = self._jitter is not None and self._jitter.random() < 0.5
        if not late:
            self._send_ticks(ticks)
            await let_run(self._jitter.randrange(60) if self._jitter else 0)
        self._round = 1
        self._ask(at)
        if late:
            await let_run(self._jitter.randrange(60) if self._jitter else 0)
            self._send_ticks(ticks)
        await self._answered(within_s)
        await self.finish_step(within_s)

    async def finish_step(self, within_s: float = 60.0) -> None:
        """Match and ask again until a round brings no order."""
        while [broker for broker in self._brokers.values() if broker.match()]:
            self._round += 1
            self._ask(self._clock.now())
            await self._answered(within_s)

    def _send_ticks(self, ticks: Sequence[Tick]) -> None:
        if self.has_ticker:
            self._feed.put(*ticks, step=self._step)

    def _ask(self, at: datetime) -> None:
        told = {broker.name: broker.told for broker in self._brokers.values()}
        self._rounds.put_nowait(
            MarketRound(self._step, self._round, at, has_ticker=self.has_ticker, frames={}, updates=told, waits=True)
        )

    async def _answered(self, within_s: float) -> None:
        deadline = self._clock.monotonic() + within_s
        while (self._step, self._round) not in self.answers:
            assert self._clock.monotonic() < deadline, f"round {self._round} of step {self._step} was not answered"
            await self._clock.pass_wire(0.005)


TOKENS: dict[int, str] = {}
"""Feed token to instrument key, filled by the test."""


def _key(tick: Tick) -> str:
    return TOKENS[tick.token]
