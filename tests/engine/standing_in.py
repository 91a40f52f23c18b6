"""A standby that is left alone: the engine dies while the database is away, or the other way round."""

import asyncio
from typing import Any

from tests.engine.stage import GILLETTE, Stage
from tests.engine.test_exits_never_lost import holding
from tests.engine.test_lease import freeze
from trading.engine.runtime import Engine

ACCOUNT, KEY = "kite:AB1001", GILLETTE.key

LOOKS_AROUND_S = 18.0
"""Wire seconds until a standby acts: three without a sign of life, ten of clean books, and a little."""


async def watched(stage: Stage, **changes: Any) -> Engine:
    """Let a standby wait beside the engine, long enough to know the day."""
    standby = Engine(stage.deps(holder="b", **changes), standby=True)
    stage.standbys.append(asyncio.create_task(standby.run()))
    await stage.settle(6.0)
    return standby


async def dies(stage: Stage) -> None:
    """End the engine as kill -9 does: its locks are free, and its pulse stands still."""
    owner = stage.machine.owners.get(ACCOUNT)
    await freeze(stage)
    if owner is not None:
        owner.die()


async def alone(stage: Stage, **changes: Any) -> Engine:
    """Leave a standby alone with an open position: the database goes away, then the engine dies."""
    await holding(stage)
    standby = await watched(stage, **changes)
    stage.store.is_available = False
    await stage.settle(5.0)
    await dies(stage)
    await stage.settle(LOOKS_AROUND_S)
    return standby


async def close_of_day(stage: Stage) -> None:
    """Let market time come to the square-off and past its deadline."""
    for at in ("15:10:00", "15:14:30", "15:15:00", "15:15:30", "15:16:30"):
        await stage.at(at, 2.0)
