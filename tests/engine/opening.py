"""A client whose ladder takes the opening range, the ticks of its window, and what was told of it."""

from datetime import datetime, time

from tests.engine.stage import DAY, GILLETTE, Stage
from tests.fakes.history import candle
from trading.domain.timezone import at_ist

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
