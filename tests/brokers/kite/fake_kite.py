"""A broker on loopback that answers each request with the bytes a test wrote, or breaks off as it was told."""

import asyncio
import json
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

SILENCE_LASTS_S = 60.0
Behaviour = Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass(frozen=True)
class Heard:
    """One request as it came over the wire."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    form: dict[str, list[str]]
    raw: bytes


class FakeKite:
    """Answers in the order of `answers`; the last one for ever."""

    def __init__(self) -> None:
        self.heard: list[Heard] = []
        self.answers: list[Behaviour] = []
        self.connections = 0
        self.at_once = self.most_at_once = 0
        """Requests that are being answered by `slowly`, now and at most."""
        self.root = ""

    def will(self, *answers: Behaviour) -> None:
        """Set what the next requests meet."""
        self.answers = list(answers)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection, several requests."""
        self.connections += 1
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                self.heard.append(await _request(head, reader))
                answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
                await answer(writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def slowly(self, value: Any, seconds: float) -> Behaviour:
        """Answer with a success envelope after a while, and count who is answered beside whom."""

        async def answer(writer: asyncio.StreamWriter) -> None:
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            await asyncio.sleep(seconds)
            self.at_once -= 1
            await data(value)(writer)

        return answer


async def _request(head: bytes, reader: asyncio.StreamReader) -> Heard:
    first, *lines = head.decode().split("\r\n")
    method, target, _ = first.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    parts = urlsplit(target)
    return Heard(method, parts.path, parse_qs(parts.query), headers, parse_qs(body.decode()), head + body)


@asynccontextmanager
async def fake_kite(context: ssl.SSLContext | None = None) -> AsyncIterator[FakeKite]:
    """Serve on a free port, behind TLS where a context is given."""
    kite = FakeKite()
    server = await asyncio.start_server(kite.serve, "127.0.0.1", 0, ssl=context)
    kite.root = f"http{'s' if context else ''}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield kite
    finally:
        server.close()


def raw(head: str, body: bytes = b"") -> Behaviour:
    """Answer with exactly this: status and header lines, then the body with its length."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 {head}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
        await writer.drain()

    return answer


def says(body: Any, status: str = "200 OK") -> Behaviour:
    """Answer with JSON."""
    return raw(f"{status}\r\nContent-Type: application/json", json.dumps(body).encode())


def data(value: Any) -> Behaviour:
    """Answer with a success envelope."""
    return says({"status": "success", "data": value})


def refuses(status: str, error_type: str, message: str) -> Behaviour:
    """Answer with an error envelope."""
    return says({"status": "error", "message": message, "data": None, "error_type": error_type}, status)


async def resets(writer: asyncio.StreamWriter) -> None:
    """Break the connection with a RST."""
    connection = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def hangs(writer: asyncio.StreamWriter) -> None:
    """Never answer."""
    await asyncio.sleep(SILENCE_LASTS_S)


async def drips(writer: asyncio.StreamWriter) -> None:
    """Send one byte of the answer every tenth of a second: no single read ever takes long."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n")
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.1)


async def breaks_off(writer: asyncio.StreamWriter) -> None:
    """Send half of a body and close."""
    writer.write(b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"status": "succ')
    await writer.drain()
    writer.transport.close()
