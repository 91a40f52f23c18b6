"""Ticks through Redis: the ticker writes batches to a stream, the engine reads them. Both survive its restart."""

import logging
import random
from collections.abc import AsyncIterator, Iterable, Mapping

import msgspec
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from trading.domain.backoff import Backoff
from trading.domain.ticks import Tick
from trading.marketdata import keys
from trading.marketdata.codec import decode_batch, decode_tick, encode_batch, encode_tick
from trading.marketdata.status import FeedStatus, encode_status
from trading.ports import Clock, TickBatch

logger = logging.getLogger(__name__)

ANSWERS_WITHIN_S = 5.0
BLOCK_MS = 1000
ENTRIES_A_READ = 4096
"""A reader that stood still for long gets all that waits at once, and knows what is newest."""
RETRY = Backoff(first_s=0.05, most_s=1.0)


def connect(url: str) -> "Redis[bytes]":
    """Open a client whose every answer has a deadline above the blocking reads of this module.

    It does not retry: redis-py's own retries would hold a caller for seconds, and callers here have theirs.
    """
    return Redis.from_url(
        url,
        socket_timeout=ANSWERS_WITHIN_S,
        socket_connect_timeout=ANSWERS_WITHIN_S,
        retry=Retry(NoBackoff(), 0),
    )


class TickWriter:
    """The ticker's side. Raises redis.RedisError when Redis is away: the caller keeps what was not written."""

    def __init__(self, redis: "Redis[bytes]") -> None:
        self._redis = redis

    async def write(self, batch: TickBatch, status: FeedStatus) -> None:
        """Append a batch, set the last prices and the status, in one round trip. A repeated write does no harm."""
        pipe = self._redis.pipeline(transaction=False)
        pipe.xadd(keys.TICKS, {keys.TICKS_FIELD: encode_batch(batch)}, maxlen=keys.TICKS_KEPT, approximate=True)
        newest = {tick.token: tick for tick in batch.ticks}
        if newest:
            pipe.hset(keys.LAST_PRICES, mapping={str(token): encode_tick(tick) for token, tick in newest.items()})
        pipe.set(keys.FEED_STATUS, encode_status(status))
        await pipe.execute()

    async def tell(self, status: FeedStatus) -> None:
        """Set the status alone, and give the ticker's sign of life."""
        pipe = self._redis.pipeline(transaction=False)
        pipe.set(keys.FEED_STATUS, encode_status(status))
        pipe.set(keys.HEARTBEAT, msgspec.json.encode({"state": status.state}), ex=keys.HEARTBEAT_LASTS_S)
        await pipe.execute()


class TickStream:
    """The engine's side: `ports.TickFeed` over the stream. Close it when done."""

    def __init__(self, url: str, clock: Clock) -> None:
        self._redis = connect(url)
        self._clock = clock

    async def batches(self) -> AsyncIterator[TickBatch]:
        """Yield batches for ever, beginning with the newest that is already there.

        So a reader that joins in the middle of a simulated step is not left waiting for it; how old a
        tick is, its time says. While Redis is away nothing comes. Entries that were trimmed before they
        could be read are lost.
        """
        last: bytes | None = None
        failures = 0
        while True:
            try:
                last = last or await self._before_newest()
                entries = await self._next_entries(last)
            except (RedisError, OSError) as error:
                failures += 1
                if failures == 1:
                    logger.warning("tick stream: Redis is away (%s)", type(error).__name__)
                await self._clock.sleep(RETRY.wait_s(failures, random.random()))  # noqa: S311 (jitter)
                continue
            failures = 0
            for entry, fields in entries:
                last = entry
                batch = _read(fields)
                if batch is not None:
                    yield batch

    async def _before_newest(self) -> bytes:
        """Give the id after which the newest entry comes."""
        newest = await self._redis.xrevrange(keys.TICKS, count=2)
        return newest[1][0] if len(newest) == 2 else b"0-0"

    async def _next_entries(self, last: bytes) -> list[tuple[bytes, Mapping[bytes, bytes]]]:
        reply = await self._redis.xread({keys.TICKS: last}, count=ENTRIES_A_READ, block=BLOCK_MS)
        return reply[0][1] if reply else []

    async def close(self) -> None:
        """Give the connection back."""
        await self._redis.aclose()  # type: ignore[attr-defined]


def _read(fields: Mapping[bytes, bytes]) -> TickBatch | None:
    try:
        return decode_batch(fields[keys.TICKS_FIELD])
    except (KeyError, msgspec.DecodeError) as error:
        logger.error("tick stream: an entry could not be read (%s)", error)
        return None


async def last_ticks(redis: "Redis[bytes]", tokens: Iterable[int]) -> dict[int, Tick]:
    """Read the newest tick of each token; those never heard of are absent. Raises redis.RedisError."""
    asked = list(tokens)
    if not asked:
        return {}
    packed = await redis.hmget(keys.LAST_PRICES, [str(token) for token in asked])
    return unpack_ticks(asked, packed)


def unpack_ticks(tokens: Iterable[int], packed: Iterable[bytes | None]) -> dict[int, Tick]:
    """Pair tokens with what HMGET of the last-price hash gave for them."""
    return {token: decode_tick(one) for token, one in zip(tokens, packed, strict=True) if one is not None}
