"""How the installation is doing, part by part. A part that does not answer is shown as such; nothing raises."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec
import redis
from django.conf import settings
from django.db import DatabaseError, connection

from trading.clock.http import ControlClock
from trading.marketdata.keys import FEED_STATUS, HEARTBEAT
from trading.marketdata.status import FeedStatus, decode_status
from trading.models import Lease, Venue
from trading.services import glance, wiring
from trading.services.running_stack import ProcessView, StackFile

FEED_FRESH_S, FEED_LATE_S = 3.0, 10.0
HEARTBEATS = HEARTBEAT.rpartition(":")[0] + ":*"


@dataclass(frozen=True, slots=True)
class Part:
    """One part and how it is: kind is ok, warn or bad, `text` says so for people."""

    name: str
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Participant:
    """Somebody for whom the simulated market waits; `state` is in, late or out."""

    name: str
    role: str
    state: str


@dataclass(frozen=True, slots=True)
class Market:
    """The market's clock. `now` is None while it does not answer; `speed_words` is empty on the live market."""

    now: datetime | None
    phase: str = ""
    speed_words: str = ""
    pace: str = ""
    participants: tuple[Participant, ...] = ()

    @property
    def left(self) -> list[str]:
        """Name who left the round: the market no longer waits for them."""
        return [one.name for one in self.participants if one.state == "out"]


@dataclass(frozen=True, slots=True)
class Status:
    """Everything of the status page. `processes` is None when no stack of this state directory runs."""

    parts: tuple[Part, ...]
    market: Market
    processes: tuple[ProcessView, ...] | None
    feed: FeedStatus | None
    feed_age_s: float | None
    leases: tuple[Lease, ...] = ()
    heartbeats: tuple[str, ...] = field(default=())

    @property
    def worst(self) -> str:
        """Give the worst kind of all parts."""
        kinds = {part.kind for part in self.parts}
        return next((kind for kind in ("bad", "warn") if kind in kinds), "ok")


def gather() -> Status:
    """Ask every part. Takes at most a few seconds, when parts are away."""
    market = _market()
    feed, redis_part, heartbeats = _redis()
    age_s = feed.age_s(market.now) if feed and market.now else None
    leases, database_part = _database()
    stack = StackFile(settings.STATE_DIR).read()
    parts = (
        _market_part(market),
        _feed_part(feed, age_s, market),
        _engine_part(leases),
        database_part,
        redis_part,
        _processes_part(None if stack is None else stack.processes),
    )
    return Status(parts, market, None if stack is None else stack.processes, feed, age_s, leases, heartbeats)


def _market() -> Market:
    clock = wiring.clock()
    try:
        view = glance.market()
        said: dict[str, Any] = clock.status() if isinstance(clock, ControlClock) else {}
    except OSError:
        return Market(None)
    people = tuple(Participant(one["name"], one["role"], one["state"]) for one in said.get("participants", ()))
    return Market(view.now, view.phase, view.speed_words, str(said.get("pace", "")), people)


def _market_part(market: Market) -> Part:
    if market.now is None:
        return Part("Market clock", "bad", "The simulated exchange does not answer: no entries, nothing moves.")
    if market.left:
        return Part("Market clock", "warn", f"The market no longer waits for {', '.join(market.left)}.")
    return Part("Market clock", "ok", market.speed_words or "live")


def _redis() -> tuple[FeedStatus | None, Part, tuple[str, ...]]:
    """Give the feed's own word, Redis' part, and who gave a sign of life in the last ten seconds."""
    try:
        client = wiring.redis_client()
        took_ms = _timed(client.ping)
        raw = client.get(FEED_STATUS)
        alive = tuple(sorted(key.decode().removeprefix("hb:") for key in client.scan_iter(HEARTBEATS, count=100)))
    except (redis.RedisError, OSError):
        return (
            None,
            Part("Redis", "bad", "Does not answer: no prices and no live pages. Kill switch and stops work."),
            (),
        )
    part = Part("Redis", "ok", f"answers in {took_ms:.1f} ms")
    try:
        return (decode_status(raw) if isinstance(raw, bytes) else None), part, alive
    except (msgspec.DecodeError, json.JSONDecodeError):
        return None, part, alive


def _feed_part(feed: FeedStatus | None, age_s: float | None, market: Market) -> Part:
    if feed is None:
        return Part("Price feed", "bad", "Nothing is known of it: no entries until prices come.")
    if age_s is None:
        return Part("Price feed", "warn", feed.sentence or "No price has come yet.")
    is_quiet_time = market.phase not in ("open", "continuous")
    kind = "ok" if age_s <= FEED_FRESH_S or is_quiet_time else "warn" if age_s <= FEED_LATE_S else "bad"
    words = {"ok": "", "warn": ", late", "bad": ": no entries until it is fresh"}[kind]
    return Part("Price feed", kind, f"last price {age_s:.1f} s ago{words}")


def _database() -> tuple[tuple[Lease, ...], Part]:
    try:
        took_ms = _timed(_select_one)
        venue = Venue.objects.first()
        leases = tuple(Lease.objects.order_by("shard"))
    except DatabaseError:
        return (), Part("Database", "bad", "Does not answer: no entries; open positions go by the engine's journal.")
    vendor = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}.get(connection.vendor, connection.vendor)
    return leases, Part("Database", "ok", f"{vendor} answers in {took_ms:.1f} ms, venue {venue or 'not claimed yet'}")


def _select_one() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _timed(call: Callable[[], object]) -> float:
    clock = wiring.clock()
    began = clock.monotonic()
    call()
    return (clock.monotonic() - began) * 1000


def _engine_part(leases: tuple[Lease, ...]) -> Part:
    held = [lease for lease in leases if lease.holder]
    if not held:
        return Part("Engine", "bad", "Nobody holds the lease: no orders are sent.")
    words = ", ".join(f"{lease.shard} by {lease.holder}, epoch {lease.epoch}" for lease in held)
    return Part("Engine", "ok", f"lease {words}")


def _processes_part(processes: tuple[ProcessView, ...] | None) -> Part:
    if processes is None:
        return Part("Processes", "warn", "No supervisor runs in this state directory.")
    down = [process.name for process in processes if process.state != "running"]
    if down:
        return Part("Processes", "bad", f"Not running: {', '.join(down)}.")
    restarts = sum(process.restarts for process in processes)
    return Part("Processes", "ok" if not restarts else "warn", f"{len(processes)} run, {restarts} restarts")
