"""A ticker socket on loopback that does what a test wrote for each connection."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web

Script = Callable[[web.WebSocketResponse, web.Request], Awaitable[None]]


class FakeSocket:
    """Runs one script a connection, the last one for ever; `status` other than 101 refuses the upgrade."""

    def __init__(self) -> None:
        self.root = ""
        self.status = 101
        self.scripts: list[Script] = []
        self.queries: list[dict[str, str]] = []
        self.arrivals: asyncio.Queue[None] = asyncio.Queue()

    def will(self, *scripts: Script) -> None:
        """Set what the next connections meet."""
        self.scripts = list(scripts)

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Serve one connection."""
        self.queries.append(dict(request.query))
        self.arrivals.put_nowait(None)
        if self.status != 101:
            return web.Response(status=self.status, text="<html>no</html>", content_type="text/html")
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        script = self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0]
        await script(socket, request)
        return socket


@asynccontextmanager
async def fake_socket() -> AsyncIterator[FakeSocket]:
    """Serve on a free port."""
    fake = FakeSocket()
    app = web.Application()
    app.add_routes([web.get("/", fake.serve)])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    fake.root = f"ws://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield fake
    finally:
        await runner.cleanup()
