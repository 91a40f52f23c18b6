"""One subscription to Redis a process, shared by all its sockets.

Redis may be away: pages then live on the pulse (market clock, feed age) and get a fresh snapshot once it is back.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Protocol
from weakref import WeakKeyDictionary

import msgspec
from channels.db import database_sync_to_async
from django.conf import settings
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from trading.marketdata import keys
from trading.marketdata.bus import connect
from trading.web.live import audience

logger = logging.getLogger(__name__)

PULSE_EVERY_S = 2.0
QUIET_S = 5.0
"""Wire seconds without a message after which the line is asked, and that the answer may take."""
AFTER_FAILURE_S = 1.0
MOST_SOCKETS_A_USER = 5

_decoder = msgspec.json.Decoder()


class Listener(Protocol):
    """A socket as the hub sees it."""

    who: audience.Audience

    def hear(self, kind: str, data: Mapping[str, Any]) -> None:
        """Take a message that this person may see."""

    def want_snapshot(self) -> None:
        """Messages were lost: begin again with a snapshot."""


class Hub:
    """Hands every message of the channel to the sockets whose person it is for."""

    def __init__(self) -> None:
        self._listeners: set[Listener] = set()
        self._tasks: list[asyncio.Task[None]] = []
        self._is_listening = asyncio.Event()

    async def listens(self, within_s: float) -> None:
        """Wait until messages come, so that a snapshot taken now misses none; not for long, Redis may be away."""
        try:
            async with asyncio.timeout(within_s):
                await self._is_listening.wait()
        except TimeoutError:
            return

    def sockets_of(self, user_id: int) -> int:
        """Count the open sockets of a person in this process."""
        return sum(listener.who.user_id == user_id for listener in self._listeners)

    def join(self, listener: Listener) -> None:
        """Begin to hand messages to a socket; the first one starts the subscription."""
        self._listeners.add(listener)
        if not self._tasks:
            self._tasks = [
                asyncio.create_task(self._for_ever(self._listen), name="live-hub"),
                asyncio.create_task(self._for_ever(self._pulse), name="live-pulse"),
            ]

    def leave(self, listener: Listener) -> None:
        """Forget a socket; after the last one the subscription ends."""
        self._listeners.discard(listener)
        if not self._listeners:
            for task in self._tasks:
                task.cancel()
            self._tasks = []

    def spread(self, client_id: int | None, kind: str, data: Mapping[str, Any]) -> None:
        """Give one message to everybody it is for."""
        for listener in list(self._listeners):
            share = listener.who.share_of(client_id, kind, data)
            if share is not None:
                listener.hear(*share)

    async def _for_ever(self, work: Callable[[], Awaitable[None]]) -> None:
        is_away = False
        while True:
            try:
                await work()
                is_away = False
            except (RedisError, OSError) as error:
                if not is_away:
                    logger.warning("live pages: no connection (%s); trying again", type(error).__name__)
                is_away = True
                await asyncio.sleep(AFTER_FAILURE_S)

    async def _listen(self) -> None:
        redis = connect(settings.REDIS_URL)
        try:
            async with redis.pubsub() as subscription:
                await subscription.subscribe(keys.LIVE)
                for listener in list(self._listeners):
                    listener.want_snapshot()
                self._is_listening.set()
                while True:
                    message = await _next(subscription)
                    if message["type"] == "message":
                        await self._take(message["data"])
        finally:
            self._is_listening.clear()
            await redis.aclose()  # type: ignore[attr-defined]

    async def _take(self, raw: bytes) -> None:
        try:
            message = _decoder.decode(raw)
            client_id, kind, data = message["c"], message["t"], message["d"]
        except (msgspec.DecodeError, KeyError, TypeError):
            logger.error("a live message could not be read")
            return
        self.spread(client_id, kind, data)
        if client_id is None and kind == "state":
            await self._house_state_changed()

    async def _house_state_changed(self) -> None:
        for client_id in {listener.who.client_id for listener in self._listeners if listener.who.client_id}:
            state = await database_sync_to_async(audience.state_of)(client_id)
            if state is not None:
                self.spread(client_id, "state", state)

    async def _pulse(self) -> None:
        """Say the market's time and the feed's age, also when nothing moves; to operators the clients' figures."""
        while True:
            told = await database_sync_to_async(audience.pulse)()
            self._tell(self._listeners, told.items())
            operators = [listener for listener in self._listeners if listener.who.client_id is None]
            if operators:
                self._tell(operators, await database_sync_to_async(audience.house_pulse)())
            await self._tell_alarms()
            await asyncio.sleep(PULSE_EVERY_S)

    async def _tell_alarms(self) -> None:
        """Say to everybody how many alarms wait; this needs the database alone, so it works while Redis is away."""
        waiting = await database_sync_to_async(audience.alarm_pulses)({one.who.user_id for one in self._listeners})
        for listener in list(self._listeners):
            pulse = waiting.get(listener.who.user_id)
            if pulse is not None:
                listener.hear("alarms", pulse)

    def _tell(self, listeners: Iterable[Listener], told: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
        messages = list(told)
        for listener in self._listeners.intersection(listeners):
            for kind, data in messages:
                listener.hear(kind, data)


async def _next(subscription: PubSub) -> dict[str, Any]:
    """Wait for the next message; a silent line is asked, because one that is half-open would be silent for ever.

    Raises TimeoutError when nobody answers.
    """
    message = await subscription.get_message(timeout=QUIET_S)
    if message is None:
        await subscription.ping()
        message = await subscription.get_message(timeout=QUIET_S)
    if message is None:
        raise TimeoutError(f"Redis said nothing for {2 * QUIET_S:g} s, though it was asked")
    return dict(message)


_hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = WeakKeyDictionary()


def the_hub() -> Hub:
    """Give the hub of the running loop: one a process, since a server has one loop."""
    return _hubs.setdefault(asyncio.get_running_loop(), Hub())
