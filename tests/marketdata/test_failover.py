"""Redis fails over to a replica that never got the last writes: two real servers, and the wire to one (F38)."""

import asyncio
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from redis import Redis
from redis.exceptions import RedisError

from tests.marketdata.made import INFY, NINE_FIFTEEN, tick
from tests.tcp_wire import Wire
from trading.clock.live import LiveClock
from trading.domain.backoff import Backoff
from trading.marketdata.bus import TickStream, TickWriter, connect, last_ticks
from trading.marketdata.status import FeedState, FeedStatus
from trading.ports import TickBatch
from trading.stack.embedded_redis import configure
from trading.stack.ports import free_port

STATUS = FeedStatus(FeedState.CONNECTED, account="kite:OP1000", at_ms=NINE_FIFTEEN * 1000)
PATIENCE_S = 60.0


@dataclass
class Server:
    """One server, its port and a client of its own."""

    process: "subprocess.Popen[bytes]"
    port: int
    password: str
    admin: Any


class Pair:
    """A primary, a replica of it, and the wire that clients know."""

    def __init__(self, folder: Path) -> None:
        self.primary, self.replica = (self._start(folder / name) for name in ("primary", "replica"))
        self.replica.admin.config_set("masterauth", self.primary.password)
        self.replica.admin.config_set("requirepass", self.primary.password)
        self.replica.admin.replicaof("127.0.0.1", self.primary.port)
        _until(lambda: self.replica.admin.info("replication")["master_link_status"] == "up")
        self.wire = Wire(self.primary.port)
        self.url = f"redis://:{self.primary.password}@127.0.0.1:{self.wire.port}/0"

    def part(self) -> None:
        """The replica gets nothing any more: what is written from here on will be lost."""
        self.primary.admin.wait(1, 5000)
        self.replica.admin.replicaof("no", "one")

    def fail_over(self) -> None:
        """The primary dies, and the name leads to the other."""
        self.primary.process.kill()
        self.wire.lead_to(self.replica.port)

    def close(self) -> None:
        """Stop everything."""
        self.wire.close()
        for one in (self.primary, self.replica):
            one.process.kill()
            one.process.wait()

    @staticmethod
    def _start(folder: Path) -> Server:
        own = configure(folder, port=free_port())
        process = subprocess.Popen(own.program.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        place = urlsplit(own.url)
        admin = Redis.from_url(own.url)
        _until(lambda: bool(admin.ping()))
        return Server(process, place.port or 0, place.password or "", admin)


def _until(holds: Any) -> None:
    """Wait for what a server that starts needs a moment for."""
    for _ in range(400):
        try:
            if holds():
                return
        except RedisError:
            pass
        time.sleep(0.05)
    raise AssertionError("a Redis server did not come up")


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    """Give two real servers."""
    made = Pair(tmp_path)
    yield made
    made.close()


@pytest.mark.proves("F38", "I17", database="none")
async def test_after_a_failover_that_lost_the_last_writes_prices_flow_on_by_themselves(pair: Pair) -> None:
    client: Any = connect(pair.url)
    stream = TickStream(pair.url, LiveClock())
    writer, batches = TickWriter(client), stream.batches()
    await writer.write(TickBatch((tick(ltp=1),), 1), STATUS)
    assert await _next(batches) == 1
    pair.part()
    for step in (2, 3):
        await writer.write(TickBatch((tick(ltp=step),), step), STATUS)
        assert await _next(batches) == step, "seen, and lost with the primary"

    pair.fail_over()

    await _write_when_it_answers(writer, TickBatch((), 4))
    assert await _next(batches) == 4, "a reader whose place in the stream is lost reads on"
    known = await last_ticks(client, [INFY])
    assert known[INFY].ltp == 1, "what was lost is an old price, never a wrong one"
    await writer.write(TickBatch((tick(ltp=5),), 5), STATUS)
    assert (await last_ticks(client, [INFY]))[INFY].ltp == 5
    await stream.close()
    await client.aclose()


async def _next(batches: AsyncIterator[TickBatch]) -> int | None:
    return (await asyncio.wait_for(anext(batches), timeout=PATIENCE_S)).step


async def _write_when_it_answers(writer: TickWriter, batch: TickBatch) -> None:
    """Keep what was not written, as the ticker does."""
    again = Backoff(first_s=0.05, most_s=0.5)
    for tries in range(1, 100):
        try:
            await writer.write(batch, STATUS)
        except (RedisError, OSError):
            await asyncio.sleep(again.wait_s(tries, 1.0))
        else:
            return
    raise AssertionError("the replica took no write")
