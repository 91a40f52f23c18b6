"""Ticks through a real Redis."""

import asyncio
import shutil
import subprocess
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from redis.exceptions import RedisError

from tests.marketdata.made import INFY, NINE_FIFTEEN, SBIN, tick
from trading.clock.live import LiveClock
from trading.marketdata import keys
from trading.marketdata.bus import TickStream, TickWriter, connect, last_ticks, unpack_ticks
from trading.marketdata.status import FeedState, FeedStatus, decode_status
from trading.ports import TickBatch
from trading.stack.embedded_redis import configure
from trading.stack.ports import free_port

STATUS = FeedStatus(FeedState.CONNECTED, account="kite:OP1000", at_ms=NINE_FIFTEEN * 1000)


@pytest.fixture
async def stream(redis_url: str) -> AsyncIterator[TickStream]:
    """Give the engine's side."""
    reader = TickStream(redis_url, LiveClock())
    yield reader
    await reader.close()


async def next_batch(batches: AsyncIterator[TickBatch]) -> TickBatch:
    """Take one batch, or fail after five seconds."""
    return await asyncio.wait_for(anext(batches), timeout=30)


async def test_batches_come_in_order_and_each_once(client: Any, stream: TickStream) -> None:
    writer, batches = TickWriter(client), stream.batches()
    sent = [TickBatch((tick(ltp=n),), n) for n in range(1, 601)]
    await writer.write(sent[0], STATUS)
    got = [await next_batch(batches)]

    for batch in sent[1:]:
        await writer.write(batch, STATUS)
    got += [await next_batch(batches) for _ in sent[1:]]

    assert got == sent


async def test_a_reader_that_joins_late_begins_with_the_newest_batch(client: Any, stream: TickStream) -> None:
    writer = TickWriter(client)
    for step in range(5):
        await writer.write(TickBatch((), step), STATUS)
    batches = stream.batches()

    assert (await next_batch(batches)).step == 4

    await writer.write(TickBatch((), 5), STATUS)
    assert (await next_batch(batches)).step == 5


async def test_a_reader_may_be_there_before_the_first_batch(client: Any, stream: TickStream) -> None:
    waiting = asyncio.create_task(next_batch(stream.batches()))
    await asyncio.sleep(0.05)

    await TickWriter(client).write(TickBatch((tick(),), None), STATUS)

    assert (await waiting).ticks == (tick(),)


async def test_last_prices_keep_the_newest_tick_of_each_instrument(client: Any, redis: Any) -> None:
    writer = TickWriter(client)
    await writer.write(TickBatch((tick(ltp=1), tick(SBIN, 5), tick(ltp=2)), None), STATUS)
    await writer.write(TickBatch((tick(ltp=3),), None), STATUS)

    known = await last_ticks(client, [INFY, SBIN, 99])

    assert {token: one.ltp for token, one in known.items()} == {INFY: 3, SBIN: 5}
    assert unpack_ticks([INFY, 99], redis.hmget(keys.LAST_PRICES, [INFY, 99])) == {INFY: tick(ltp=3)}
    assert await last_ticks(client, []) == {}


async def test_the_status_goes_with_the_ticks_and_tells_the_feeds_age(client: Any, redis: Any) -> None:
    await TickWriter(client).write(TickBatch((tick(),), None), STATUS)

    status = decode_status(redis.get(keys.FEED_STATUS))

    assert status == STATUS
    assert status.age_s(datetime.fromtimestamp(NINE_FIFTEEN + 3, UTC)) == 3
    assert status.age_s(datetime.fromtimestamp(NINE_FIFTEEN - 3, UTC)) == 0
    assert FeedStatus(FeedState.CONNECTING).age_s(datetime.fromtimestamp(NINE_FIFTEEN, UTC)) is None


async def test_a_sign_of_life_vanishes_with_the_process(client: Any, redis: Any) -> None:
    await TickWriter(client).tell(STATUS)

    assert 0 < redis.ttl(keys.HEARTBEAT) <= 10
    assert redis.ttl(keys.FEED_STATUS) == -1


async def test_an_entry_that_cannot_be_read_is_passed_over(client: Any, redis: Any, stream: TickStream) -> None:
    batches = stream.batches()
    await TickWriter(client).write(TickBatch((), 1), STATUS)
    await next_batch(batches)

    redis.xadd(keys.TICKS, {"b": b"garbage"})
    redis.xadd(keys.TICKS, {"x": b""})
    await TickWriter(client).write(TickBatch((), 2), STATUS)

    assert (await next_batch(batches)).step == 2


async def test_the_stream_is_cut_to_its_length(client: Any, redis: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "TICKS_KEPT", 100)
    writer = TickWriter(client)

    for step in range(500):
        await writer.write(TickBatch((), step), STATUS)

    assert redis.xlen(keys.TICKS) < 300


@pytest.mark.proves("F37")
async def test_a_flushed_redis_changes_nothing_for_the_reader(client: Any, redis: Any, stream: TickStream) -> None:
    writer, batches = TickWriter(client), stream.batches()
    await writer.write(TickBatch((), 1), STATUS)
    await next_batch(batches)

    redis.flushall()
    await writer.write(TickBatch((), 2), STATUS)

    assert (await next_batch(batches)).step == 2


@pytest.mark.proves("F36", "F53")
async def test_writer_and_reader_survive_a_redis_that_is_killed_and_comes_back_empty(tmp_path: Path) -> None:
    embedded = configure(tmp_path / "one", port=free_port())

    def start() -> "subprocess.Popen[bytes]":
        return subprocess.Popen(embedded.program.command)

    server = start()
    redis, reader = connect(embedded.url), TickStream(embedded.url, LiveClock())
    writer, batches = TickWriter(redis), reader.batches()
    try:
        await _written(writer, TickBatch((), 1))
        assert (await next_batch(batches)).step == 1
        server.kill()
        server.wait()
        with pytest.raises((RedisError, OSError)):
            await writer.write(TickBatch((), 2), STATUS)
        waiting = asyncio.create_task(next_batch(batches))
        await asyncio.sleep(0.3)

        shutil.rmtree(tmp_path / "one" / "appendonlydir")
        server = start()
        await _written(writer, TickBatch((), 3))

        assert (await waiting).step == 3
    finally:
        await reader.close()
        await redis.aclose()  # type: ignore[attr-defined]
        server.terminate()
        server.wait()


async def _written(writer: TickWriter, batch: TickBatch) -> None:
    """Write as soon as the server takes it."""
    async with asyncio.timeout(60):
        while True:
            try:
                await writer.write(batch, STATUS)
            except (RedisError, OSError):
                await asyncio.sleep(0.05)
            else:
                return
