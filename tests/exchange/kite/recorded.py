"""A broker that answers every call with one of Zerodha's recorded answers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from tests.mocks import MOCKS


@asynccontextmanager
async def recorded(name: str) -> AsyncIterator[str]:
    """Serve the file to whoever asks for anything, and give the root URL."""
    kind = "text/csv" if name.endswith(".csv") else "application/json"

    async def answer(request: web.Request) -> web.Response:
        await request.read()
        return web.Response(body=(MOCKS / name).read_bytes(), content_type=kind)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
