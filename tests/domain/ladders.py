"""The ladder that most tests stand on: range 100 to 110, tick 0.05, so long B 108.10, T1 108.60, short S 100.90."""

from collections.abc import Callable
from datetime import time
from decimal import Decimal
from typing import Any

from trading.domain.ladder import Ladder
from trading.domain.ladder_config import LadderConfig
from trading.domain.ladder_events import TickEvent
from trading.domain.money import to_scaled
from trading.domain.timezone import second_of_day


def make_ladder(
    *,
    quantity: int | Callable[[Decimal], int] = 10,
    lot_size: int = 1,
    high: str = "110",
    low: str = "100",
    **config: Any,
) -> Ladder:
    """Build a ladder; keyword arguments that are no parameter are settings of its configuration."""
    return Ladder(
        LadderConfig.from_mapping(config),
        high=Decimal(high),
        low=Decimal(low),
        tick_size=Decimal("0.05"),
        lot_size=lot_size,
        quantity=quantity,
    )


def tick(ladder: Ladder, price: str, at: str = "10:00:00") -> tuple[TickEvent, ...]:
    """Show one tick at a price in rupees and an IST time."""
    return ladder.on_tick(second_of_day(time.fromisoformat(at)), to_scaled(Decimal(price)))


def words(events: tuple[TickEvent, ...]) -> list[str]:
    """Give the events' words."""
    return [event.word for event in events]
