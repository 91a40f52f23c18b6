"""How the installation is doing, part by part. A part that does not answer is shown as such; nothing raises."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import redis
from django.conf import settings
from django.db import DatabaseError, connection

from trading.clock.http import ControlClock
from trading.marketdata import keys
from trading.marketdata.status import FeedStatus
from trading.models import Heartbeat, Lease, Venue
from trading.services import glance, wiring
from trading.services.alarms.running import seen_parts
from trading.services.alarms.watch import PARTS, SeenPart
from trading.services.engine_status import engine_words
from trading.services.feed_health import LeftOut, feed_health, packet_words
from trading.services.running_stack import ProcessView, StackFile
from trading.services.views.alarms import house_channels
from trading.stores.heartbeats import all_beats


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
    """The market's clock. `now` is None while it does not answer; `speed_words` is empty on the live market.

    `stands` says why simulated time does not move; empty while it may.
    """

    now: datetime | None
    phase: str = ""
    speed_words: str = ""
    pace: str = ""
    stands: str = ""
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
    left_out: LeftOut | None = None
    leases: tuple[Lease, ...] = ()
    lives: tuple[SeenPart, ...] = ()

    @property
    def worst(self) -> str:
        """Give the worst kind of all parts."""
        kinds = {part.kind for part in self.parts}
        return next((kind for kind in ("bad", "warn") if kind in kinds), "ok")


def gather() -> Status:
    """Ask every part. Takes at most a few seconds, when parts are away."""
    market = _market()
    redis_part, feed, left_out = _redis(), glance.feed_status(), feed_health(market.now)
    age_s = feed.age_s(market.now) if feed and market.now else None
    leases, beats, database_part = _database()
    stack = StackFile(settings.STATE_DIR).read()
    parts = (
        _market_part(market),
        _feed_part(feed, age_s, market, is_ticker_silent=_is_ticker_silent()),
        Part("Price packets", *packet_words(left_out)),
        Part("Engine", *engine_words(leases, beats, wiring.clock().wall())),
        database_part,
        redis_part,
        _alarms_part(),
        _processes_part(None if stack is None else stack.processes),
    )
    return Status(parts, market, None if stack is None else stack.processes, feed, age_s, left_out, leases, _lives())


def _market() -> Market:
    clock = wiring.clock()
    try:
        view = glance.market()
        said: dict[str, Any] = clock.status() if isinstance(clock, ControlClock) else {}
    except OSError:
        return Market(None)
    people = tuple(Participant(one["name"], one["role"], one["state"]) for one in said.get("participants", ()))
    stands = "the day is over" if said.get("finished") else "it is held by hand" if said.get("held") else ""
    return Market(view.now, view.phase, view.speed_words, str(said.get("pace", "")), stands, people)


def _market_part(market: Market) -> Part:
    if market.now is None:
        return Part("Market clock", "bad", "The simulated exchange does not answer: no entries, nothing moves.")
    if market.left:
        return Part("Market clock", "warn", f"The market no longer waits for {', '.join(market.left)}.")
    words = market.speed_words or "live"
    return Part("Market clock", "ok", f"{words}; the clock stands, {market.stands}" if market.stands else words)


def _redis() -> Part:
    try:
        took_ms = _timed(wiring.redis_client().ping)
    except (redis.RedisError, OSError):
        return Part("Redis", "bad", "Does not answer: no prices and no live pages. Kill switch and stops work.")
    return Part("Redis", "ok", f"answers in {took_ms:.1f} ms")


def _is_ticker_silent() -> bool:
    """True when Redis answers and has no sign of life of the ticker."""
    try:
        return not wiring.redis_client().exists(keys.HEARTBEAT)
    except redis.RedisError:
        return False


def _feed_part(feed: FeedStatus | None, age_s: float | None, market: Market, *, is_ticker_silent: bool) -> Part:
    if feed is None:
        return Part("Price feed", "bad", "Nothing is known of it: no entries until prices come.")
    if is_ticker_silent:
        return Part("Price feed", "bad", "The ticker process gives no sign of life: no entries until prices come.")
    if age_s is None:
        return Part("Price feed", "warn", feed.sentence or "No price has come yet.")
    kind = glance.feed_kind(age_s, market.phase)
    words = {"warn": ", late", "bad": ": no entries until it is fresh", "off": "; none are expected now"}.get(kind, "")
    text = f"last price {glance.age_words(age_s)} ago{words}"
    return Part("Price feed", "ok" if kind == "off" else kind, text)


def _database() -> tuple[tuple[Lease, ...], list[Heartbeat], Part]:
    try:
        took_ms = _timed(_select_one)
        venue = Venue.objects.first()
        leases, beats = tuple(Lease.objects.order_by("shard")), all_beats()
    except DatabaseError:
        return (
            (),
            [],
            Part("Database", "bad", "Does not answer: no entries; open positions go by the engine's journal."),
        )
    vendor = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}.get(connection.vendor, connection.vendor)
    text = f"{vendor} answers in {took_ms:.1f} ms, venue {venue or 'not claimed yet'}"
    return leases, beats, Part("Database", "ok", text)


def _alarms_part() -> Part:
    try:
        kind, text = house_channels()
    except DatabaseError:
        return Part("Alarms", "warn", "What waits is unknown; critical alarms leave directly, without the database.")
    return Part("Alarms", kind, text)


def _lives() -> tuple[SeenPart, ...]:
    """Give every part's sign of life as this process sees it."""
    try:
        return tuple(part for part in seen_parts(wiring.clock()) if part.part in PARTS)
    except DatabaseError:
        return ()


def _select_one() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _timed(call: Callable[[], object]) -> float:
    clock = wiring.clock()
    began = clock.monotonic()
    call()
    return (clock.monotonic() - began) * 1000


def _processes_part(processes: tuple[ProcessView, ...] | None) -> Part:
    if processes is None and settings.PRODUCTION:
        return Part("Processes", "ok", "looked after by your own process runner")
    if processes is None:
        return Part("Processes", "warn", "No supervisor runs in this state directory.")
    down = [process.name for process in processes if process.state != "running"]
    if down:
        return Part("Processes", "bad", f"Not running: {', '.join(down)}.")
    again = [f"{process.name} ({process.restarts})" for process in processes if process.restarts]
    if again:
        return Part("Processes", "warn", f"All {len(processes)} run. Died and started again: {', '.join(again)}.")
    return Part("Processes", "ok", f"all {len(processes)} run, none was ever restarted")
