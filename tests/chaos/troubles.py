"""The troubles, each a function of one arena. It returns once the stack is whole again; the referee judges after it."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from tests.chaos import plugs
from tests.chaos.arena import WAVE_S, Arena

SQLITE, POSTGRESQL = "sqlite", "postgresql"
BOTH = (SQLITE, POSTGRESQL)
OTHERS = ("sentinel", "ticker", "worker", "beat", "web")
CLOCK_STEP_S = 300
CLOSES_IN_S = 45
BACKLOG = 50_000
KNOWS_THE_DAY_AFTER_S = 6.0
"""The standby copies the day every five seconds."""
SHORTER = {"F15": {"n": 3}}
"""So many refusals are enough; the account slows down for half a minute after them."""
LOOKS_ROUND_S = 2.0
"""The engine looks at everything at least twice in so many wire seconds."""
RAISE = """
from trading.models import Client, User
from trading.services import wiring
from trading.services.control import raise_state
by = User.objects.filter(is_operator=True).first()
raise_state(Client.objects.get(user__email="{email}"), by, "chaos goes on", clock=wiring.clock())
"""
CLOSE = """
from datetime import time
from trading.models import Client
from trading.services import wiring
from trading.services.limits import save_limits
times = dict.fromkeys(("no_new_entry_after", "square_off_at"), time.fromisoformat("{at:%H:%M:%S}"))
save_limits(Client.objects.get(user__email="{email}"), times, by=None, clock=wiring.clock())
"""


@dataclass(frozen=True)
class Trouble:
    """What happens once on each of the `databases` in a round, by `place` before or after all others."""

    name: str
    proves: tuple[str, ...]
    strike: Callable[[Arena], None]
    databases: tuple[str, ...] = BOTH
    place: int = 0
    points: tuple[str, ...] = ()
    """Crash points that it dies at."""


# -- deaths at named points --------------------------------------------------------------------------------------------


def dies(arena: Arena, points: tuple[str, ...]) -> None:
    """The engine dies on its way, and those who take over die, too, until one lives."""
    plugs.dies_at(arena, points[0])
    for point in points[1:]:
        plugs.arm(arena, point)
        plugs.until_dead(arena)
    arena.until_the_engine_works()
    arena.heal()
    arena.advance()


def dies_cancelling(arena: Arena, points: tuple[str, ...]) -> None:
    """Entries rest unfilled until they are cancelled."""
    arena.fault({"match": {"is_exit": False}, "action": "fill", "schedule": [0], "n": 6})
    dies(arena, points)


def dies_repricing(arena: Arena, points: tuple[str, ...]) -> None:
    """Exits rest for a while, and are taken further through the market."""
    arena.fault({"match": {"is_exit": True}, "action": "fill", "schedule": [*[0] * 40, 100], "n": 6})
    dies(arena, points)


def dies_half_way_through_a_kill(arena: Arena) -> None:
    """A kill file is pressed; whoever takes over carries it out, and the client ends flat and stopped."""
    email, user_id = next(arena.clients)
    arena.advance()
    plugs.arm(arena, "kill_half_way")
    (arena.stack.state_dir / "kill" / f"client:{email}").touch()
    plugs.until_dead(arena)
    arena.until_the_engine_works()
    arena.until_in_time(lambda: arena.is_halted(email), f"{email} to be halted")
    assert arena.open_of(user_id) == {}
    arena.stack.manage("shell", "-c", RAISE.format(email=email))


def dies_without_the_database(arena: Arena, points: tuple[str, ...]) -> None:
    """The database goes away, and the engine dies on the way of the exit journal; the next one brings it home."""
    arena.carry()
    with plugs.no_database(arena):
        plugs.dies_at(arena, points[0])
        for point in points[1:]:
            plugs.arm(arena, point)
    plugs.until_dead(arena)
    arena.until_the_engine_works()
    arena.advance()


def the_standby_stands_in(arena: Arena) -> None:
    """The engine is killed while nobody can write to the database: the standby exits without the lease.

    When the database is back its exits come home, whoever is faster to take the lease.
    """
    arena.until_the_engine_works()
    arena.carry()
    time.sleep(KNOWS_THE_DAY_AFTER_S)
    before, said = arena.came_home(), len(arena.stack.log.read_text(errors="replace"))
    with plugs.no_database(arena):
        plugs.kill(arena, "strategy")
        stands_in = "stands in for"
        arena.until(lambda: stands_in in arena.stack.log.read_text(errors="replace")[said:], "the standby to stand in")
        sent = arena.orders()
        arena.advance_until(lambda: arena.orders() > sent, "the standby to exit")
        arena.until_it_stands()
    arena.until_the_engine_works()
    assert arena.came_home() > before
    arena.advance()


# -- processes ---------------------------------------------------------------------------------------------------------


def the_engine_is_killed(arena: Arena) -> None:
    arena.go_on(2 * WAVE_S)
    plugs.kill(arena, "strategy")
    arena.until_the_engine_works()


def the_engine_is_stopped_and_goes_on(arena: Arena) -> None:
    """The standby takes over meanwhile; what goes on sends nothing under its old epoch.

    It may stand in the middle of a transaction and keep the database from everybody.
    """
    arena.until_the_engine_works()
    arena.go_on(3 * WAVE_S)
    stopped = arena.holder()
    with plugs.frozen(arena, "strategy"):
        arena.until(lambda: arena.holder() != stopped, "the standby to take over")
    arena.until_the_engine_works()
    arena.advance()


def the_engine_stalls(arena: Arena) -> None:
    for _ in range(2):
        with plugs.frozen(arena, "strategy"):
            arena.advance(2)
    arena.until_the_engine_works()
    arena.advance()


def all_others_die(arena: Arena) -> None:
    arena.go_on(2 * WAVE_S)
    plugs.kill(arena, *OTHERS)
    arena.until_it_stands()


# -- Redis -------------------------------------------------------------------------------------------------------------


def redis_loses_everything(arena: Arena) -> None:
    arena.go_on(2 * WAVE_S)
    plugs.redis(arena).flushall()
    arena.until_it_stands()


def redis_restarts_twice(arena: Arena) -> None:
    arena.go_on(2 * WAVE_S)
    for _ in range(2):
        plugs.restart_redis(arena)
    arena.until_it_stands()
    arena.advance()


def redis_sleeps(arena: Arena) -> None:
    with plugs.frozen(arena, "redis"):
        arena.advance(6)
    arena.advance()


def redis_is_reset(arena: Arena) -> None:
    """Every connection ends by RST, with requests that nobody read."""
    for _ in range(2):
        arena.go_on(2 * WAVE_S)
        plugs.reset_redis(arena)
        arena.until_it_stands()
    arena.advance()


def redis_hangs_in_mid_answer(arena: Arena) -> None:
    """Half of an answer comes and then nothing, until the connection is cut."""
    wire = plugs.wire_of(arena)
    arena.go_on(3 * WAVE_S)
    wire.hang()
    try:
        arena.until_it_stands()
    finally:
        wire.flow()
    arena.advance()


def the_worker_has_a_backlog(arena: Arena) -> None:
    """Whatever Beat asks for now waits behind tens of thousands of tasks."""
    plugs.queue_up(arena, "trading.tasks.canary", BACKLOG)
    try:
        arena.advance(6)
        assert plugs.waiting_tasks(arena) > 0
    finally:
        plugs.empty_queue(arena)
    arena.advance()


# -- database, disk, clock, broker -------------------------------------------------------------------------------------


def the_database_is_locked(arena: Arena) -> None:
    with plugs.locked_database(arena):
        arena.advance(8)
    arena.until_the_engine_works()
    arena.advance()


def the_database_server_crashes(arena: Arena) -> None:
    with plugs.stopped_database(arena):
        arena.advance(8)
    arena.until_the_engine_works()
    arena.advance()


def the_disk_is_full_for_the_engine(arena: Arena) -> None:
    with plugs.full_disk(arena, "strategy"):
        arena.advance()
    arena.until_the_engine_works()
    arena.advance()


def the_clock_is_set(arena: Arena, seconds: int) -> None:
    """Every process' clock is off at once, and right again later: market time and wall step, wire time does not.

    While no price moves a step sends nothing by itself.
    """
    arena.until_the_engine_works()
    arena.carry(1)
    arena.until_quiet()
    before = arena.orders()
    with plugs.clock_set(arena, seconds):
        time.sleep(LOOKS_ROUND_S)
        assert arena.orders() == before
        arena.go_on(3 * WAVE_S)
        arena.until_it_stands()
    arena.advance()


def the_broker_fails(arena: Arena, presets: tuple[str, ...]) -> None:
    """Several of its faults at once."""
    arena.fault(*({"preset": preset, **SHORTER.get(preset, {})} for preset in presets))
    arena.advance(6)
    arena.heal()
    arena.advance()


def the_close_comes_without_the_database(arena: Arena) -> None:
    """A client's square-off falls due just after the database went away: flat before it is back, home afterwards."""
    email, user_id = arena.days_to_end.pop()
    arena.carry(1, user_id)
    at = arena.now + timedelta(seconds=CLOSES_IN_S)
    arena.stack.manage("shell", "-c", CLOSE.format(email=email, at=at))
    arena.until_the_engine_has_heard()
    with plugs.no_database(arena):
        arena.go_on(round((at - arena.now).total_seconds()) + 10, calmly=True)
        arena.until_it_stands()
        arena.until_in_time(lambda: arena.open_of(user_id) == {}, f"{email} to be flat without the database")
    arena.until_the_engine_works()
    arena.settle()
    assert arena.imported("SQUARE_OFF", user_id) > 0
    arena.advance()
    assert arena.open_of(user_id) == {}


