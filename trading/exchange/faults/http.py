"""Carries scripted faults out on HTTP: delays, dropped and reset connections, other answers.

`before_accept` strikes before anybody has seen the request, `after_accept` when it was carried out and the answer is
still to come, `reply` on the answer itself: it is late, cut in the middle, or another one.
"""

import asyncio
import json
import logging
import socket
import struct
from collections.abc import Awaitable, Callable

from aiohttp import web
from aiohttp.typedefs import Middleware

from trading.exchange.faults.engine import Faults
from trading.exchange.faults.rules import Rule, Target

logger = logging.getLogger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Identify = Callable[[web.Request], tuple[str, str]]
"""Gives (user id, api key) of a request, empty strings when unknown."""


class FaultInjector:
    """Makes the aiohttp middleware. Late acceptances run as tasks that it keeps hold of."""

    def __init__(self, faults: Faults, identify: Identify) -> None:
        self._faults = faults
        self._identify = identify
        self._late: set[asyncio.Task[None]] = set()

    def middleware(self) -> Middleware:
        """Give the outermost middleware of a face."""

        @web.middleware
        async def inject(request: web.Request, handler: Handler) -> web.StreamResponse:
            if not self._faults.rules:
                return await handler(request)
            return await self._injected(request, handler)

        return inject

    async def _injected(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        target = Target(request.method, request.path, *self._identify(request))
        rule = self._faults.pick(target, "before_accept")
        if rule is not None:
            if rule.action != "delay":
                await self._accept_late(rule, request, handler)
                return await _instead(rule, request)
            await asyncio.sleep(rule.seconds)
        response = await handler(request)
        rule = self._faults.pick(target, "after_accept")
        if rule is not None:
            if rule.action != "delay":
                return await _instead(rule, request)
            await asyncio.sleep(rule.seconds)
        rule = self._faults.pick(target, "reply")
        return response if rule is None else await _spoiled(rule, request, response)

    async def _accept_late(self, rule: Rule, request: web.Request, handler: Handler) -> None:
        """Carry the request out later although it is answered (or not) now."""
        if rule.accept_after_s is None:
            return
        await request.read()
        task = asyncio.create_task(_carry_out(rule.accept_after_s, request, handler))
        self._late.add(task)
        task.add_done_callback(self._late.discard)


async def _carry_out(seconds: float, request: web.Request, handler: Handler) -> None:
    await asyncio.sleep(seconds)
    response = await handler(request)
    logger.info("late acceptance of %s %s gave %s", request.method, request.path, response.status)


async def _instead(rule: Rule, request: web.Request) -> web.StreamResponse:
    """Answer with the fault and nothing of the true answer."""
    if rule.action == "status":
        return _written(rule, rule.status, rule.body or _envelope(rule))
    if rule.action == "body":
        return _written(rule, 200, rule.body)
    await request.read()  # a reset while the client still writes looks like an end to it
    if rule.action == "drop":
        await asyncio.sleep(rule.seconds)
    _break(request, reset=rule.action == "rst")
    return web.Response()


async def _spoiled(rule: Rule, request: web.Request, response: web.StreamResponse) -> web.StreamResponse:
    """Answer with what the fault leaves of the true answer."""
    if rule.action == "delay":
        await asyncio.sleep(rule.seconds)
        return response
    if rule.action == "status":
        return _written(rule, rule.status, rule.body or _envelope(rule))
    if rule.action == "body":
        return _written(rule, response.status, rule.body)
    text = response.body if isinstance(response, web.Response) and isinstance(response.body, bytes) else b""
    half = web.StreamResponse(status=response.status, headers={"Content-Type": "application/json"})
    half.content_length = len(text)
    await half.prepare(request)
    await half.write(text[: len(text) // 2])
    _break(request, reset=rule.action == "rst")
    return half


def _written(rule: Rule, status: int, text: str) -> web.Response:
    # the header as it was given: gateways send `text/html; charset=utf-8`, which aiohttp wants in two parts
    return web.Response(status=status, body=text.encode(), headers={"Content-Type": rule.content_type})


def _envelope(rule: Rule) -> str:
    """Give an error in Kite's shape."""
    return json.dumps({"status": "error", "message": rule.message, "error_type": rule.error_type, "data": None})


def _break(request: web.Request, *, reset: bool) -> None:
    """Close the connection without an answer; with `reset` the peer sees a TCP reset, else an end."""
    transport = request.transport
    if transport is None:
        return
    if reset:
        sock = transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
        return
    transport.close()
