"""However many clients are sick, the others are squared off as fast as one client alone (F54, I26)."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from tests.engine.stage import GILLETTE, Stage
from tests.fakes.broker import HANG, REJECT, FakeBroker

CLIENTS = 40
ANSWERS_AFTER_S = 0.2
MOST_TIMES_AS_LONG = 1.5


def hangs(stage: Stage, broker: FakeBroker) -> None:
    """Nothing is answered any more."""

    async def never(*_: Any) -> Any:
        await asyncio.Event().wait()

    broker.script.extend([HANG] * 50)
    for call in ("orders", "trades", "positions", "quotes", "last_prices", "cancel"):
        setattr(broker, call, never)


def refuses(stage: Stage, broker: FakeBroker) -> None:
    """Every exit is refused."""
    broker.script.extend([REJECT] * 50)


def is_poisoned(stage: Stage, broker: FakeBroker) -> None:
    """Every answer about positions breaks what reads it, and so does the end of its ladder's day."""

    async def broken() -> Any:
        raise KeyError("net_quantity")

    def poisoned(*_: Any) -> Any:
        raise RuntimeError("poison")

    broker.positions = broken  # type: ignore[method-assign]
    ladder = stage.session.house.runners[(f"kite:{broker.name}", GILLETTE.key)].ladder
    assert ladder is not None
    ladder.end_day = poisoned  # type: ignore[method-assign]


async def flat_after(clients: int, sick: int, make_sick: Callable[[Stage, FakeBroker], None]) -> float:
    """Give after how many seconds the last healthy client was flat, of so many with one position each."""
    stage = Stage()
    for number in range(1, clients + 1):
        broker = stage.client(number, f"AB{1000 + number}")
        stage.plan(GILLETTE, user_id=broker.name, quantity=10)
    await stage.start()
    await stage.ticks(("09:15:00", "108.00"), ("09:15:01", "108.10"))
    brokers = list(stage.brokers.values())
    assert all(broker.net(GILLETTE.key) == 10 for broker in brokers)
    for broker in brokers[clients - sick :]:
        make_sick(stage, broker)
    healthy, flat = brokers[: clients - sick], dict[str, float]()
    for broker in healthy:
        _answer_slowly(stage, broker, flat)
    began = stage.clock.monotonic()
    await stage.at("15:15:00", 10.0)
    assert len(flat) == len(healthy)
    await stage.stop()
    return max(flat.values()) - began


def _answer_slowly(stage: Stage, broker: FakeBroker, flat: dict[str, float]) -> None:
    real, positions = broker.place, broker.positions

    async def place(intent: Any) -> str:
        await stage.clock.sleep(ANSWERS_AFTER_S)
        order_id = await real(intent)
        flat[broker.name] = stage.clock.monotonic()
        return order_id

    async def read() -> Any:
        await stage.clock.sleep(ANSWERS_AFTER_S)
        return await positions()

    broker.place, broker.positions = place, read  # type: ignore[method-assign]


@pytest.mark.proves("F54", "I6", "I26")
@pytest.mark.parametrize("make_sick", [hangs, refuses, is_poisoned], ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("sick", [1, CLIENTS // 2])
async def test_the_healthy_are_flat_as_fast_as_one_alone(
    sick: int, make_sick: Callable[[Stage, FakeBroker], None]
) -> None:
    alone = await flat_after(1, 0, make_sick)

    assert await flat_after(CLIENTS, sick, make_sick) <= MOST_TIMES_AS_LONG * alone
