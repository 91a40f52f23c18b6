"""A whole day's dump: how long it is made and read, and the search over it in a Redis server of its own."""

import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import redis

from trading.brokers.kite.instruments import parse_dump
from trading.exchange.market import make_market
from trading.marketdata.search import InstrumentIndex
from trading.stack.embedded_redis import configure
from trading.stack.ports import free_port

DAY, SEED = date(2026, 11, 23), 810
QUERIES = ("INFY", "rel", "nifty", "bank nifty", "nifty 26000 ce", "tata mot", "n", "e", "hdfc bank", "infy ce", "zzzz")
ROUNDS = 25
ANSWERS_WITHIN_S = 10.0


@contextmanager
def own_redis() -> "Iterator[redis.Redis[bytes]]":
    """Give a server that ends with the block."""
    with tempfile.TemporaryDirectory() as folder:
        embedded = configure(Path(folder), port=free_port())
        server = subprocess.Popen(embedded.program.command, stdout=subprocess.DEVNULL)  # noqa: S603 (our own server)
        try:
            with redis.Redis.from_url(embedded.url) as client:
                _wait_for(client)
                yield client
        finally:
            server.terminate()
            server.wait()


def _wait_for(client: "redis.Redis[bytes]") -> None:
    deadline = time.monotonic() + ANSWERS_WITHIN_S
    while True:
        try:
            client.ping()
            return
        except redis.RedisError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def median_ms(call: Callable[[], object]) -> float:
    """Give the median of ROUNDS calls in milliseconds."""
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return statistics.median(times) * 1000


def measure() -> Iterator[tuple[str, float, str, str]]:
    """Give (name, value, unit, note): making and reading the dump, then the quickest and the slowest query, and the
    slowest as a multiple of a PING."""
    market, began = make_market(DAY, SEED), time.perf_counter()
    dump = market.dump_csv(None)
    made = time.perf_counter()
    instruments = parse_dump(dump).instruments
    yield "instrument dump, made", made - began, "s", f"{len(dump) / 1e6:.1f} MB"
    yield "instrument dump, made / read", (made - began) / (time.perf_counter() - made), "x", "same run"
    with own_redis() as client:
        index = InstrumentIndex(client, "kite")
        index.build(instruments, "bench")
        ping_ms = median_ms(client.ping)
        by_query = {text: median_ms(lambda text=text: index.search(text)) for text in QUERIES}  # type: ignore[misc]
    slowest = max(by_query, key=lambda text: by_query[text])
    note = f"{len(instruments):,} instruments"
    yield "instrument search, quickest query", min(by_query.values()), "ms", note
    yield "instrument search, slowest query", by_query[slowest], "ms", f"{note}, query {slowest!r}"
    yield "instrument search, slowest / PING", by_query[slowest] / ping_ms, "x", "same server, same run"
