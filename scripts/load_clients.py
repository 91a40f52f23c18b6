"""The clients of `bench_exchange`, lean on purpose: they share the machine with the exchange that they measure.

Started as a process with one JSON line on its standard input (see `Load`). Ticker sockets count frames and packets and
decode nothing; order connections keep one request in flight each and read the status alone. Prints one JSON line.
"""

import asyncio
import json
import sys
import time
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, cast
from urllib.parse import urlsplit

import uvloop

SHORT, LONG = 126, 127
"""The websocket lengths that say: two, or eight, bytes of length follow."""


@dataclass(frozen=True, slots=True)
class Load:
    """What is asked: `sockets` tickers of one key on every token, and `orders_a_second` by all accounts in turn."""

    rest: str
    ws: str
    users: list[dict[str, str]]
    traded: list[list[Any]]
    seconds: float
    sockets: int = 0
    orders_a_second: int = 0
    connections: int = 0


@dataclass(slots=True)
class TickerCount:
    """What one ticker socket received."""

    frames: int = 0
    packets: int = 0
    size: int = 0


@dataclass(slots=True)
class OrderCount:
    """What became of the orders; `took` are wire seconds of each answer."""

    sent: int = 0
    refused: int = 0
    took: list[float] = field(default_factory=list)


class TickerSocket(asyncio.Protocol):
    """Asks for every token in full mode and counts what comes."""

    def __init__(self, load: Load, user: dict[str, str], count: TickerCount, ready: "asyncio.Future[None]") -> None:
        self._load, self._user, self._count, self._ready = load, user, count, ready
        self._waiting = b""
        self._left = 0
        self._is_open = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        query = f"api_key={self._user['api_key']}&access_token={self._user['access_token']}"
        host = urlsplit(self._load.ws).netloc
        self._transport.write(
            f"GET /?{query} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {b64encode(bytes(16)).decode()}\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        if self._left > len(data):  # in the middle of a frame: nothing to look at
            self._left -= len(data)
            return
        rest = self._waiting + data[self._left :]
        self._left = 0
        if not self._is_open:
            head, ended, rest = rest.partition(b"\r\n\r\n")
            if not ended:
                self._waiting = head
                return
            self._opened(head)
        self._read(rest)

    def _opened(self, head: bytes) -> None:
        if b" 101 " not in head.split(b"\r\n", 1)[0]:
            raise ConnectionError(head.decode(errors="replace"))
        self._is_open = True
        tokens = [token for token, _ in self._load.traded]
        for said in ({"a": "subscribe", "v": tokens}, {"a": "mode", "v": ["full", tokens]}):
            self._transport.write(masked(json.dumps(said).encode()))

    def _read(self, data: bytes) -> None:
        """Count the frames that begin in `data`; of the last one the rest may still be on its way."""
        at, end = 0, len(data)
        while end - at >= 14:
            length, begins = data[at + 1], at + 2
            if length == SHORT:
                length, begins = int.from_bytes(data[at + 2 : at + 4]), at + 4
            elif length == LONG:
                length, begins = int.from_bytes(data[at + 2 : at + 10]), at + 10
            if data[at] == 0x81 and b'"error"' in data[begins : begins + length]:
                sys.exit(data[begins : begins + length].decode(errors="replace"))
            if length > 1 and data[at] == 0x82:
                self._count.frames += 1
                self._count.packets += int.from_bytes(data[begins : begins + 2])
                self._count.size += length
                if not self._ready.done() and self._count.frames == 2:  # the pictures after subscribing and mode
                    self._ready.set_result(None)
            at = begins + length
        self._left = max(0, at - end)
        self._waiting = data[at:]


def masked(text: bytes) -> bytes:
    """Make a client's text frame; a mask of zeros leaves the text as it is."""
    size = len(text)
    head = bytes([0x81, 0x80 | SHORT]) + size.to_bytes(2) if size < 65_536 else bytes([0x81, 0xFF]) + size.to_bytes(8)
    return head + bytes(4) + text


class OrderConnection(asyncio.Protocol):
    """One keep-alive connection with at most one request in flight."""

    def __init__(self) -> None:
        self._answer: asyncio.Future[bytes] | None = None
        self._waiting = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._waiting += data
        head, ended, body = self._waiting.partition(b"\r\n\r\n")
        if not ended:
            return
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n", 1)[0])
        if len(body) >= length and self._answer is not None:
            self._waiting = b""
            self._answer.set_result(head[9:12])

    async def ask(self, request: bytes) -> bytes:
        """Send one request and give the three digits of its status."""
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answer


class Orders:
    """Places market orders of one unit, bought and sold in turn, at an even pace; every account in turn."""

    def __init__(self, load: Load, count: OrderCount) -> None:
        self._load, self._count = load, count
        self._number = 0

    async def run(self) -> None:
        """Send until the seconds are over."""
        host, port = address(self._load.rest)
        loop = asyncio.get_running_loop()
        lines = [(await loop.create_connection(OrderConnection, host, port))[1] for _ in range(self._load.connections)]
        self._begun = time.perf_counter()
        await asyncio.gather(*(self._keep_sending(line) for line in lines))

    async def _keep_sending(self, line: OrderConnection) -> None:
        while True:
            number = self._number
            due = self._begun + number / self._load.orders_a_second
            if due > self._begun + self._load.seconds:
                return
            self._number += 1
            left = due - time.perf_counter()
            if left > 0:
                await asyncio.sleep(left)
            elif time.perf_counter() > self._begun + self._load.seconds:
                return
            asked = time.perf_counter()
            status = await line.ask(self._request(number))
            self._count.took.append(time.perf_counter() - asked)
            self._count.sent += 1
            self._count.refused += status != b"200"

    def _request(self, number: int) -> bytes:
        users, traded = self._load.users, self._load.traded
        user = users[number % len(users)]
        round_of_user = number // len(users)
        symbol = traded[(number % len(users) * 7 + round_of_user // 2) % len(traded)][1]
        side = ("BUY", "SELL")[round_of_user % 2]
        body = (
            f"variety=regular&exchange=NSE&tradingsymbol={symbol}&transaction_type={side}&quantity=1&product=MIS"
            f"&order_type=MARKET&validity=DAY&market_protection=-1&tag=N{number}"
        ).encode()
        return (
            f"POST /orders/regular HTTP/1.1\r\nHost: {urlsplit(self._load.rest).netloc}\r\nX-Kite-Version: 3\r\n"
            f"User-Agent: Kiteconnect-python/5.2.2\r\nAccept-Encoding: gzip, deflate\r\nAccept: */*\r\n"
            f"Connection: keep-alive\r\nAuthorization: token {user['api_key']}:{user['access_token']}\r\n"
            f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
        ).encode() + body


async def work(load: Load) -> dict[str, Any]:
    """Put the load on and give the counts, from the moment `go` was read to the end of the seconds."""
    loop = asyncio.get_running_loop()
    counts = [TickerCount() for _ in range(load.sockets)]
    host, port = address(load.ws)
    for count in counts:
        ready: asyncio.Future[None] = loop.create_future()
        socket = partial(TickerSocket, load, load.users[0], count, ready)
        await loop.create_connection(socket, host, port)
        await ready
    say({"ready": True})
    await asyncio.to_thread(sys.stdin.readline)
    before = [(count.frames, count.packets, count.size) for count in counts]
    orders = OrderCount()
    begun, spent = time.perf_counter(), time.process_time()
    jobs = [asyncio.sleep(load.seconds)]
    if load.orders_a_second:
        jobs.append(Orders(load, orders).run())
    await asyncio.gather(*jobs)
    took = sorted(orders.took)
    return {
        "seconds": time.perf_counter() - begun,
        "cpu": time.process_time() - spent,
        "sockets": [
            [one.frames - f, one.packets - p, one.size - s] for one, (f, p, s) in zip(counts, before, strict=True)
        ],
        "sent": orders.sent,
        "refused": orders.refused,
        "median_ms": percentile(took, 50) * 1000,
        "p99_ms": percentile(took, 99) * 1000,
        "slowest_ms": percentile(took, 100) * 1000,
    }


def address(url: str) -> tuple[str, int]:
    """Give host and port."""
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or 0


def percentile(ordered: Sequence[float], percent: int) -> float:
    """Give a percentile of ascending numbers, 0 when there are none."""
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)] if ordered else 0.0


def say(what: dict[str, Any]) -> None:
    """Write one JSON line."""
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    say(uvloop.run(work(Load(**json.loads(sys.stdin.readline())))))
