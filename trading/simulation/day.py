"""One simulated day from its seed: play it, judge it, and say what became of it."""

import json
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from trading.ports import EngineEvent
from trading.simulation.course import Course
from trading.simulation.referee.case import Violation
from trading.simulation.virtual_time import Stalled, run_virtually
from trading.simulation.weather import Weather, draw
from trading.simulation.world import World


@dataclass(frozen=True)
class DayResult:
    """What became of one day. `digest` is the hash over event log and ledger."""

    seed: int
    weather: Weather
    digest: str
    violations: tuple[Violation, ...]
    orders: int
    looked: dict[str, int]
    struck: dict[str, int]
    events: tuple[EngineEvent, ...] = field(default=(), repr=False)


def play(seed: int, weather: Weather | None = None) -> DayResult:
    """Play one day, with the weather of its seed unless another one is given. The same again gives the same."""
    todays = draw(seed) if weather is None else weather

    async def whole() -> DayResult:
        world = World(seed, todays.shape)
        course = Course(seed, world, todays)
        broke: tuple[Violation, ...] = ()
        try:
            await course.play()
        except (Stalled, RuntimeError, AssertionError) as error:
            broke = (Violation("DAY", str(world.clock.now()), f"the day broke off: {error!r}"),)
        case = world.case
        return DayResult(
            seed,
            todays,
            _digest(world),
            (*broke, *case.violations),
            len(case.arrived),
            dict(case.looked),
            dict(course.counts()),
            tuple(world.store.events),
        )

    return run_virtually(whole)


def _digest(world: World) -> str:
    """Hash every event in the order of the log, then the exchange's ledger."""
    whole = sha256()
    for event in world.store.events:
        whole.update(_line(event))
    whole.update(world.house.venue.ledger_hash().encode())
    return whole.hexdigest()


def _line(event: EngineEvent) -> bytes:
    facts: list[Any] = [
        event.client_id,
        event.kind,
        event.at.isoformat(),
        event.account_key,
        event.instrument,
        event.tag,
        event.data,
    ]
    return json.dumps(facts, sort_keys=True, default=str).encode()
