"""The ticker socket at `/`: who may connect, what a client may say, heartbeats.

No PONG is ever sent unasked: the SDK would take it for a sign that it should drop a silent link.
"""

import asyncio
import contextlib
import json
from typing import Any

from aiohttp import WSMsgType, web

from trading.exchange.faults import Faults
from trading.exchange.kite import packets
from trading.exchange.kite.connection import Connection
from trading.exchange.kite.door import Door
from trading.exchange.kite.feed import TOKENS_PER_SOCKET, Feed, error_text
from trading.exchange.kite.greeting import greeting
from trading.exchange.venue import Venue

HEARTBEAT_S = 2.5
"""Wire time: an idle socket gets a one-byte frame this often."""
TAKES_NOTHING_S = 30.0
"""Wire time after which a reader that took nothing of one message is cut off, so that its place is free. Assumed."""


def make_ws_app(venue: Venue, feed: Feed, faults: Faults) -> web.Application:
    """Build the application of the ticker's own host and port."""
    app = web.Application()
    sockets = _TickerSocket(venue, feed, Door(venue, feed, faults))
    app.add_routes([web.get("/", sockets.serve)])
    app.on_shutdown.append(sockets.close_all)
    return app


class _TickerSocket:
    """Serves one connection at a time for each client."""

    def __init__(self, venue: Venue, feed: Feed, door: Door) -> None:
        self._venue = venue
        self._feed = feed
        self._door = door
        self._open: set[web.WebSocketResponse] = set()

    async def close_all(self, app: web.Application) -> None:
        """Say good-bye to everybody."""
        for socket in list(self._open):
            await socket.close(code=1001, message=b"exchange stops")

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Upgrade and serve; 403 for a dead token, 429 for one socket too many."""
        api_key = request.query.get("api_key", "")
        refusal = await self._door.refusal(request, api_key)
        if refusal is not None:
            return refusal
        session = self._venue.access.find(api_key, request.query.get("access_token", ""))
        if session is None:
            raise web.HTTPForbidden(text="Incorrect api_key or access_token.")
        if not self._feed.can_join(session.api_key) and not self._door.makes_room(request, session.api_key):
            raise web.HTTPTooManyRequests(text="Too many connections.")
        connection = Connection(session.user_id, session.api_key)
        for text in greeting(len(self._venue.market.instruments)):
            connection.send(text)
        self._feed.join(connection)
        try:
            return await self._talk(request, connection)
        finally:
            self._feed.leave(connection)

    async def _talk(self, request: web.Request, connection: Connection) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        self._open.add(socket)
        if request.transport is not None:
            connection.give_up = request.transport.abort
        writer = asyncio.create_task(_write(socket, connection))
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT or message.type is WSMsgType.BINARY:
                    await self._obey(connection, message.data)
        finally:
            self._open.discard(socket)
            writer.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await writer
        return socket

    async def _obey(self, connection: Connection, text: str | bytes) -> None:
        """Do what one message asks; whatever is not understood is answered by an error frame."""
        try:
            said = json.loads(text)
            await self._subscribe(connection, said["a"], said["v"])
        except (ValueError, KeyError, TypeError, RecursionError):
            connection.send(error_text("Invalid message."))

    async def _subscribe(self, connection: Connection, action: str, value: Any) -> None:
        if action == "mode":
            mode, tokens = value
            if mode not in packets.MODES:
                raise ValueError(mode)
            await self._watch(connection, _tokens(tokens), mode)
            return
        tokens = _tokens(value)
        if action == "unsubscribe":
            for token in tokens:
                connection.modes.pop(token, None)
            return
        if action != "subscribe":
            raise ValueError(action)
        await self._watch(connection, [token for token in tokens if token not in connection.modes], packets.QUOTE)

    async def _watch(self, connection: Connection, tokens: list[int], mode: str) -> None:
        """Send these tokens in this mode from now on, subscribed before or not.

        The official PHP client subscribes to ltp and full by the mode message alone (KiteTicker.php, sendSubscription).
        """
        if len(connection.modes.keys() | set(tokens)) > TOKENS_PER_SOCKET:
            connection.send(error_text(f"Maximum {TOKENS_PER_SOCKET} instruments are allowed on a connection."))
            return
        connection.is_ticker = True
        changed = [token for token in dict.fromkeys(tokens) if connection.modes.get(token) != mode]
        await self._feed.prepare(changed)
        connection.modes.update(dict.fromkeys(changed, mode))
        self._feed.snapshot(connection, changed)


def _tokens(value: Any) -> list[int]:
    if not isinstance(value, list) or not all(type(token) is int for token in value):
        raise ValueError("tokens must be whole numbers")
    return value


async def _write(socket: web.WebSocketResponse, connection: Connection) -> None:
    """Send what waits, and a heartbeat when nothing did for a while; give a reader up that takes nothing any more."""
    while True:
        try:
            async with asyncio.timeout(HEARTBEAT_S):
                message = await connection.next()
        except TimeoutError:
            message = packets.HEARTBEAT
        try:
            async with asyncio.timeout(TAKES_NOTHING_S):
                await (socket.send_bytes(message) if isinstance(message, bytes) else socket.send_str(message))
        except TimeoutError:
            connection.give_up()
            return
        except ConnectionError:
            return