CRASHES = ("F43", "F44", "F45", "I1", "I2", "I16")


def _dies(*points: str, by: Callable[..., None] = dies, rows: tuple[str, ...] = CRASHES) -> Trouble:
    return Trouble(f"dies at {', '.join(points)}", rows, partial(by, points=points), points=points)


def _broker(*presets: str) -> Trouble:
    return Trouble(
        f"broker fails {' '.join(presets)}", (*presets, "I4", "I9"), partial(the_broker_fails, presets=presets)
    )


def _clock(words: str, seconds: int) -> Trouble:
    return Trouble(f"clock set {words}", ("F58",), partial(the_clock_is_set, seconds=seconds))


TROUBLES = (
    _dies("before_intent_commit", "lease_taken"),
    _dies("after_intent_commit", "before_lock"),
    _dies("before_claim", "lock_taken"),
    _dies("after_claim"),
    _dies("after_send"),
    _dies("before_ack_commit"),
    _dies("after_fill_commit"),
    _dies("cancel_sent", by=dies_cancelling),
    _dies("change_sent", by=dies_repricing, rows=(*CRASHES, "F23")),
    _dies("before_journal", by=dies_without_the_database, rows=(*CRASHES, "F40", "F41")),
    _dies("journal_synced", "journal_imported", by=dies_without_the_database, rows=(*CRASHES, "F40", "F41")),
    _dies("journal_answered", "journal_imported", by=dies_without_the_database, rows=(*CRASHES, "F40", "F41")),
    Trouble(
        "dies at kill_half_way",
        (*CRASHES, "I7"),
        dies_half_way_through_a_kill,
        place=-1,  # a kill is over when no entry is in doubt; two minutes after a death that may still be so (F17)
        points=("kill_half_way",),
    ),
    Trouble("engine killed", ("F56", "I16"), the_engine_is_killed),
    Trouble("engine stopped and continued", ("F46", "I14"), the_engine_is_stopped_and_goes_on),
    Trouble("engine stalls", ("F47",), the_engine_stalls),
    Trouble(
        "standby stands in",
        ("F40", "F43", "I1", "I2", "I14"),
        the_standby_stands_in,
        databases=(SQLITE,),  # on PostgreSQL it is a test of its own: test_standing_in.py
    ),
    Trouble("all others die", ("F48", "F49", "I17"), all_others_die),
    Trouble("redis loses everything", ("F37", "F38", "I17"), redis_loses_everything),
    Trouble("redis restarts twice", ("F36", "F53", "I17"), redis_restarts_twice),
    Trouble("tasks wait", ("F52",), the_worker_has_a_backlog),
    Trouble("redis sleeps", ("F39",), redis_sleeps),
    Trouble("redis reset", ("F53", "I17"), redis_is_reset),
    Trouble("redis hangs in mid-answer", ("F39", "F55"), redis_hangs_in_mid_answer, databases=(POSTGRESQL,)),
    Trouble("database locked", ("F40", "I2"), the_database_is_locked),
    Trouble("database server crashes", ("F41", "I2"), the_database_server_crashes, databases=(POSTGRESQL,)),
    Trouble("disk full", ("F42", "I2"), the_disk_is_full_for_the_engine, databases=(SQLITE,)),
    _clock("forward", CLOCK_STEP_S),
    _clock("back", -CLOCK_STEP_S),
    _broker("F11", "F12", "F13", "F14"),
    _broker("F15", "F16", "F18", "F19"),
    _broker("F24", "F26", "F28", "F33"),
    Trouble(
        "close without the database",
        ("F40", "F41", "I2", "I6"),
        the_close_comes_without_the_database,
        place=1,  # it ends a client's day
    ),
)
