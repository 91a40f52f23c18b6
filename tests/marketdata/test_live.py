"""Messages for the pages."""

import asyncio
import json
import time
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
import redis as redis_client
from redis.backoff import NoBackoff
from redis.retry import Retry

from trading.domain.orders import Side
from trading.marketdata import keys
from trading.marketdata.bus import connect
from trading.marketdata.live import RedisLivePublisher, SyncLivePublisher


def listen(redis: Any) -> Any:
    """Subscribe to the pages' channel."""
    channel = redis.pubsub(ignore_subscribe_messages=True)
    channel.subscribe(keys.LIVE)
    channel.get_message(timeout=1)
    return channel


def heard(channel: Any, count: int) -> list[Any]:
    """Give so many messages, or those that came within half a minute."""
    messages: list[Any] = []
    ends_at = time.monotonic() + 30
    while len(messages) < count and time.monotonic() < ends_at:
        message = channel.get_message(timeout=0.1)
        if message is not None:
            messages.append(json.loads(message["data"]))
    return messages


async def test_messages_arrive_in_order_with_money_as_text(client: Any, redis: Any) -> None:
    channel, publisher = listen(redis), RedisLivePublisher(client)
    publisher.start()

    publisher.publish(7, "pnl", {"realised": Decimal("-12.30"), "side": Side.BUY})
    publisher.publish(None, "market", {"time": datetime(2026, 11, 23, 4, tzinfo=UTC)})
    messages = await asyncio.to_thread(heard, channel, 2)

    await publisher.close()
    assert messages == [
        {"c": 7, "t": "pnl", "d": {"realised": "-12.30", "side": "BUY"}},
        {"c": None, "t": "market", "d": {"time": "2026-11-23T04:00:00Z"}},
    ]


async def test_what_cannot_be_written_is_dropped_alone(client: Any, redis: Any) -> None:
    channel, publisher = listen(redis), RedisLivePublisher(client)
    publisher.start()

    publisher.publish(7, "odd", {"thing": object()})
    publisher.publish(7, "fine", {})

    assert [one["t"] for one in await asyncio.to_thread(heard, channel, 1)] == ["fine"]
    await publisher.close()


@pytest.mark.proves("F39", "I26")
async def test_publishing_never_waits_for_a_redis_that_is_away() -> None:
    publisher = RedisLivePublisher(connect("redis://127.0.0.1:1/0"))
    publisher.start()
    began = time.monotonic()

    for n in range(20_000):
        publisher.publish(7, "pnl", {"n": n})

    assert time.monotonic() - began < 10
    await publisher.close()


async def test_what_waits_is_sent_at_the_end(client: Any, redis: Any) -> None:
    channel, publisher = listen(redis), RedisLivePublisher(client)

    publisher.publish(7, "last", {})
    await publisher.close()

    assert [one["t"] for one in await asyncio.to_thread(heard, channel, 1)] == ["last"]


def test_a_synchronous_process_publishes_at_once(redis: Any) -> None:
    channel = listen(redis)

    SyncLivePublisher(redis).publish(7, "state", {"state": "REDUCING"})

    assert heard(channel, 1) == [{"c": 7, "t": "state", "d": {"state": "REDUCING"}}]


def test_a_synchronous_process_bears_a_redis_that_is_away() -> None:
    away = redis_client.Redis(port=1, retry=Retry(NoBackoff(), 0))

    SyncLivePublisher(away).publish(7, "state", {"thing": 1})


async def test_the_newest_word_on_the_feeds_health_is_kept_for_pages_that_open_later(client: Any, redis: Any) -> None:
    publisher = RedisLivePublisher(client)

    publisher.keep_feed_health({"taken": 1})
    publisher.keep_feed_health({"taken": 2})
    await publisher.close()

    assert json.loads(redis.get(keys.FEED_HEALTH)) == {"taken": 2}
    assert 0 < redis.ttl(keys.FEED_HEALTH) <= keys.FEED_HEALTH_LASTS_S
