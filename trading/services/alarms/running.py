"""The alarm threads of this process, where it has some: web and strategy."""

from trading.ports import Clock
from trading.services.alarms.threads import AlarmThreads
from trading.services.alarms.watch import PartWatch, SeenPart
from trading.stores import heartbeats

_running: list[AlarmThreads] = []
_visitors: list[PartWatch] = []


def start(role: str, clock: Clock, *, has_loop: bool = False) -> AlarmThreads:
    """Start this process's threads; whoever calls stops them at the end."""
    threads = AlarmThreads(role, clock, has_loop=has_loop)
    _running[:] = [threads]
    threads.start()
    return threads


def seen_parts(clock: Clock) -> list[SeenPart]:
    """Give every part with the age of its sign of life as this process saw it. Raises DatabaseError.

    Without threads of its own a process sees only what it is asked to look at.
    """
    if _running:
        return _running[0].seen()
    if not _visitors:
        _visitors.append(PartWatch(clock))
    return _visitors[0].observe(heartbeats.all_beats())
