"""Outages in which the standby is needed: the engine dies or stands still while the database is away.

What else belongs to it is drawn with it: when the database comes back, whether the standby dies or stands still, too,
how old its copy of the day is, whether the engine's sign of life can be left and read, and whether its locks can be
taken from it. Drawn by a chance of its own, so that days without it stay what they were.
"""

from collections.abc import Iterator
from random import Random

from trading.simulation.troubles import Trouble, rules

SHARE = 0.4
"""Of the days that have a standby."""
LATE_SHARE = 0.7
"""Of the outages lie around the square-off, where a step is five wire seconds; a tenth of that elsewhere."""
EARLY, LATE = (5, 110), (122, 205)
"""Steps at which an outage may begin. The slow ones around the square-off are about those from 133 to 222."""
CALLS = ("", "", "", "", "", "place", "create_intent", "save_trades")
OUTAGE, LOCKED, DIES, STOPS, STALLS, FILE, LATE_BOOK = "F41", "F40", "F43", "F46", "F47", "F42", "F17"
"""The numbers of the fault model for what is drawn here."""


def drawn(seed: int) -> tuple[Trouble, ...]:
    """Draw a day's outage, empty where it has none."""
    rng = Random(f"{seed}:standing in")  # noqa: S311 - the same seed gives the same day
    return outage(rng) if rng.random() < SHARE else ()


def outage(rng: Random) -> tuple[Trouble, ...]:
    """Draw one outage with all that happens in it."""
    if rng.random() < LATE_SHARE:
        start, length = rng.randrange(*LATE), rng.choice((6, 12, 20, 40, 80))
    else:
        start, length = rng.randrange(*EARLY), rng.choice((30, 60, 120))
    return (*_database(rng, start, length), *_engine(rng, start, length), *_standby(rng, start, length),
            *_machine(rng, start, length), *_broker(rng))  # fmt: skip


def _database(rng: Random, start: int, length: int) -> Iterator[Trouble]:
    """Take it away, or its writes alone; sometimes the day could not be copied for a while before that."""
    number, how = rng.choice(((OUTAGE, "down"), (OUTAGE, "down"), (LOCKED, "locked")))
    yield Trouble(number, "store", {"from": start, "until": start + length, "how": how})
    if rng.random() < 0.25:
        yield Trouble(OUTAGE, "store", {"from": start - rng.choice((3, 15, 60)), "until": start, "how": "uncopied"})


def _engine(rng: Random, start: int, length: int) -> Iterator[Trouble]:
    """Let it die or stand still a moment before, in, or near the end of the outage; sometimes it lives on."""
    at = start + rng.choice((-1, 0, 0, 1, 2, 5, 9, length // 2, max(0, length - 1)))
    kind = rng.random()
    if kind < 0.5:
        yield _death(rng, at, "engine")
    elif kind < 0.85:
        holds = {"holds_store": rng.random() < 0.3, "may_kill": rng.choice((True, True, True, False))}
        values = {"at": at, "for_s": rng.choice((2.5, 6.0, 40.0, 200.0)), "second": False, "whom": "engine"}
        yield Trouble(STOPS, "freeze", {**values, **holds})


def _standby(rng: Random, start: int, length: int) -> Iterator[Trouble]:
    """Let it die or stand still, too: while it waits, while it begins, while it closes, while it comes home."""
    at, kind = start + rng.choice((-2, 1, 3, 5, 10, length)), rng.random()
    if kind < 0.25:
        yield _death(rng, at, "standby")
    elif kind < 0.45:
        values = {"at": at, "for_s": rng.choice((2.5, 6.0, 20.0)), "second": False, "whom": "standby"}
        yield Trouble(STALLS, "freeze", values)


def _machine(rng: Random, start: int, length: int) -> Iterator[Trouble]:
    """Let the file of the sign of life be none that can be stamped, or none that can be read."""
    if rng.random() < 0.2:
        begins = start + rng.choice((-3, 0, 2))
        span = {"from": begins, "until": begins + rng.choice((2, 10, length + 3))}
        yield Trouble(FILE, "pulse", {**span, "how": rng.choice(("stuck", "unreadable"))})


def _broker(rng: Random) -> Iterator[Trouble]:
    """Let orders rest, their answers be lost, or the book show them late: what the engine sent last is not known."""
    lost = {"match": {"method": "POST", "path": "/orders"}, "phase": "after_accept", "action": "drop", "seconds": 30}
    resting = {"action": "fill", "schedule": [0, 0, 0, 100], "prob": 0.6}
    late = {"match": {"method": "READ", "path": "orders"}, "action": "lag", "seconds": rng.choice((3.0, 8.0))}
    chosen = rng.choice(((), (), (resting,), (lost | {"prob": 0.4},), (lost | {"prob": 0.4}, late), (resting, late)))
    yield from rules(LATE_BOOK, *chosen) if chosen else ()


def _death(rng: Random, at: int, whom: str) -> Trouble:
    call = {"call": rng.choice(CALLS), "nth": rng.randint(1, 3), "after": rng.random() < 0.5}
    back = {"back_s": rng.choice((3.5, 3.5, 30.0)), "stays_away": rng.choice((0, 0, 12, 60))}
    return Trouble(DIES, "crash", {"at": max(at, 0), "whom": whom, **call, **back})
