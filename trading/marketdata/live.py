"""Sending what happened to the pages: Redis pub/sub, best effort. See `ports.LivePublisher`."""

import asyncio
import logging
from collections import deque
from collections.abc import Mapping
from typing import Any

import msgspec
import redis
from redis.asyncio import Redis
from redis.exceptions import RedisError

from trading.marketdata import keys

logger = logging.getLogger(__name__)

MOST_WAITING = 5000
MOST_A_TRIP = 200
AFTER_FAILURE_S = 0.5

_encoder = msgspec.json.Encoder()


def encode_message(client_id: int | None, kind: str, data: Mapping[str, Any]) -> bytes:
    """Give {"c", "t", "d"} as JSON: Decimals as strings, moments in ISO, enums by value. Raises TypeError."""
    return _encoder.encode({"c": client_id, "t": kind, "d": data})


class RedisLivePublisher:
    """`publish` only queues; a background task sends. When Redis is away the oldest messages are dropped."""

    def __init__(self, redis: "Redis[bytes]") -> None:
        self._redis = redis
        self._waiting: deque[bytes] = deque(maxlen=MOST_WAITING)
        self._feed_health: bytes | None = None
        self._more = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._is_closing = False

    def start(self) -> None:
        """Begin sending, on the running loop."""
        self._task = asyncio.create_task(self._send_until_closed(), name="live-publisher")

    def publish(self, client_id: int | None, kind: str, data: Mapping[str, Any]) -> None:
        """Queue one message for one client's pages, or for everybody's (None). Never waits, never raises."""
        try:
            self._waiting.append(encode_message(client_id, kind, data))
        except TypeError:
            logger.exception("a live message of kind %s could not be written as JSON", kind)
            return
        self._more.set()

    def keep_feed_health(self, report: Mapping[str, Any]) -> None:
        """Keep the newest word on what the engine left out of the feed; a page that opens later reads it."""
        self._feed_health = _encoder.encode(report)
        self._more.set()

    async def close(self) -> None:
        """Send what is waiting, if Redis takes it soon, and stop."""
        self._is_closing = True
        self._more.set()
        if self._task is not None:
            await asyncio.wait({self._task}, timeout=2 * AFTER_FAILURE_S)
            self._task.cancel()
        try:
            async with asyncio.timeout(AFTER_FAILURE_S):
                await self._send_waiting()
        except (RedisError, OSError, TimeoutError):
            logger.info("live messages were dropped at the end")

    async def _send_until_closed(self) -> None:
        is_away = False
        while not self._is_closing:
            await self._more.wait()
            self._more.clear()
            try:
                await self._send_waiting()
                is_away = False
            except (RedisError, OSError) as error:
                if not is_away:
                    logger.warning("live messages: Redis is away (%s)", type(error).__name__)
                is_away = True
                self._more.set()
                await asyncio.sleep(AFTER_FAILURE_S)

    async def _send_waiting(self) -> None:
        """Send everything; a message that failed is gone, pages make up for it by their snapshot."""
        if self._feed_health is not None:
            report, self._feed_health = self._feed_health, None
            await self._redis.set(keys.FEED_HEALTH, report, ex=keys.FEED_HEALTH_LASTS_S)
        while self._waiting:
            pipe = self._redis.pipeline(transaction=False)
            for _ in range(min(MOST_A_TRIP, len(self._waiting))):
                pipe.publish(keys.LIVE, self._waiting.popleft())
            await pipe.execute()


class SyncLivePublisher:
    """The same for synchronous processes (pages, tasks): one short call, and a missing Redis is only logged."""

    def __init__(self, client: "redis.Redis[bytes]") -> None:
        self._redis = client

    def publish(self, client_id: int | None, kind: str, data: Mapping[str, Any]) -> None:
        """Send one message for one client's pages, or for everybody's (None). Never raises."""
        try:
            self._redis.publish(keys.LIVE, encode_message(client_id, kind, data))
        except (RedisError, OSError) as error:
            logger.warning("live message of kind %s was lost: Redis is away (%s)", kind, type(error).__name__)
        except TypeError:
            logger.exception("a live message of kind %s could not be written as JSON", kind)
