"""What can be pulled from outside under a running stack."""

import json
import os
import resource
import signal
import sqlite3
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psycopg
from redis import Redis
from redis.exceptions import RedisError

from tests.chaos.arena import PATIENCE_S, Arena
from tests.tcp_wire import Wire

WORKERS_QUEUE = "default"


def kill(arena: Arena, *names: str) -> None:
    """End processes as a power cut does."""
    for name in names:
        os.kill(running(arena, name), signal.SIGKILL)


@contextmanager
def frozen(arena: Arena, name: str) -> Iterator[None]:
    """Stop a process in its tracks, and let it go on at the end, if nobody ended it meanwhile."""
    pid = running(arena, name)
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


def running(arena: Arena, name: str) -> int:
    """Give the process id of a process once it runs."""
    if name == "redis" and arena.outside_redis is not None:
        return arena.outside_redis.pid
    arena.until(lambda: _state(arena, name) == "running", f"{name} to run")
    return arena.stack.pid_of(name)


def _state(arena: Arena, name: str) -> str:
    return next(str(one["state"]) for one in arena.stack.view()["processes"] if one["name"] == name)


def arm(arena: Arena, point: str) -> None:
    """Have whoever comes to this point next die there."""
    arena.crash_file.write_text(point)


def until_dead(arena: Arena) -> None:
    """Return once somebody died at the armed point, while the market stands."""
    arena.until(lambda: not arena.crash_file.exists(), f"somebody to come to {_armed(arena)}")


def dies_at(arena: Arena, point: str) -> None:
    """Let the market go on until somebody died at this point."""
    arm(arena, point)
    arena.advance_until(lambda: not arena.crash_file.exists(), f"somebody to come to {point}")


def _armed(arena: Arena) -> str:
    return arena.crash_file.read_text() if arena.crash_file.exists() else "it"


def queue_up(arena: Arena, task: str, count: int) -> None:
    """Put so many tasks into the worker's queue, as Celery writes them."""
    arguments = b64encode(json.dumps([[], {}, {}]).encode()).decode()
    waiting = (
        {
            "body": arguments,
            "content-type": "application/json",
            "content-encoding": "utf-8",
            "headers": {"task": task, "id": f"backlog-{number}", "lang": "py", "retries": 0, "eta": None},
            "properties": {
                "delivery_tag": f"backlog-{number}",
                "delivery_info": {"exchange": "", "routing_key": WORKERS_QUEUE},
                "body_encoding": "base64",
            },
        }
        for number in range(count)
    )
    with redis(arena) as client:
        client.rpush(WORKERS_QUEUE, *map(json.dumps, waiting))


def waiting_tasks(arena: Arena) -> int:
    """Count what waits for the worker."""
    with redis(arena) as client:
        return int(client.llen(WORKERS_QUEUE))


def empty_queue(arena: Arena) -> None:
    """Let the worker have nothing more to do."""
    with redis(arena) as client:
        client.delete(WORKERS_QUEUE)


def restart_redis(arena: Arena) -> None:
    """Kill Redis and come back once it answers again."""
    if arena.outside_redis is not None:
        arena.outside_redis.restart()
    else:
        kill(arena, "redis")
    arena.until(lambda: _redis_answers(arena), "Redis to be back")


def reset_redis(arena: Arena) -> None:
    """End every connection by RST: on the wire, or by killing a server that has not read what was sent to it."""
    if arena.outside_redis is not None:
        arena.outside_redis.wire.reset()
        return
    with frozen(arena, "redis"):
        arena.until_it_stands()
        kill(arena, "redis")
    arena.until(lambda: _redis_answers(arena), "Redis to be back")


def wire_of(arena: Arena) -> Wire:
    """Give the wire to a Redis outside."""
    assert arena.outside_redis is not None
    return arena.outside_redis.wire


def redis(arena: Arena) -> "Redis[bytes]":
    """Give a client of the stack's Redis."""
    return Redis.from_url(arena.stack.view()["environment"]["REDIS_URL"])


def _redis_answers(arena: Arena) -> bool:
    try:
        with redis(arena) as client:
            return bool(client.ping())
    except RedisError:
        return False


@contextmanager
def locked_database(arena: Arena) -> Iterator[None]:
    """Keep every other writer out of the tables of the money path."""
    if arena.server is None:
        lock = sqlite3.connect(arena.stack.state_dir / "db.sqlite3", timeout=PATIENCE_S, isolation_level=None)
        lock.execute("BEGIN EXCLUSIVE")
        try:
            yield
        finally:
            lock.close()
    else:
        with psycopg.connect(arena.servers["DATABASE_URL"]) as postgres:
            postgres.execute("LOCK TABLE trading_orderintentrow, trading_lease IN ACCESS EXCLUSIVE MODE")
            yield


@contextmanager
def stopped_database(arena: Arena) -> Iterator[None]:
    """Crash the database server, and start it again at the end."""
    assert arena.server is not None
    arena.server.pause()
    try:
        yield
    finally:
        arena.server.resume()


@contextmanager
def no_database(arena: Arena) -> Iterator[None]:
    """Take the database away: a server is stopped, a file is locked."""
    with locked_database(arena) if arena.server is None else stopped_database(arena):
        yield


@contextmanager
def full_disk(arena: Arena, name: str) -> Iterator[None]:
    """Let a process's files grow no more."""
    pid = running(arena, name)
    usual = resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            resource.prlimit(pid, resource.RLIMIT_FSIZE, usual)


@contextmanager
def clock_set(arena: Arena, seconds: int) -> Iterator[None]:
    """Set the clock of every process, market time and wall alike, and set it right at the end."""
    arena.clock_file.write_text(str(seconds))
    try:
        yield
    finally:
        arena.clock_file.unlink()
