"""Scenes of the ticker, each in a process of its own: Twisted's reactor can be started once.

Argument: the scene's name. Prints one JSON line with what was seen.
"""

import asyncio
import json
import struct
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import WSMsgType, web

from tests.brokers.kite.fake_socket import FakeSocket, fake_socket
from trading.brokers.kite.reactor import run_with_reactor
from trading.brokers.kite.sockets import SocketLogin
from trading.brokers.kite.ticker import KiteTickSource
from trading.clock.live import LiveClock
from trading.domain.backoff import Backoff
from trading.domain.errors import BrokerAuthError
from trading.domain.ticks import Tick

NIFTY, SENSEX, INFY, SBIN = 256265, 265, 408065, 779521
HEARTBEAT = b"\x00"


def index_frame(price: int, token: int = 256265) -> bytes:
    """Make a frame with one full packet of an index (NIFTY 50) at a price in paise."""
    return struct.pack(">HH8I", 1, 32, token, price, price, price, price, price, 0, 1_795_000_000)


class Scene:
    """A ticker in front of a scripted socket, and what either saw."""

    def __init__(self, socket: FakeSocket, *, silent_after_s: float = 5.0, asks_again_after_s: float = 5.0) -> None:
        self.socket = socket
        self.said: list[Any] = []
        self.ticks: list[Tick] = []
        self.source = KiteTickSource(
            SocketLogin("kite:OP1000", "keyofop", "tokenofop", socket.root),
            LiveClock(),
            on_ticks=self.ticks.extend,
            silent_after_s=silent_after_s,
            asks_again_after_s=asks_again_after_s,
            backoff=Backoff(first_s=0.05, most_s=0.2),
        )

    def listens(self, *frames: bytes, then_breaks: bool = False) -> Callable[..., Awaitable[None]]:
        """Write down what the client says; send the frames after its second message (subscribe, mode)."""

        async def script(socket: web.WebSocketResponse, request: web.Request) -> None:
            heard = 0
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    self.said.append(json.loads(message.data))
                    heard += 1
                if heard == 2:
                    for frame in frames:
                        await socket.send_bytes(frame)
                    if then_breaks and request.transport is not None:
                        request.transport.abort()

        return script

    async def until(self, is_done: Callable[[], bool]) -> None:
        """Wait for a condition, half a minute at the most."""
        async with asyncio.timeout(30):
            while not is_done():
                self.source.moved.clear()
                await asyncio.wait({asyncio.create_task(self.source.moved.wait())}, timeout=0.02)


async def ticks(socket: FakeSocket) -> dict[str, Any]:
    """Subscribe, receive, change the wish."""
    scene = Scene(socket)
    socket.will(scene.listens(HEARTBEAT, index_frame(2_590_005), HEARTBEAT, index_frame(2_590_010)))
    scene.source.want([INFY, NIFTY])
    running = asyncio.create_task(scene.source.run())
    await scene.until(lambda: scene.source.frames == 2)
    was_ready = scene.source.is_ready
    scene.source.want([NIFTY, SBIN])
    await scene.until(lambda: len(scene.said) == 5)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    return {
        "prices": [tick.ltp for tick in scene.ticks],
        "said": scene.said,
        "ready": was_ready,
        "connected_after": scene.source.is_connected,
    }


async def reconnects(socket: FakeSocket) -> dict[str, Any]:
    """Lose the connection and come back with the whole wish."""
    scene = Scene(socket)
    socket.will(scene.listens(index_frame(100), then_breaks=True), scene.listens(index_frame(200)))
    scene.source.want([NIFTY])
    running = asyncio.create_task(scene.source.run())
    await scene.until(lambda: len(scene.ticks) == 2)
    seen = {"said": scene.said, "frames": scene.source.frames, "connection": scene.source.connection}
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    return seen


async def silence(socket: FakeSocket) -> dict[str, Any]:
    """Meet a socket that stays open and says nothing: the SDK would keep it for ever."""
    scene = Scene(socket, silent_after_s=0.3)
    socket.will(scene.listens())
    scene.source.want([NIFTY])
    running = asyncio.create_task(scene.source.run())
    await scene.until(lambda: scene.source.connection == 3)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    return {"connections": len(socket.queries)}


async def half_subscribed(socket: FakeSocket) -> dict[str, Any]:
    """Meet a socket that sends one of two instruments, and the other only when it is asked for again."""
    scene = Scene(socket, asks_again_after_s=0.2)

    async def script(open_socket: web.WebSocketResponse, request: web.Request) -> None:
        async for message in open_socket:
            if message.type is WSMsgType.TEXT:
                scene.said.append(json.loads(message.data))
            if len(scene.said) in (2, 4):
                await open_socket.send_bytes(index_frame(100, NIFTY if len(scene.said) == 2 else SENSEX))

    socket.will(script)
    scene.source.want([NIFTY, SENSEX])
    running = asyncio.create_task(scene.source.run())
    await scene.until(lambda: len(scene.ticks) == 1)
    unheard = sorted(scene.source.unheard)
    await scene.until(lambda: len(scene.ticks) == 2)
    await asyncio.sleep(0.5)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    return {"said": scene.said, "unheard": unheard, "left": sorted(scene.source.unheard)}


async def forbidden(socket: FakeSocket) -> dict[str, Any]:
    """Meet a 403: the SDK would try the dead token fifty times."""
    socket.status = 403
    scene = Scene(socket)
    try:
        await asyncio.wait_for(scene.source.run(), timeout=30)
    except BrokerAuthError as error:
        await asyncio.sleep(0.5)
        return {"error": str(error), "connections": len(socket.queries)}
    return {}


async def overcrowded(socket: FakeSocket) -> dict[str, Any]:
    """Meet 429 (a fourth socket), then room."""
    scene = Scene(socket)
    socket.status = 429
    socket.will(scene.listens(index_frame(100)))
    scene.source.want([NIFTY])
    running = asyncio.create_task(scene.source.run())
    await scene.until(lambda: len(socket.queries) == 3)
    socket.status = 101
    await scene.until(lambda: len(scene.ticks) == 1)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    return {"prices": [tick.ltp for tick in scene.ticks]}


SCENES = {scene.__name__: scene for scene in (ticks, reconnects, silence, half_subscribed, forbidden, overcrowded)}


async def play(name: str) -> None:
    """Play one scene and print what was seen."""
    async with fake_socket() as socket:
        seen = await SCENES[name](socket)
    print(json.dumps(seen), flush=True)  # noqa: T201 (the test reads it)


if __name__ == "__main__":
    run_with_reactor(play(sys.argv[1]))
